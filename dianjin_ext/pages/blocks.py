"""What a document is made of, before it is Markdown or HTML: sections of tables, texts, samples.

Both files are written from the same blocks, so that they say the same. Words of ours are there in
two languages; a plain `str` is data, the same in both. Neither may hold markup: whoever writes a
file escapes both.
"""

from collections.abc import Sequence
from typing import NamedTuple

from dianjin_ext.questions.question import Language


class Words(NamedTuple):
    """A text of ours."""

    en: str
    zh: str


Text = str | Words


class Code(NamedTuple):
    """A name as it stands in files and commands."""

    code: str


class Share(NamedTuple):
    """A bar.

    Attributes:
        value: How much of it is full, from 0 to 1.
        text: What stands beside it.
        low: Where its interval begins; None without one.
        high: Where it ends.
    """

    value: float
    text: str
    low: float | None = None
    high: float | None = None


Cell = Text | Code | Share | int | None


class Table(NamedTuple):
    """A table; a cell of None is empty."""

    columns: Sequence[Text]
    rows: Sequence[Sequence[Cell]]


class Figures(NamedTuple):
    """A few numbers that are read first, each with what it is."""

    of: Sequence[tuple[Text, Cell]]


class Prose(NamedTuple):
    """A paragraph."""

    text: Text


class Mind(NamedTuple):
    """What a reader must know, most important first."""

    points: Sequence[Text]


class Example(NamedTuple):
    """One row in full.

    Attributes:
        title: What it is.
        about: Its name and numbers.
        parts: Its texts, each with what it is.
        good: Whether it is a good one; decides how it looks.
    """

    title: Text
    about: Text
    parts: Sequence[tuple[Text, str]]
    good: bool


class Bars(NamedTuple):
    """Bars that are compared, in groups.

    Attributes:
        groups: Of each group its name and its bars, each with its name.
    """

    groups: Sequence[tuple[Text, Sequence[tuple[Text, Share]]]]


class Chart(NamedTuple):
    """Curves over one axis.

    Attributes:
        title: What they show.
        x: What the axis counts.
        series: Of each curve its name and its points, sorted by x. Only finite numbers.
        shares: Whether the values are shares, from 0 to 1, and are shown as per cent.
        logarithmic: Whether the axis is; its values are positive then.
    """

    title: Text
    x: Text
    series: Sequence[tuple[Text, Sequence[tuple[float, float]]]]
    shares: bool = False
    logarithmic: bool = False


class Charts(NamedTuple):
    """Charts side by side."""

    of: Sequence[Chart]


class Listing(NamedTuple):
    """A long text that few read, such as settings."""

    title: Text
    text: str


class Folded(NamedTuple):
    """A table that few read, under its title."""

    title: Text
    table: Table


Block = Table | Folded | Figures | Prose | Mind | Example | Listing | Bars | Charts


class Section(NamedTuple):
    """A part of a document under its own heading."""

    name: str
    title: Words
    blocks: Sequence[Block]


class Page(NamedTuple):
    """A whole document.

    Attributes:
        title: Its name.
        about: What it is of, in a sentence.
        language: What the page is read in at first.
        sections: In the order of reading.
    """

    title: Text
    about: Text
    language: Language
    sections: Sequence[Section]


def say(text: Text, language: Language) -> str:
    """Return a text in a language."""
    if isinstance(text, Words):
        return text.zh if language == "zh" else text.en
    return text
