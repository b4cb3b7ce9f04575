"""What is done to a text before a judge sees it, and which answers it never sees.

The text of a model may hold whatever moves a judge: the tokens of a chat template, which a server
would read as the end of the message; tags that look like the ones around it; characters that
nobody sees. None of them carries the meaning of an answer.
"""

import re
import unicodedata
from typing import Final

from dianjin_ext.answers.text import key, plain

__all__ = ["clean", "says_nothing"]

_TAG = re.compile(r"[<＜﹤](?:(?=\s*[/|!?])|(?!\s|[\d.=]))")  # x < y, x<5 and x<=5 are no tags
_BRACKET = re.compile(r"\[(?=/?[A-Z_]{3,}\])")  # [INST], [/INST], [AVAILABLE_TOOLS]
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters, invisible ones (zero width, direction, tags), surrogates, private use.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co"})

_OPENERS: Final = frozenset(
    map(
        key,
        """
        thought process|thinking process|thoughts|let's think step by step|step by step
        let's solve this problem step by step|let me think|solution|the solution is|answer
        the answer is|final answer|the final answer is|reasoning|analysis|explanation
        解|解析|分析|答|答案|答案是|答案如下|最终答案|思考过程|推理过程|解题过程|解答|步骤
        让我们一步一步思考|让我们逐步思考|让我们一步步解决这个问题|综上所述|因此|所以
        かいせつ|respuesta|solución|lösung
        """.replace("\n", "|").split("|"),
    )
)


def clean(text: str) -> str:
    """Return `text` without unseen characters, and with `‹` and `⟦` in place of what opens tags.

    A letter, `/`, `|` and the like after `<` makes a tag; `a < b` and `x<5` keep their sign.
    """
    text = _BREAKS.sub("\n", text)
    text = "".join(
        char for char in text if char in "\n\t" or unicodedata.category(char) not in _UNSEEN
    )
    return _BRACKET.sub("⟦", _TAG.sub("‹", text)).strip()


def says_nothing(answer: str) -> bool:
    """Return whether an answer is blank, only symbols, or only the start of an answer.

    Such answers (`:`, `Thought process:`, `解`) are what judges are known to wave through ("One
    Token to Fool LLM-as-a-Judge", arXiv 2507.08794).
    """
    said = clean(answer)
    if not any(char.isalnum() for char in said):
        return True
    if "\n" not in said and said.endswith((":", "：")):
        return True
    return key(plain(said).rstrip(" :：.。…,，!！\n")) in _OPENERS
