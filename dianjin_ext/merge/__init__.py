"""Merge verl's FSDP checkpoints into folders that transformers loads."""

from dianjin_ext.merge.merger import merge_checkpoint
from dianjin_ext.merge.settings import MergeSettings

__all__ = ["MergeSettings", "merge_checkpoint"]
