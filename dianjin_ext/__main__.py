"""`python -m dianjin_ext` is the command `dianjin`."""

from dianjin_ext.cli import main

main()
