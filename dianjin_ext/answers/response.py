"""The parts of a response: reasoning, answer, and what lies outside both."""

from typing import Final, Literal, NamedTuple

from dianjin_ext.answers.tags import DIANJIN_R1, TAGS, Tags

ThinkPolicy = Literal["auto", "true", "false"]
THINK_POLICIES: Final[tuple[ThinkPolicy, ...]] = ("auto", "true", "false")

LayoutFault = Literal[
    "",
    "no_think",
    "empty_think",
    "no_answer",
    "repeated_tag",
    "order",
    "outside_text",
    "truncated",
]


_CHANNELS: Final = TAGS["channels"]


class Response(NamedTuple):
    """A response in its parts.

    Attributes:
        think: The reasoning; None when there is none.
        answer: The text that gives the answer; None when there is none.
        outside: Everything else but the tags.
        fault: The first thing wrong with the layout; empty when it is exactly one non-empty think
            block followed by one answer block with nothing but blanks around them. With a fault,
            the parts above are the best reading of what is there.
    """

    think: str | None
    answer: str | None
    outside: str
    fault: LayoutFault


def split(text: str, think: ThinkPolicy = "auto", tags: Tags = DIANJIN_R1) -> Response:
    """Split a response into its parts, in time linear in its length.

    Args:
        text: The response as the model wrote it, without the prompt.
        think: Whether the prompt already ended with the mark that opens the reasoning, so that the
            response begins inside it. `true`: it did. `false`: it did not. `auto`: it did if the
            response has a mark that closes the reasoning and none that opens it.
        tags: The marks of the layout. Where it has none for the answer, the answer is what follows
            the reasoning, and it must not be blank.

    When the layout has a fault, the reasoning is what stands before the last mark that closes it,
    and the answer is the last answer block after it, closed or not, else all the text after it;
    without any mark of reasoning, it is looked for in the whole text. Text in a block of reasoning
    that was never closed is not an answer.
    """
    if tags == _CHANNELS:
        text = _with_channels(text)
    opening, closing = tags.think
    opens, closes = text.count(opening), text.count(closing)
    prefilled = think == "true" or (think == "auto" and opens == 0 and closes > 0)
    wanted = 0 if prefilled else 1
    first, last = tags.answer or ("", "")
    starts = text.count(first) if first else 1
    ends = text.count(last) if last else 1
    if opens == wanted and closes == starts == ends == 1:
        before = 0 if prefilled else text.find(opening)
        begin = 0 if prefilled else before + len(opening)
        end = text.rfind(closing)
        after = end + len(closing)
        start = text.rfind(first) if first else after
        stop = text.rfind(last) if last else len(text)
        answer = text[start + len(first) : stop]
        if begin <= end < start < stop or (not last and begin <= end < start <= stop):
            thought = text[begin:end]
            outside = text[:before] + text[after:start] + text[stop + len(last) :]
            fault: LayoutFault = ""
            if outside and not outside.isspace():
                fault = "outside_text"
            elif not thought or thought.isspace():
                fault = "empty_think"
            elif not first and not answer.strip():
                return Response(thought, None, outside, "no_answer")
            return Response(thought, answer, outside, fault)
    if not opens and not prefilled:
        fault = "no_think"
    elif not closes or (starts and not ends):
        fault = "truncated"
    elif not starts:
        fault = "no_answer"
    elif opens > wanted or closes > 1 or starts > 1 or ends > 1:
        fault = "repeated_tag"
    else:
        fault = "order"
    return _salvage(text, prefilled, fault, tags)


def _with_channels(text: str) -> str:
    """Return gpt-oss's response without its last token, and with those that a decoder stripped."""
    opening, closing = _CHANNELS.think
    final = (_CHANNELS.answer or ("",))[0]
    text = text.removesuffix("<|return|>")
    if "<|channel|>" not in text and text.startswith("analysis"):
        thought, mark, answer = text.removeprefix("analysis").partition("assistantfinal")
        text = opening + thought + (closing + final + answer if mark else "")
    return text


def _salvage(text: str, prefilled: bool, fault: LayoutFault, tags: Tags) -> Response:
    opening, closing = tags.think
    before, tag, inside = ("", opening, text) if prefilled else text.partition(opening)
    thought: str | None
    thought, closed, rest = inside.rpartition(closing)
    if not tag:  # no opening tag: what precedes a closing one is reasoning all the same
        thought, closed, rest = before.rpartition(closing)
        before = ""
        if not closed:
            thought = None
    elif not closed:
        return Response(rest, None, before, fault)
    if opening in rest:
        return Response(thought, None, before + rest, fault)
    if tags.answer is None:
        return Response(thought, rest if rest.strip() else None, before, fault)
    first, last = tags.answer
    between, tag, tail = rest.rpartition(first)
    if not tag:
        return Response(thought, rest if rest.strip() else None, before, fault)
    answer, _, after = tail.partition(last) if last else (tail, "", "")
    return Response(thought, answer, before + between + after, fault)
