"""Words that doubt an answer, make it a condition, or take it back."""

import re
from typing import Final

from dianjin_ext.answers.markers import EXPLICIT, WINDOW

DOUBT: Final = re.compile(
    r"\b(?:not|cannot|if|unless|whether|wrong|incorrect|false|doubt|could|might|may"
    r"|unlikely|possibly|probably|presumably|guess(?:ing)?|unsure|nobody|naive|claim(?:s|ed)?|assume[sd]?|suppos(?:e|ing)|maybe|perhaps"
    r"|(?:some|many|most|others|people|students|they)(?: \w+){0,2}? (?:say|think|argue|conclude"
    r"|believe|guess|choose|pick|answer)"
    r"|(?:thought|believed|said|argued|tempt(?:ing|ed)) (?:that|to)|format is:?)\b|n['’]t\b"
    r"|不是|并非|错|如果|若|假设|假如|是否|有人|误以为|可能|也许|不能说|把握|怀疑|假定|[例比譬]如",
    re.IGNORECASE,
)
"""What makes the clause around it no statement."""

CONDITION: Final = re.compile(
    r"\b(?:if|unless|whether|doubt|unlikely|nobody|claim(?:s|ed)?|assume[sd]?|suppos(?:e|ing))\b"
    r"|如果|若|假[设如定]|是否|有人|有同学|[很许]多人|多数人|难道|误以为",
    re.IGNORECASE,
)
"""What makes the whole sentence around it no statement."""

# Where a sentence or an aside begins; `market correction` and 修正久期 take nothing back.
_BEGINS = r"(?:(?<![^\n.!?。！？，,;；:：—–*()（）}$-])\s*)"
_IT_IS = (
    r"(?:about |approximately |option |the |约|选项?)?[\s(（*$¥￥€£\\]*"
    r"(?:[-−]?[0-9]|(?-i:[A-G])(?![A-Za-z])"
)
RETRACTION: Final = re.compile(
    _BEGINS + r"(?:(?:actually|wait|hmm+|oops|sorry|(?<![?？] )no|correction)[,.:!…—–-]"
    r"|actually\b|wait\b(?! (?:for|and))|(?<![,;] )that (?:is|was) (?:wrong|incorrect)\b(?! for)"
    r"|(?:recalculat|recomput|reconsider|re-?check)\w*)"
    r"|\b(?:scratch that|on (?:second|further) thought|on reflection|my (?:mistake|bad|apologies)"
    r"|(?:let me|let['’]s) (?:re-?)?(?:check|comput|calculat|consider|verif|think|do)\w*"
    r"|i(?:['’]ll| will| need to| should| must| have to) (?:re-?)?(?:check|verif|consider)\w*"
    r"|(?:i(?:['’]ll| will| need to| should| must| have to)?|on|upon|after)"
    r" re-?(?:check|comput|calculat|consider|think|do)\w*|on checking"
    r"|i(?:['’]ve| have)? (?:made|misread|miscalculated|mistook|misunderstood|overlooked)"
    r"|i was (?:wrong|mistaken)|i (?:must|need to|should|have to) correct)\b"
    r"|\b(?:however|but)\b[^.\n]{0,120}?\b(?:comes? to|should be|must be|is actually|becomes?"
    rf"|would be|turns out(?: to be)?)\s{_IT_IS}(?! (?:if|when|because)))"
    r"|\b(?:however|but)\b(?:(?!\bnot\b|n['’]t\b)[^.\n]){0,80}?"
    r"\b(?:(?:is|are) (?:the )?(?:better|best|actual|right|true)\b(?! (?:if|when|because))"
    r"|the (?:better|best|correct|right|actual|true) (?:one|answer|option|choice|value|figure"
    r"|number|result) (?:is|are)\b)"
    rf"|{_BEGINS}(?:我|现|特此|在此|需要?|应)?(?:更正|纠正|修正)(?:一下|如下|[为：:，,。])"
    rf"|{_BEGINS}(?:等等|等一下|不对|错了|抱歉)[，,。！!：:…]"
    r"|重新(?:计算|检查|考虑|核算|审视|看|审题|分析)|重算|再(?:检查|算|想|看)[一了]|[算弄看搞]错|应改为|实际上应"
    r"|(?:计算|答案|结果|思路|理解|推理|[上前]述|[以上]上|上面|前面|刚才)[^，。\n]{0,8}(?:有误|不对|错误[，,。])"
    r"|(?:但|不过|然而)[^。\n]{0,60}?(?:应当?该?[取为是选改]|而应|需改|改[为选])[^。\n]{0,8}?"
    rf"{_IT_IS}|[一二三四五六七八九十百])",
    re.IGNORECASE,
)
"""What takes back an answer that stands before it."""


def taken_back(text: str) -> bool:
    """Whether what follows an answer takes it back, and marks no other."""
    window = text[:WINDOW]
    return bool(RETRACTION.search(window)) and not EXPLICIT.search(window)


def without_retraction(text: str) -> bool:
    """Whether a short text takes nothing back."""
    return RETRACTION.search(text[:WINDOW]) is None
