r"""What other models and samplers leave in a response, for reading it leniently.

- Marks of reasoning (`<thinking>`, `<seed:think>`, `◁think▷`, `[THINK]`, the channels of gpt-oss,
  also with their tokens stripped) become those of the layout that is read. A mark in backticks or
  quotation marks is only mentioned.
- Marks of an answer (`<|begin_of_box|>`, `\fbox`, where no `\boxed` is) become `\boxed`.
- A response ends at the first token that ends one, or that begins another turn. A text that goes on
  with a next question, or as somebody else, ends there: models make up whole conversations.
"""

import re
from itertools import islice
from typing import Final

from dianjin_ext.answers.tags import TAGS, Tags

_END: Final = re.compile(
    r"<\|(?:im_end|im_start|eot_id|eot|eom_id|end_of_text|endoftext|return|user|endofturn"
    r"|start_header_id|end_of_turn|observation)\|>"
    r"|</s>|<end_of_turn>|<start_of_turn>|<eos>|<EOS>|\[EOS\]|\[/?INST\]|<pad>|<\|pad\|>|\[PAD\]"
    r"|<[｜|](?:end[▁_]of[▁_]sentence|User|Assistant)[｜|]>|<\|start\|>(?=user|system|developer)"
)
# Some models break their own turn with tokens that name no role.
_SEAM: Final = re.compile(r"(?:<\|im_end\|>\s?)?<\|im_start\|>(?=\s?\n)")
_ODD: Final = re.compile(r"[<◁]|\[/?(?:THINK|INST|EOS|PAD)")
_END_HINTS: Final = (
    *("<|", "<｜", "</s>", "_of_turn>", "[INST]", "[/INST]", "[EOS]", "<eos>", "<EOS>"),
    *("<pad>", "[PAD]"),
)
_BEGIN: Final = re.compile(
    r"(?:\s|<s>|<bos>|<\|(?:begin_of_text|startoftext)\|>|<[｜|]begin[▁_]of[▁_]sentence[｜|]>"
    r"|<[｜|]Assistant[｜|]>|<\|im_start\|>(?!user|system)(?:assistant)?|<\|assistant\|>|<start_of_turn>model"
    r"|<\|start_header_id\|>assistant<\|end_header_id\|>|<\|start\|>assistant(?=<\|channel\|>))+"
)
_NEXT_TURN: Final = re.compile(
    r"\n(?P<blanks>\s{0,200}+)(?:\*\*|#{1,6} )?"
    r"(?:(?:Next )?(?P<question>Question|Problem|Query|下一题|问题|题目|问)\s?[0-9]{0,3}"
    r"|Human|User|用户|Instruction)(?:\*\*)?\s?[:：]",
    re.IGNORECASE,
)
_LONGEST_BEGIN: Final = 500  # characters
_MOST_MARKS: Final = 20_000
"""Brackets; a text with more has no marks but those of the layout."""

# Behind the first character, so that `re` skips to it at once.
_NOT_MENTIONED = r"(?<![`\"'“‘「].)"
_WORDS = r"think|thinking|thought|thoughts|reasoning|[a-z]{1,12}:think(?:ing)?"
_OPEN: Final = re.compile(
    rf"<{_NOT_MENTIONED}(?:(?:{_WORDS})>|\|begin_of_thought\|>|\|START_THINKING\|>)"
    rf"|◁{_NOT_MENTIONED}think▷|\[{_NOT_MENTIONED}THINK\]",
    re.IGNORECASE,
)
_CLOSE: Final = re.compile(
    rf"<{_NOT_MENTIONED}(?:/(?:{_WORDS})>|\|end_of_thought\|>|\|END_THINKING\|>)"
    rf"|◁{_NOT_MENTIONED}/think▷|\[{_NOT_MENTIONED}/THINK\]",
    re.IGNORECASE,
)
_FOREIGN: Final = re.compile(  # a quick look whether there is anything to do
    r"[<\[◁](?:/?[A-Za-z]{0,12}:?(?:think|thought|reasoning)|\|(?:begin|end|START|END|channel)"
    r"|/?THINK)",
    re.IGNORECASE,
)
_CHANNEL: Final = re.compile(
    r"(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>(\w{1,20})[^<]{0,60}<\|message\|>"
)
_STRIPPED: Final = re.compile(r"\s*analysis(?=[A-Z\W一-鿿])")
_FINAL: Final = re.compile(r"assistant\s?(?:<\|channel\|>)?final(?:<\|message\|>)?|assistantfinal")
_SOLUTION: Final = re.compile(r"<\|(?:begin|end)_of_solution\|>|<\|(?:START|END)_RESPONSE\|>")
_BOX_BEGIN: Final = "<|begin_of_box|>"
_BOX_END: Final = "<|end_of_box|>"
_FRAME: Final = re.compile(r"\\f(?:rame)?box\s*(?=\{)")


