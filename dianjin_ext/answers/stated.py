r"""Letters that prose states: `ANSWER: B`, `故选A。`, `只有选项C是对的`.

As with numbers (`dianjin_ext.answers.statement`), a marked answer counts before a conclusion, and
what is denied, doubted, taken back or said in two ways is none. Beside the markers there: `故选`,
`应选`, `本题选`, `正确选项是`, `正确的是`, `结论：`, `the correct option is`, `I choose`.

Without any of these, letters are also read

- from a last sentence that says of options only whether they are right (`B、C、D均错误，A正确`,
  `Option B is correct`), unless the question asks for what is wrong;
- from a first line, where the second says that it explains (`B`, `Explanation: …`).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from dianjin_ext.answers.choices import read_choices
from dianjin_ext.answers.doubt import taken_back
from dianjin_ext.answers.markers import EXPLICIT, WINDOW
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.statement import read_statement

_MARKS: Final = re.compile(
    EXPLICIT.pattern + r"|(?:^|(?<=\s))Answer\s[-–—]\s"
    r"|(?i:\b(?:correct|right|best|final|most appropriate)\s+(?:option|choice|response|selection)s?"
    r"(?:\s+(?:here|for this question))?\s*(?:is|are|would\s+be|should\s+be|:)[ \t]*"
    r"(?:options?\s+)?)|(?i:\bi(?:\s+would|\s+will|['’]d|['’]ll)?\s+(?:choose|select|pick|go\s+with)\s+(?:option\s+)?)"
    r"|(?<![不未没勿别非])(?:故|因此|所以|因而|从而|综上(?:所述)?|应当?|应该|[本该此]题|这道?题|最终|只能|可知|我的|我认为|我觉得"
    r"|可见|可得|可以?判断|答案|我|来看|[分解]析)[，,：:]?(?:我(?:认为|觉得)?|[本该此]题)?(?:应当?|应该|会|可)?(?<![不未没勿别非])"
    r"选(?:(?:择|取|出)(?:的是)?|的是|项?(?:为|是|：|:))?(?!项|[不错])"
    r"|(?P<denied>(?:下列|以下|哪|关于|叙述|题干)[^。\n]{0,60}?)?(?<![不未])(?:正确|符合题意|唯一正确)(?:的)?"
    r"(?:选项|答案|说法|项)?(?:应该?)?(?:是|为|：|:|有|只有|仅有)"
    r"|(?<![A-Za-z])(?:选项|答案)应?(?:是|为|：|:)|^选(?:择)?(?=\s?[(（]?[A-G])|结论(?:是|为|：|:)(?:选择?)?",
    re.MULTILINE,
)
_SENTENCE = re.compile(r"[^。！!？?\n]+[。！!？?]?")
_LETTER = r"[(（【]?[A-Z]{1,7}[)）】]?"
_LIST = rf"{_LETTER}(?:\s?[、,，和与及]\s?(?:and )?{_LETTER}| and {_LETTER})*"
_VERDICT: Final = re.compile(
    r"(?:因此|所以|故|综上(?:所述)?|可见|其中|而|则)?[，,：:]?\s?(?:只有|仅有?|唯有)?(?:选?项)?\s?"
    rf"(?P<letters>{_LIST})\s?(?:[两二三四五六]?[个]?选?项)?(?:的?(?:说法|表述|描述))?[也才]?[是均为都皆全部]{{0,2}}"
    r"(?:唯一)?(?:(?P<right>正确|对|符合题意)|不正确|不对|不符合题意|错误?)(?:的|答案|选项|说法|项)*"
    r"\s?(?:[，,；;。.!！]\s?|$)"
)
_IS_RIGHT: Final = re.compile(
    r"(?:\*\*)?(?i:(?:so|thus|therefore|hence|in conclusion|overall|clearly),? )?(?i:only |both )?"
    r"(?i:options? |choices? |answers? (?:choices? )?)?"
    rf"(?P<letters>{_LIST})\s(?:is|are)\s(?:both\s|all\s|therefore\s|thus\s)?(?:the\s)?"
    r"(?:only\s|single\s)?(?:correct|right|best|better)(?:\s(?:answers?|options?|choices?|ones?))?"
    r"\s*[.!]?(?:\*\*)?$"
)
_CLAUSE = re.compile(r"[，,：:；;\s]|(?=只有|因此|所以|故)")
_LONGEST, _MOST_CLAUSES = 400, 40
_DOUBT: Final = re.compile(
    r"\b(?:not|never|if|unless|whether|or|maybe|perhaps|could|might|may|doubt|but|however)\b"
    r"|n['’]t\b|[?？]|[或若吗]|如果|假设|是否|可能|未必|不是|并非|没有|无法|认为|多人|同学|但|不过",
    re.IGNORECASE,
)
_ASKS_WRONG: Final = re.compile(
    r"不正确|错误|不属于|不包括|不符合|除外|不是|有误|不恰当|不能|不对|\b(?:not|except|incorrect|false"
    r"|least)\b",
    re.IGNORECASE,
)
_EXPLAINED: Final = re.compile(
    r"\s*(?P<answer>[^\n]{1,200})\n\s*(?:\*\*|#{1,4} )?(?:explanation|reason(?:s|ing)?\b|rationale"
    r"|justification|because|confidence|解析|解释|理由|分析|原因)",
    re.IGNORECASE,
)
_SECOND: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])[^，,。]{0,12}?(?:(?<!不)(?<!未必)正确|也|亦|\b(?:right|correct"
    r"|also|too|as well)\b)|^\W*(?:then |and )?[A-Z](?![A-Za-z0-9'’])[^A-Za-z错误不扰]*$"
)
_ARTICLE = re.compile(r"(?:an?|the) (?=\w{3})", re.IGNORECASE)
_LINE_LETTER = re.compile(r"\s*(?:\*\*|[-*] )?[(（]?[A-Z][.．、:：)）]")


def read_stated_choices(
    text: str, options: Mapping[str, str] | None = None, question: str = ""
) -> Reading[str]:
    """Read the letters that `text` states as its answer.

    Args:
        text: The answer of a response, in prose.
        options: As in `read_choices`.
        question: The question, where it is known.
    """

    def read(clause: str) -> Reading[str]:
        reading = read_choices(clause, options)
        if reading.fault == "no_answer" and options and (article := _ARTICLE.match(clause)):
            return read_choices(clause[article.end() :], options)
        return reading

    def second(rest: str) -> bool:
        return bool(_SECOND.search(rest)) or read(rest.strip(" ,，;；。.")).value is not None

    window = text[-WINDOW:].rstrip()
    marks = list(_MARKS.finditer(window))
    if marks and (listed := _lines(window[marks[-1].end() :], read)):
        return _joined(listed, options)
    stated = read_statement(text, read, markers=_MARKS, second=second)
    if stated.value is not None:
        after = window[marks[-1].end() :] if marks else ""
        return Reading(None, "ambiguous") if _says_another(after, stated.value, read) else stated
    if stated.fault == "ambiguous" or marks:
        return stated
    right = _verdict(_last_sentence(window), bool(_ASKS_WRONG.search(question)))
    if right:
        return read(right)
    first = _EXPLAINED.match(text) if len(text) <= WINDOW else None
    if first is None or taken_back(text[first.end("answer") :]):
        return stated
    answer = read(first["answer"])
    if answer.value and not _says_another(text[first.end() :], answer.value, read):
        return answer
    return stated


def contradicts(later: str, letters: str, options: Mapping[str, str] | None = None) -> bool:
    """Whether what follows an answer states other letters, or takes it back."""
    if not later or later.isspace():
        return False
    stated = read_stated_choices(later, options) if _MARKS.search(later[-WINDOW:]) else None
    if stated is not None and stated.value not in (None, letters):
        return True
    return _says_another(later[-WINDOW:], letters, lambda clause: read_choices(clause, options))


def _lines(after: str, read: Callable[[str], Reading[str]]) -> list[str]:
    """Return the letters of the lines below a marker, each an option, if they are several."""
    head, _, rest = after.partition("\n")
    found: list[str] = []
    for line in rest.split("\n") if not head.strip(" *:：") else ():
        if not line.strip():
            continue
        letter = read(line.strip(" *-")).value if _LINE_LETTER.match(line) else None
        if letter is None or len(letter) != 1:
            break
        found.append(letter)
    return found if len(found) > 1 else []


def _joined(letters: list[str], options: Mapping[str, str] | None) -> Reading[str]:
    """Read letters, one a line, as one answer, unless they are just all options."""
    every = len(options) if options else 3
    if len(set(letters)) < len(letters) or len(letters) >= every:
        return Reading(None, "ambiguous")
    return Reading("".join(sorted(letters)))


def _says_another(after: str, stated: str, read: Callable[[str], Reading[str]]) -> bool:
    """Whether a sentence behind the answer says that other letters are right."""
    for sentence in _SENTENCE.finditer(after.replace(". ", ".\n")):
        right = _IS_RIGHT.match(sentence[0].strip())
        if right and read(right["letters"]).value not in (None, stated):
            return True
    return False


def _last_sentence(window: str) -> str:
    last = ""
    for sentence in _SENTENCE.finditer(window[-800:]):
        last = sentence[0] if sentence[0].strip() else last
    return last.strip()


def _verdict(sentence: str, asks_wrong: bool) -> str:
    """Return the letters that a sentence calls right, as a list; nothing if it says anything else.

    Where the question asks for what is wrong, an option that is called right is no answer to it.
    """
    english = _IS_RIGHT.match(sentence)
    if english:
        return "" if asks_wrong else english["letters"]
    if len(sentence) > _LONGEST:
        return ""
    for clause in [0, *(mark.end() for mark in _CLAUSE.finditer(sentence))][:_MOST_CLAUSES]:
        right = _verdicts(sentence, clause)
        if right is None:
            continue
        if (asks_wrong and "符合题意" not in sentence) or _DOUBT.search(sentence[:clause]):
            return ""
        return "、".join(right)
    return ""


def _verdicts(sentence: str, start: int) -> list[str] | None:
    """Return what is called right from `start` to the end; None where anything else is said."""
    right = []
    while start < len(sentence):
        verdict = _VERDICT.match(sentence, start)
        if verdict is None:
            return None
        right += [verdict["letters"]] if verdict["right"] else []
        start = verdict.end()
    return right or None
