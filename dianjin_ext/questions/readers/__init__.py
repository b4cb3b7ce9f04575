"""One reader a published data set: its file to questions, and every bad row told."""

from dianjin_ext.questions.readers.base import BadRow, MultipleChoice

__all__ = ["BadRow", "MultipleChoice"]
