"""The component `steps`: whether the reasoning is laid out in steps, as in open-r1.

Fin-R1 keeps reasoning of at least three steps (arXiv:2503.16252), and open-r1's reward for steps
counts up to three. Both are content with marks; here a step needs a mark and something to it:

- A mark stands at the start of a line or of a sentence: `Step 1`, `第一步`, `步骤1`, `1.`, `1、`,
  `(1)`, `①`, `一、`, `First,`, `Next,`, `Finally,`, `首先`, `其次`, `然后`, `最后` and their like.
  Bullets are a list, not an order.
- What follows, up to the next mark, has at least `MIN_CONTENT` letters or digits, and no other step
  of the reasoning begins with the same `MAX_CONTENT`, numbers aside.
- Each mark counts once: `Step 1`, `第一步`, `1.` and `First,` are the same.
"""

import re
from typing import Final

from pydantic import PositiveInt

from dianjin_ext.rewards.components import Sample, register_component
from dianjin_ext.rewards.policy import Model

MAX_READ: Final = 32_768
MIN_CONTENT: Final = 5
MAX_CONTENT: Final = 100

_WORDS: Final = {
    **dict.fromkeys(("first", "firstly", "首先", "第一"), "1"),
    **dict.fromkeys(("second", "secondly", "其次", "第二"), "2"),
    **dict.fromkeys(("third", "thirdly", "再次", "第三"), "3"),
    **dict.fromkeys(("next", "then", "然后", "接着", "接下来", "随后"), "next"),
    **dict.fromkeys(("finally", "lastly", "last", "最后", "最终"), "last"),
}
_DIGITS = str.maketrans(
    {
        **dict(zip("一二三四五六七八九①②③④⑤⑥⑦⑧⑨", "123456789" * 2, strict=True)),
        "十": "10",
        "⑩": "10",
    }
)
_MARK = re.compile(
    r"""[\n。；！？.!?;](?:(?<=[\n。；！？])|[ ])[ \t\r#>*_]{0,8}+
    (?=[Ss步第0-9一二三四五六七八九十(（①-⑩FfTtNnLl首其再然接随最])  # most starts end here
    (?: (?:[Ss]tep[ ]?|STEP[ ]?|步骤[ ]?|第(?=[0-9一二三四五六七八九十]{1,2}步))
          (?P<step>[0-9]{1,2}|[一二三四五六七八九十]{1,2})(?![0-9])步?
      | (?P<digits>[0-9]{1,2})(?:[.:：](?![0-9])|[、)）])
      | (?P<numeral>[一二三四五六七八九十]{1,2})、
      | [(（](?P<bracketed>[0-9]{1,2}|[一二三四五六七八九十]{1,2})[)）]
      | (?P<circled>[①-⑩])
      | (?P<word>(?:[Ff]irst|[Ss]econd|[Tt]hird)(?:ly)?(?=[,:，：]|[ ](?:we|let|I)\b)
          |(?:[Nn]ext|[Tt]hen|[Ff]inally|[Ll]ast(?:ly)?)(?=[,:，：])
          |首先|其次|再次|然后|接着|接下来|随后|最后|最终|第[一二三](?=[,:，：、]))
    )""",
    re.VERBOSE,
)
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_NOT_ALNUM = re.compile(r"[\W_]+")


class StepsSettings(Model):
    """How many steps are enough.

    Attributes:
        target: Steps that earn 1; Fin-R1 and open-r1 ask for three.
    """

    target: PositiveInt = 3


@register_component("steps", StepsSettings)
def step_share(sample: Sample, settings: StepsSettings) -> float:
    """Return the number of steps as a share of `target`, in [0, 1]; 0 without reasoning.

    Of longer reasoning, the first `MAX_READ` characters count.
    """
    text = "\n" + (sample.parts.think or "")[:MAX_READ]
    marks: set[str] = set()
    contents: set[str] = set()
    name, start = "", -1
    for match in _MARK.finditer(text):
        if name:
            _add(name, text[start : match.start()], marks, contents)
            if len(marks) >= settings.target:
                return 1.0
        name, start = _name(match), match.end()
    if name:
        _add(name, text[start:], marks, contents)
    return min(len(marks) / settings.target, 1.0)


def _name(match: re.Match[str]) -> str:
    """Return what is the same for equal marks."""
    word = match["word"]
    return _WORDS[word.lower()] if word else match[match.lastgroup or 0].translate(_DIGITS)


def _add(name: str, content: str, marks: set[str], contents: set[str]) -> None:
    """Count a step if it says something, and something new."""
    content = content.lstrip()[: 2 * MAX_CONTENT]
    key = _NOT_LETTERS.sub("", content)[:MAX_CONTENT].lower()
    if len(key) < MIN_CONTENT:
        key = _NOT_ALNUM.sub("", content)[:MAX_CONTENT]
    if len(key) >= MIN_CONTENT and key not in contents:
        marks.add(name)
        contents.add(key)
