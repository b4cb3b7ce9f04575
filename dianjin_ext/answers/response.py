"""The parts of a response: reasoning, answer, and what lies outside both."""

from typing import Final, Literal, NamedTuple

THINK, THINK_END = "<think>", "</think>"
ANSWER, ANSWER_END = "<answer>", "</answer>"

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


def split(text: str, think: ThinkPolicy = "auto") -> Response:
    """Split a response into its parts, in time linear in its length.

    Args:
        text: The response as the model wrote it, without the prompt.
        think: Whether the prompt already ended with `<think>`, so that the response begins inside
            the reasoning. `true`: it did. `false`: it did not. `auto`: it did if the response has
            a `</think>` and no `<think>`.

    When the layout has a fault, the reasoning is what stands before the last `</think>`, and the
    answer is the last answer block after it, closed or not, else all the text after it; without
    any think tag, it is looked for in the whole text. Text in a think block that was never closed
    is not an answer.
    """
    opens, closes = text.count(THINK), text.count(THINK_END)
    starts, ends = text.count(ANSWER), text.count(ANSWER_END)
    prefilled = think == "true" or (think == "auto" and opens == 0 and closes > 0)
    wanted = 0 if prefilled else 1
    if opens == wanted and closes == starts == ends == 1:
        before = 0 if prefilled else text.find(THINK)
        begin = 0 if prefilled else before + len(THINK)
        end = text.rfind(THINK_END)
        start = text.rfind(ANSWER)
        stop = text.rfind(ANSWER_END)
        if begin <= end < start < stop:
            thought = text[begin:end]
            outside = text[:before] + text[end + len(THINK_END) : start]
            outside += text[stop + len(ANSWER_END) :]
            fault: LayoutFault = ""
            if outside and not outside.isspace():
                fault = "outside_text"
            elif not thought or thought.isspace():
                fault = "empty_think"
            return Response(thought, text[start + len(ANSWER) : stop], outside, fault)
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
    return _salvage(text, prefilled, fault)


def _salvage(text: str, prefilled: bool, fault: LayoutFault) -> Response:
    before, tag, inside = ("", THINK, text) if prefilled else text.partition(THINK)
    thought: str | None
    thought, closed, rest = inside.rpartition(THINK_END)
    if not tag:  # no opening tag: what precedes a closing one is reasoning all the same
        thought, closed, rest = before.rpartition(THINK_END)
        before = ""
        if not closed:
            thought = None
    elif not closed:
        return Response(rest, None, before, fault)
    if THINK in rest:
        return Response(thought, None, before + rest, fault)
    between, tag, tail = rest.rpartition(ANSWER)
    if not tag:
        return Response(thought, rest if rest.strip() else None, before, fault)
    answer, _, after = tail.partition(ANSWER_END)
    return Response(thought, answer, before + between + after, fault)
