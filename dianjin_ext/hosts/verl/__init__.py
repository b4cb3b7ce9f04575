"""What dianjin_ext registers in verl."""
