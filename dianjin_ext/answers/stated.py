r"""Letters and labels that prose states: `ANSWER: B`, `故选A。`, `Sentiment: Bullish`, 情绪为利空.

As with numbers (`dianjin_ext.answers.statement`), a marked answer counts before a conclusion, and
what is denied, doubted, taken back or said in two ways is none. Beside the markers there:

- of letters: `故选`, `应选`, `本题选`, `正确选项是`, `the correct option is`, `I choose`;
- of labels: `Sentiment:`, `the sentiment of this tweet is`, `情绪为`, `结论：`, `判断：`.

Without any of these, letters are also read from a last sentence that says that they are right
(`只有选项C是对的`, `Option B is correct`), and a label from one that concludes with it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from dianjin_ext.answers.choices import read_choices
from dianjin_ext.answers.labels import LabelSet, read_word
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.statement import EXPLICIT, WINDOW, read_statement

_NO_ANSWER: Final[Reading[str]] = Reading(None, "no_answer")

_LETTER_MARKS: Final = re.compile(
    EXPLICIT.pattern
    + r"|(?i:\b(?:correct|right|best|final|most appropriate)\s+(?:option|choice|response|selection)"
    r"(?:\s+(?:here|for this question))?\s*(?:is|are|would\s+be|:)\s*(?:option\s+)?)"
    r"|(?i:\bi(?:\s+would|\s+will|['’]d|['’]ll)?\s+(?:choose|select|pick|go\s+with)\s+(?:option\s+)?)"
    r"|(?<![不未没勿别非])(?:故|因此|所以|因而|从而|综上(?:所述)?|应当?|应该|本题|本题答案|最终|只能)[，,：:]?"
    r"(?:本题)?(?:应当?|应该)?(?<![不未没勿别非])选(?:择|取)?(?:出|的是|项?(?:为|是|：|:))?(?!项?[不错])"
    r"|正确(?:的)?(?:选项|答案)(?:应)?(?:是|为|：|:|有)|(?:选项|答案)应?(?:是|为|：|:)",
    re.MULTILINE,
)
_LABEL_MARKS: Final = re.compile(
    EXPLICIT.pattern
    + r"|(?i:\b(?:sentiment|label|verdict|judge?ment|conclusion|classification|polarity|stance"
    r"|category|class)(?:\s+(?:of|for|in|towards?)\s+(?:the|this|that)\s+[\w ]{1,40}?)?"
    r"(?:\*\*)?\s*(?:is|would\s+be\s+classified\s+as|:|：|=)(?:\*\*)?)"
    r"|(?i:\b(?:classif(?:y|ied)|labell?ed|judged|rated|categori[sz]ed)\s+(?:it\s+|this\s+)?as)"
    r"|(?:情感|情绪|市场|最终)?(?:倾向|极性|分类|判断|判定|结论|标签|情感|情绪|类别)(?:结果|分类|倾向)?"
    r"(?:\*\*)?(?:是|为|属于|：|:)|(?:判断|判定|归类|分类|认定|标注)(?:结果)?为",
    re.MULTILINE,
)
_SENTENCE = re.compile(r"[^。！!？?\n；;]+[。！!？?]?")
_LIST = r"[(（]?[A-Za-z][)）]?(?:\s?[、,，和与及]\s?(?:and )?[(（]?[A-Za-z][)）]?)*"
_RIGHT: Final = re.compile(
    r"(?:^|[，,：:\s]|只有|仅有?|因此|所以|故)(?:(?:只有|仅有?)?选项|只有|仅有?)?"
    rf"(?P<letters>{_LIST})\s?(?:选?项)?"
    r"(?:是|均|都|才|才是)?(?:唯一)?(?:正确|对)(?:的|答案|选项|说法)*\s*[。.!！]?\s*$"
)
_IS_RIGHT: Final = re.compile(
    r"(?:\*\*)?(?:(?:so|thus|therefore|hence|in conclusion),? )?(?:only )?"
    r"(?:option |choice |answer )?"
    rf"(?P<letters>{_LIST})\s(?:is|are)\s(?:the\s)?(?:only\s)?(?:correct|right)"
    r"(?:\s(?:answers?|options?|choices?|one))?\s*[.!]?(?:\*\*)?$",
    re.IGNORECASE,
)
_CAPITAL: Final = re.compile("[A-Z]")
_CONCLUDES: Final = re.compile(
    r"^\s*(?:\*\*)?(?:therefore|thus|hence|so|overall|in conclusion|consequently"
    r"|因此|所以|故|综上(?:所述)?|总之|总体(?:而言|来看)?)[，,：:\s]",
    re.IGNORECASE,
)
_DOUBT: Final = re.compile(
    r"\b(?:not|never|if|unless|whether|or|maybe|perhaps|could|might|may|doubt|but|however)\b"
    r"|n['’]t\b|[?？]|[或若吗]|如果|是否|可能|未必|不是|并非|没有|无法|未|但|不过",
    re.IGNORECASE,
)


def read_stated_choices(text: str, options: Mapping[str, str] | None = None) -> Reading[str]:
    """Read the letters that `text` states as its answer; `options` as in `read_choices`."""

    def read(clause: str) -> Reading[str]:
        return read_choices(clause, options)

    stated = read_statement(text, read, markers=_LETTER_MARKS, digits=False)
    if stated.value is not None or stated.fault == "ambiguous":
        return stated
    window = text[-WINDOW:].rstrip()
    if _LETTER_MARKS.search(window):
        return stated
    last = _last_sentence(window)
    right = _RIGHT.search(last) or _IS_RIGHT.match(last)
    if right is None or _DOUBT.search(last[right.start("letters") :]):
        return stated
    return read(right["letters"]) if _CAPITAL.search(right["letters"]) else stated


def read_stated_label(text: str, sets: Sequence[LabelSet]) -> Reading[str]:
    """Read the label of one of `sets` that `text` states as its answer."""

    def read(clause: str) -> Reading[str]:
        return read_word(clause, sets)

    stated = read_statement(text, read, markers=_LABEL_MARKS, digits=False)
    if stated.value is not None or stated.fault == "ambiguous":
        return stated
    window = text[-WINDOW:].rstrip()
    if _LABEL_MARKS.search(window):
        return stated
    last = _last_sentence(window).strip(" 。.!！*")
    if not _CONCLUDES.match(last):
        return stated
    return _ending(last, sets)


def _last_sentence(window: str) -> str:
    last = ""
    for sentence in _SENTENCE.finditer(window[-800:]):
        last = sentence[0] if sentence[0].strip() else last
    return last.strip()


def _ending(sentence: str, sets: Sequence[LabelSet]) -> Reading[str]:
    """Read the one label that ends a sentence which neither denies nor doubts it."""
    said = sentence.casefold()
    for words, finder in sets:
        found = list(finder.finditer(said))
        if not found:
            continue
        labels = {words.get("".join(match[0].split()), "") for match in found}
        rest = finder.sub("", said)
        if len(labels) != 1 or found[-1].end() != len(said) or _DOUBT.search(rest):
            return Reading(None, "ambiguous") if len(labels) > 1 else _NO_ANSWER
        return Reading(labels.pop() or None) if "" not in labels else _NO_ANSWER
    return _NO_ANSWER
