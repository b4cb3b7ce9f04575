"""The record of several agents as one line of reasoning."""

import re
from typing import Final

from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher.boxes import box
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.saying import Reply

# "检查员：…", "Agent 2 (rules): …": who speaks
_NAME: Final = re.compile(r"^[\w（）() -]{1,20}(?:：|: )")
# A longer label first: the shorter is a part of it.
_LABELS: Final = (("不合规", "合规"), ("non-compliant", "compliant"), ("否", "是"), ("no", "yes"))
_SO: Final[dict[Language, str]] = {"zh": "综合以上各点，结论是{}。", "en": "All in all: {}."}


def merged_agents(
    gold: str | None, instruction: str, steps: str, language: Language, rates: Rates, draws: Draws
) -> Reply | None:
    """Return reasoning and the line of its result; None where the record comes to none.

    The result is the gold answer where the question is known, else what the record says last; it is
    wrong at the rate of wrong answers.
    """
    labels = next(
        (pair for pair in _LABELS if all(_said(each, instruction) for each in pair)), None
    )
    result = gold or (labels and _last(steps, labels))
    if not result:
        return None
    if draws.chance("wrong", rates.wrong) and labels and result in labels:
        result = labels[result == labels[0]]
    lines = (_NAME.sub("", line.strip()) for line in steps.splitlines() if line.strip())
    text = "\n".join(dict.fromkeys(filter(None, lines)))
    return Reply(f"{text}\n{_SO[language].format(result)}\n{box(result)}")


def _said(label: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z-]){re.escape(label)}(?![A-Za-z])", text) is not None


def _last(text: str, labels: tuple[str, str]) -> str | None:
    """Return the label that stands last in a text."""
    pattern = "|".join(rf"(?<![A-Za-z-]){re.escape(label)}(?![A-Za-z])" for label in labels)
    found = re.findall(pattern, text)
    return found[-1] if found else None
