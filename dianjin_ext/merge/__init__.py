"""Merge verl's FSDP checkpoints into folders that transformers loads."""

from dianjin_ext.merge.merger import merge_checkpoint

__all__ = ["merge_checkpoint"]
