"""What dianjin_ext registers in LLaMA-Factory."""
