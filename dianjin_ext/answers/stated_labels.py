"""Labels that prose states: `Sentiment: Bullish`, 情绪为利空, `The tweet is bullish.`.

As with letters (`dianjin_ext.answers.stated`), with markers of their own: `Sentiment:`, `the
sentiment of this tweet is`, 情绪为, 结论：, 判断：. Without any, a label is read from a last
sentence that ends in it and concludes (`Therefore`, 因此), or speaks of the text that is judged
(`The tweet is`, 该行为). Reasons for the label may follow it there: `is neutral, as it names no …`.
"""

import re
from collections.abc import Sequence
from typing import Final

from dianjin_ext.answers.doubt import CONDITION
from dianjin_ext.answers.labels import TAKEN_BACK, LabelSet, read_word
from dianjin_ext.answers.markers import EXPLICIT, WINDOW
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.statement import read_statement
from dianjin_ext.answers.text import plain

_MARKS: Final = re.compile(
    EXPLICIT.pattern
    + r"|(?:(?P<denied>(?i:\b(?:previous|prior|earlier|initial|original|former|old|past|likely)\s)"
    r"|(?:不|未|无法|难以?|没有?|别|勿|原|旧|此前|之前)[^，。；：:\n]{0,8}?))?"
    r"(?:(?i:\b(?:sentiment|label|verdict|judge?ment|conclusion|classification|polarity|stance|category"
    r"|class)(?:\s+(?:expressed|conveyed|shown|reflected))?"
    r"(?:\s+(?:of|for|in|by|towards?)\s+(?:the|this|that)\s+[\w ]{1,40}?)?"
    r"(?:\*\*|__)?\s*(?:is|would\s+be\s+classified\s+as|:|：|=)(?:\*\*|__)?)"
    r"|(?i:\b(?:classif(?:y|ied)|labell?(?:ed)?|judged|rated?|categori[sz]ed?)\s+(?:it\s+|this\s+)?as)"
    r"|(?i:\b(?:label|rate|call)\s+(?:it|this)\s)"
    r"|(?:情感|情绪|市场|最终)?(?:倾向|极性|分类|判断|判定|结论|标签|情感|情绪|类别)(?:结果|分类|倾向)?"
    r"(?:\*\*)?(?:是|为|属于|：|:)|(?:判断|判定|归类|分类|认定|标注)(?:结果)?为"
    r"|【(?:情绪|情感|结论|判断|标签|分类)】[:：]?)",
    re.MULTILINE,
)
_SENTENCE = re.compile(r"[^。！!？?\n；;]+[。！!？?]?")
_CONCLUDES: Final = re.compile(
    r"\s*(?:\*\*)?(?:(?:therefore|thus|hence|so|overall|in conclusion|consequently)\b"
    r"|因此|所以|故|综上(?:所述)?|总之|总体(?:而言|来看)?)",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"\s*(?:\*\*)?(?:(?:the|this)\s(?:overall\s|general\s)?(?:tweet|text|post|news|statement|headline|article"
    r"|message|sentence|content|tone|conversation|dialogue|response|reply|behaviou?r)\b"
    r"|(?:该|这|此|本)(?:条|则|篇|段|次|项|名|位)?(?:对话|新闻|推文|消息|文本|行为|客服|坐席|回答|事件|公告"
    r"|内容|语气|话术|回复|句话|表述))",
    re.IGNORECASE,
)
_NOUN: Final = re.compile(
    r"的?(?:消息|新闻|情[绪感]|倾向|信号|态度|行为)?$"
    r"|\s(?:sentiment|tone|outlook|view|news|signal|stance|message|one)$"
)
_DOUBT: Final = re.compile(
    r"\b(?:not|never|no|nobody|nor|neither|none|if|unless|whether|or|maybe|perhaps|could|might|may|doubt"
    r"|but|however|hardly|barely|scarcely|rarely|seldom|less|far from|anything|seems?|appears?"
    r"|without|lack\w*|fail\w*|unable|cannot|than|almost|nearly|partly|partially|mixed|some|used to"
    r"|opposite|wrong|false|deny|denies|denied)\b|n['’]t\b"
    r"|[?？或若吗不没无未非勿难违反疑缺]|如果|是否|可能|但|似乎|看似|表面|部分|几乎|接近|认为|多人",
    re.IGNORECASE,
)
_REASON: Final = re.compile(
    r"[,，]?\s?(?:\b(?:as|because|since|given that|suggesting|indicating|reflecting|expressing"
    r"|conveying|implying)\b(?!\s(?:long as|if|of))|因为|由于)",
    re.IGNORECASE,
)
_OTHERS_SAY: Final = re.compile(
    r"\b(?:some|many|most|others|people|they|analysts|critics)\b.{0,20}\b(?:say|think|believe|argue)",
    re.IGNORECASE,
)
_CONTRAST: Final = re.compile(r"但|不过|然而|\b(?:but|however)\b", re.IGNORECASE)


