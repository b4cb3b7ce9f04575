"""The only place that imports verl, LLaMA-Factory and other hosts."""
