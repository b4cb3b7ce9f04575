"""The only place that imports verl, LLaMA-Factory, EvalScope, inspect-ai and other hosts."""