def read_stated_label(text: str, sets: Sequence[LabelSet]) -> Reading[str]:
    """Read the label of one of `sets` that `text` states as its answer."""

    def read(clause: str) -> Reading[str]:
        return read_word(clause, sets)

    def second(rest: str) -> bool:
        other = read(rest)
        return other.value is not None or other.fault == "ambiguous" or ";" in rest or "；" in rest

    window = text[-WINDOW:].rstrip()
    stated = read_statement(text, read, markers=_MARKS, second=second)
    marks = list(_MARKS.finditer(window))
    if stated.value is not None:
        line = window[marks[-1].end() :].split("\n", 1)[0] if marks else ""
        contrast = _CONTRAST.search(line)
        others = _labels(line[contrast.end() :], sets) - {stated.value} if contrast else set()
        return Reading(None, "ambiguous") if others else stated
    if stated.fault == "ambiguous" or marks:
        return stated
    last = ""
    for sentence in _SENTENCE.finditer(window[-800:]):
        last = sentence[0] if sentence[0].strip() else last
    return _ending(plain(last).strip(" 。.!！*"), sets)


def contradicts(later: str, label: str, sets: Sequence[LabelSet]) -> bool:
    """Whether what follows an answer marks another label."""
    if not later or later.isspace() or not _MARKS.search(later[-WINDOW:]):
        return False
    return read_stated_label(later, sets).value not in (None, label)


def _ending(sentence: str, sets: Sequence[LabelSet]) -> Reading[str]:
    """Read the one label that ends a sentence which concludes, and neither denies nor doubts it."""
    clause = re.split("[，,]", sentence)[-1]
    if _CONCLUDES.match(clause):
        sentence = clause
    elif not _CONCLUDES.match(sentence) and not _SUBJECT.match(sentence):
        return Reading(None, "no_answer")
    found = _labels(sentence, sets)
    if len(found) > 1:
        return Reading(None, "ambiguous")
    said = _NOUN.sub("", _without_reason(sentence.casefold(), sets))
    for _, finder in sets:
        marks = list(finder.finditer(said))
        if marks and marks[-1].end() == len(said) and not _DOUBT.search(finder.sub("", said)):
            return Reading(found.pop())
    return Reading(None, "no_answer")


def _without_reason(sentence: str, sets: Sequence[LabelSet]) -> str:
    """Cut off the reason that follows the first label, unless it makes the label a condition."""
    starts = [mark.end() for _, finder in sets if (mark := finder.search(sentence))]
    reason = _REASON.search(sentence, min(starts)) if starts else None
    if reason is None:
        return sentence
    rest = sentence[reason.end() :]
    doubtful = TAKEN_BACK.search(rest) or CONDITION.search(rest) or _OTHERS_SAY.search(rest)
    return sentence if doubtful else sentence[: reason.start()]


def _labels(said: str, sets: Sequence[LabelSet]) -> set[str]:
    said = said.casefold()
    return {
        words.get("".join(match[0].split()), "")
        for words, finder in sets
        for match in finder.finditer(said)
    }
