"""A language model that decides the open answers which rules can't.

Only `dianjin_ext.rewards.judged` uses it. Everything that needs the extra `judge` (aiohttp,
tenacity and diskcache) is imported when the first judge is made.
"""

from dianjin_ext.rewards.judge.prompt import PROMPT_VERSION, Verdict
from dianjin_ext.rewards.judge.settings import JudgeSettings, read_judge

__all__ = ["PROMPT_VERSION", "JudgeSettings", "Verdict", "read_judge"]
