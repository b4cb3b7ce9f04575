"""Wrapping that carries no meaning: width of characters, LaTeX styles, Markdown, lead-in words."""

import re
import unicodedata

import regex

_SHORT = 2000  # characters
# NFKC sorts a run of combining marks, in quadratic time; 30 is the limit of UAX #15's Stream-Safe
# Text Format.
_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")
_STYLES = (
    r"\\(?:text(?:bf|it|rm|sf|tt|up|md|sc|normal)?|math(?:bf|it|rm|sf|normal)|mbox|boldsymbol|bm|pmb|bf|rm|operatorname"
    r"|u(?:nder)?line|fbox|framebox|emph)"
)
_STYLED = re.compile(_STYLES + r"\s?\{((?:[^{}]++|\{[^{}]*+\})*+)\}")
_STYLE = re.compile(rf"(?:{_STYLES}|\\left|\\right|\\displaystyle)(?![A-Za-z])")
_NOTHING = re.compile(r"\\[,!()\[\]]")  # thin spaces and math delimiters
_SPACE = re.compile(r"\\(?:[;: \\]|q?quad(?![A-Za-z]))")
# LaTeX's blank. Elsewhere a tilde means something: a range (`A~D`), about (`~5`), not (`~A`), or,
# twice, text that is struck out.
_TIE = re.compile(r"(?<=[,;:}])~(?!~)|(?<!~)~(?=[\\{])|(?<=[0-9])~(?=[A-Za-z])")
_ESCAPED = re.compile(r"\\([%$&#_{}])")
_BOLD = re.compile(r"(?<![0-9A-Za-z*])\*\*(?=\S)|(?<=\S)\*\*(?![0-9A-Za-z*])")  # 2**3 is a power
_COLOR = re.compile(
    r"\\(?:(?:text)?color|colorbox)\s?(?:\[[a-zA-Z]{1,9}\])?\s?\{[A-Za-z0-9!, .#]{1,40}\}"
)
_SIZE = re.compile(
    r"\\(?:tiny|scriptsize|footnotesize|small|normalsize|large|Large|LARGE|huge|Huge|bfseries"
    r"|itshape)(?![A-Za-z])\s?"
)
_COMMAND = re.compile(r"\\[A-Za-z]")
_BREAK = re.compile(r"(?:\\\\\s*)+$|\\!(?=,)|(?<=,)\\!")  # at the end; a negative thin space
_EMPHASIS = re.compile(
    r"(?<![0-9A-Za-z_])(_{1,2}|\*)(?=[^\s_*])([^_*]{1,200}?)(?<=[^\s_*])\1(?![0-9A-Za-z_])"
)
_MARKUP = str.maketrans("", "", "{}`\ufe0f")
_IN_FORMULAS = str.maketrans("", "", "`\ufe0f")
_FORMULA = re.compile(r"\\[A-Za-z]|[\^_]\{")
_NEEDS_CLEANING = re.compile(r"[\\{}`*_\s\ufe0f]")

QUOTES = "\"“”'‘’「」$"
"""What may stand around a whole answer: quotation marks, and the dollar signs of a formula."""

_PAIRS = frozenset({"$$", '""', "''", "“”", "‘’", "「」", "『』"})
_OPENING = frozenset(pair[0] for pair in _PAIRS)
_APART = re.compile(r"(?<=[0-9])\s+(?=[0-9])|(?<=[0-9][.,])\s+(?=[0-9])")
# NFKC would turn 10² into 102, 10₂ and 5① likewise, and 2½ into 21⁄2.
_SMALL = re.compile("[²³¹⁰⁴-⁹₀-₉①-⓿¼-¾⅐-⅞]")
_RAISED = re.compile("(?<=[0-9０-９])(?=[²³¹⁰⁴-⁹])")
_MERGED = re.compile("(?<=[0-9０-９])(?=[₀-₉①-⓿¼-¾⅐-⅞])")
_FINAL = ".。;,! \n"

_LEAD = re.compile(
    r"(?:the )?(?:correct |final )?(?:answer|option|choice)s?(?: is| are|:|=| |$)[ :=]*"
    r"|(?:正确|最终)?(?:答案|选项)(?:是|为|应为)?[ :=]*(?:选项?)?[ :]*"
    r"|(?:I )?(?:choose|select)(?: |$)(?:option )?"
    r"|(?:本题)?(?:故|应该?|因此)?(?:选择?)[ :]*",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    r"""Return `text` in NFKC without LaTeX styles, escapes and braces, Markdown and extra blanks.

    `\text{Ａ}`, `**A**` and `\left(A\right)` become `A`, `A` and `(A)`. LaTeX commands that carry
    meaning, such as `\frac`, stay, and with them all braces: `\frac{1}{23}` is not `\frac{12}{3}`.
    Runs of blanks become one blank, or one newline where they contain one. Of more than 30
    combining marks in a row the first 30 stay.
    """
    if len(text) > _SHORT:
        text = _MARKS.sub(r"\1", text)
    if not text.isascii():
        if _SMALL.search(text):
            text = _MERGED.sub("_", _RAISED.sub("^", text))
        text = unicodedata.normalize("NFKC", text)
    if "~" in text:
        text = _TIE.sub(" ", text)
    if not _NEEDS_CLEANING.search(text):
        return text
    if "\\" in text:
        text = undressed(text)
        bare = _STYLE.sub("", text)
        if _FORMULA.search(bare):
            bare = _STYLE.sub("", _STYLED.sub(r"\1", text))
        text = bare
        if "\\" in text:
            text = _NOTHING.sub("", text)
            text = _SPACE.sub(" ", text)
            text = _ESCAPED.sub(r"\1", text)
    if "**" in text:
        text = _BOLD.sub("", text)
    if "_" in text or "*" in text:
        text = _EMPHASIS.sub(r"\2", text)
    text = text.translate(_IN_FORMULAS if _FORMULA.search(text) else _MARKUP)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def undressed(text: str) -> str:
    r"""Return LaTeX without colours, sizes, negative spaces and a line break at its end.

    `\color{red}{C}`, `\Large C`, `C \\` and `C\checkmark` become `{C}`, `C`, `C ` and `C√`.
    """
    if "\\\\" in text or "\\!" in text:
        text = _BREAK.sub("", text)
    if _COMMAND.search(text):
        text = _SIZE.sub("", _COLOR.sub("", text) if "olor" in text else text)
    return text.replace("\\checkmark", "√")


def drop_lead(text: str) -> str:
    """Return `text` without a lead-in such as `答案是`, `故选` or `The answer is`.

    `text` must be `plain`. `不选A` keeps its words: a negation is not a lead-in.
    """
    match = _LEAD.match(text)
    return text[match.end() :] if match else text


def key(text: str) -> str:
    """Return the form in which two texts are compared.

    It is `plain` without case, final stop, and quotation marks around the whole; blanks stay
    between digits only.
    """
    return plain_key(plain(text))


def plain_key(text: str) -> str:
    """Return the `key` of a text that is `plain` already."""
    said = text.rstrip(_FINAL)
    if said[:1] in _OPENING:
        said = unquoted(unquoted(said))
    words = said.casefold().split()
    if len(words) < 2:
        return words[0] if words else ""
    if _APART.search(said):
        words = _APART.sub("\0", said).casefold().split()
    return "".join(words)


def unquoted(text: str) -> str:
    """Return `text` without a pair of quotation marks, or of dollar signs, around the whole."""
    return text[1:-1].rstrip(_FINAL) if text[:1] + text[-1:] in _PAIRS and len(text) > 1 else text
