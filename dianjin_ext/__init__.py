"""Financial-reasoning post-training for unforked verl and LLaMA-Factory."""

from importlib.metadata import version

__version__ = version("dianjin-ext")
