"""Asking models: requests and replies, limits, the journal, local sampling; no data set, no reward.

Everything that needs the extra `ask` (aiohttp, tenacity) is imported when something is asked.
"""

from dianjin_ext.inference.reply import Reply
from dianjin_ext.inference.request import Request
from dianjin_ext.inference.settings import AskSettings

__all__ = ["AskSettings", "Reply", "Request"]
