"""What marks an answer in prose, whose answer it then is, and where such marks are looked for."""

import re
from typing import Final

WINDOW: Final = 4000
"""Characters at the end of a text in which its statement is looked for."""

EXPLICIT: Final = re.compile(
    # without a leading \b and IGNORECASE, `re` skips to the first characters at once
    r"[Aa](?:nswer|NSWER)(?:[sS]\b)?(?i:\s+to\s+(?:the|this)\s+(?:question|problem))?[\]】]?"
    r"\s*(?:\*\*|__)?"
    r"(?:(?i:is|are|was|would\s+be|will\s+be|should\s+be|must\s+be|equals)\b:?|[:=：])"
    r"|(?P<field>[\"'](?:(?:final|correct|predicted)[_ ]?)?"
    r"(?:[Aa]nswer|label|sentiment|choice|option|verdict|classification|prediction|答案|情绪|结论)"
    r"[\"']\s?[:：]\s?)"
    r"|(?P<line>(?m:^)\s{0,3}####[ \t]*(?=[^#\n]*$))"
    r"|(?:#\s?|\*\*|(?m:^))(?:[Ff]inal |最终)?(?:[Aa]nswer|答案)(?:\*\*)?[ \t]*\n"
    r"|答案\s*(?:\*\*)?(?:[是为:：=]|应[是为该]+|[】\]]\s?[:：]?|(?=约|大约))|答(?<![回问解]答)[:：]",
    re.MULTILINE,
)
"""What marks an answer of any kind."""

CONCLUSION: Final = re.compile(
    r"\b(?:therefore|thus|hence|so|in\s+conclusion|consequently)\b"
    r"|因此|所以|(?<!事)故(?![事障])|综上(?:所述)?",
    re.IGNORECASE,
)
"""What a sentence that concludes begins with."""

# Whose answer it is, or which: only one that the text makes its own counts.
_OWN = re.compile(
    r"(?:^|[^A-Za-z'’])(?:the|final|correct|right|best|closest|nearest|my|our|its?|this|so|thus|hence"
    r"|therefore|and|or|single|only|numeric(?:al)?|exact|approximate|rounded|resulting|computed"
    r"|calculated|short|brief|direct|main|overall|full|desired|required|requested|i|i['’]d|i would"
    r"|me|we|will|to"
    r"|can|nthe|then|now"
    r"|(?:question|problem)['’]s|(?:(?<!least )(?<!less )(?:appropriate|accurate|suitable)))\s*$",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"[A-Za-z]['’]?[A-Za-z]*[ \t]*\Z")
_WRONG = re.compile(r"(?:wrong|incorrect|false|likely|possible|tempting|other)\s*$")
_OTHERS = re.compile(
    r"(?:学生|同学|考生|[错有]误|你|您|他|她|对方|用户|网友|原|原来|旧|之前|先前|此前|初步|初始|常见"
    r"|不正确|不对|[上下另]一?题|其他题|格式[：:是为]\s*|迷惑性?|干扰|甲|乙|小[一-鿿])(?:们)?的?(?:给出的|写的|选的)?(?:最终|正确)?$"
    r"|(?<!question)(?<!problem)['’]s (?:\w+ )?$",
)


def is_others(window: str, mark: re.Match[str]) -> bool:
    """Whether a marker speaks of somebody else's answer, or of a wrong or possible one."""
    before = window[max(0, mark.start() - 30) : mark.start()]
    if mark[0][0] in "aA":
        word = _WORD_BEFORE.search(before)
        if word and mark[0][0] == "A" and word[0][0].islower() and not _WRONG.search(before):
            word = None  # `… so that is it ANSWER: B`
        return bool((word and not _OWN.search(before)) or _OTHERS.search(before))
    return mark[0][0] in "答" and bool(_OTHERS.search(before))