def _brackets(text: str) -> int:
    return text.count("<") + text.count("[") + text.count("◁")


def is_plain(answer: str) -> bool:
    """Whether the answer of a layout without a fault has no mark or token of others."""
    return _ODD.search(answer) is None


def without_tokens(text: str) -> str:
    """Return a response without the tokens that begin it, and up to the first that ends it."""
    if _brackets(text) > _MOST_MARKS:
        return text
    if text[:1] in "<\n ":
        begin = _BEGIN.match(text, 0, _LONGEST_BEGIN)
        if begin is not None and begin[0].strip():
            text = text[begin.end() :]
    if "<|im_start|>" in text:
        text = _SEAM.sub("\n", text)
    end = _END.search(text) if any(hint in text for hint in _END_HINTS) else None
    return text if end is None else text[: end.start()]


def with_marks(text: str, tags: Tags) -> str:
    """Return a response with the marks of `tags` in place of other models' marks of reasoning."""
    stripped = _STRIPPED.match(text)
    if stripped is not None:
        return _as_channels(text[stripped.end() :], tags)
    if _brackets(text) > _MOST_MARKS or not _FOREIGN.search(text):
        return text
    if "<|channel|>" in text and tags != TAGS["channels"]:
        text = _from_channels(text, tags)
    opening, closing = tags.think
    if not opening.startswith("<|"):
        text = _CLOSE.sub(lambda _: closing, _OPEN.sub(lambda _: opening, text))
    return _SOLUTION.sub("", text)


def _as_channels(text: str, tags: Tags) -> str:
    """Return the channels of gpt-oss, their tokens stripped, as one block of reasoning."""
    opening, closing = tags.think
    final = None
    for match in _FINAL.finditer(text):
        final = match
    if final is None:
        return opening + text
    answer = text[final.end() :]
    start, end = tags.answer or ("", "")
    said = start + answer + end if not end or end not in answer else answer
    return opening + text[: final.start()] + closing + said


def _from_channels(text: str, tags: Tags) -> str:
    """Return a response in channels as one block of reasoning and what the final channel says."""
    opening, closing = tags.think
    marks = list(_CHANNEL.finditer(text))
    if not marks:
        return opening + text
    last = marks[-1]
    if last[1] != "final":
        return opening + text[marks[0].end() :]
    thought = text[marks[0].end() : last.start()] if len(marks) > 1 else " "
    return opening + _CHANNEL.sub("\n", thought) + closing + text[last.end() :].split("<|end|>")[0]


def first_turn(answer: str) -> str:
    """Return an answer up to where the model goes on with a question of its own."""
    if "\n" in answer and (":" in answer or "：" in answer):
        begin = len(answer) - len(answer.lstrip())
        for turn in islice(_NEXT_TURN.finditer(answer, begin), 200):
            if not turn["question"] or "\n" in turn["blanks"]:
                return answer[: turn.start()]
    return answer


def with_boxes(answer: str) -> str:
    r"""Return an answer with `\boxed` in place of other marks of the answer."""
    begin, end = answer.rfind(_BOX_BEGIN), answer.rfind(_BOX_END)
    if 0 <= begin < end:
        content = answer[begin + len(_BOX_BEGIN) : end]
        answer = f"{answer[:begin]}\\boxed{{{content}}}{answer[end + len(_BOX_END) :]}"
    if "box" in answer and "\\boxed" not in answer:
        answer = _FRAME.sub(lambda _: "\\boxed", answer)
    return answer
