"""Talking to a served model, reasoning and answer apart."""

from dianjin_ext.inference.chat.conversation import Conversation, Partner
from dianjin_ext.inference.chat.start import reach
from dianjin_ext.inference.chat.terminal import chat

__all__ = ["Conversation", "Partner", "chat", "reach"]
