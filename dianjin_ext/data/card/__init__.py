"""The card of a set: what is in it, how good it is, where it comes from, how it was made."""

from dianjin_ext.data.card.write import write_card

__all__ = ["write_card"]
