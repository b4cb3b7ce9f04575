r"""Numbers as they are typeset, in plain notation.

`\frac{3}{4}`, `1{,}234`, `5\,\%`, `\text{5 million}`, `1.2 \times 10^{-3}`, `５％`, `−5` and
`**5**` become `3/4`, `1,234`, `5%`, `5 million`, `1.2 ×10^-3`, `5%`, `-5` and `5`.
"""

import re
import unicodedata

from dianjin_ext.answers.text import undressed

_PLAIN = re.compile(r"[0-9.,%+() -]*")
_DASHES = str.maketrans(dict.fromkeys("−–—﹣‐‑‒―", "-") | dict.fromkeys("∼～", "~"))
# NFKC would turn 10³ into 103, ② into 2, ½ into 1⁄2 and ㏠ into 1日.
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_POWER = re.compile(rf"([×x*·]\s?10)([{_SUPERSCRIPTS}]+)")
_POWER_DIGITS = str.maketrans(_SUPERSCRIPTS, "0123456789+-")
_VULGAR = re.compile("[¼-¾⅐-⅞]")
_CHANGED_BY_NFKC = re.compile("[²³¹⁰ⁱ⁴-⁾₀-₎①-⓿㉈-㋿㍘-㏿🄀-🄊]")

_BRACED = r"\{\s*([^{}]*?)\s*\}"
_FRACTION = re.compile(rf"\\[cdt]?frac\s*(?:{_BRACED}|([0-9]))\s*(?:{_BRACED}|([0-9]))")
_EMPHASIS = re.compile(r"(_{1,2})([^_]+)\1")
_STYLE = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|up|md|normal)?|math(?:bf|it|rm|sf|normal)?|mbox|boldsymbol|bm|bf|rm"
    r"|left|right|displaystyle|operatorname|underline|fbox|framebox|emph)(?![A-Za-z])"
)
_THIN = re.compile("(?<=[0-9])(?:\\\\[,;:]|\u2009|\u202f)(?=[0-9]{3}(?![0-9]))")
_TIE = re.compile(r"(?<=\})~(?!~)|(?<=[0-9])~(?=\\?[A-Za-z%])")  # elsewhere: a range, or about
_SPACE = re.compile(r"\\(?:[,;: \\]|q?quad(?![A-Za-z]))")
_COMMANDS = {
    **{r"\times": "×", r"\cdot": "·", r"\approx": "≈", r"\simeq": "≈", r"\sim": "~"},
    **{r"\pounds": "£", r"\yen": "¥", r"\euro": "€", r"\permil": "‰", r",\!": ","},
    **{r"\(": " ", r"\)": " ", r"\[": " ", r"\]": " ", r"\%": "%"},
}
_COMMAND = re.compile("|".join(re.escape(c) + "(?![A-Za-z])" * c[-1].isalpha() for c in _COMMANDS))
_MATH = re.compile(r"\$([^$]*)\$(?![0-9.])")
_DOLLAR = "\uf8ff"  # stands for `\$` while `$` may still open a formula
_STRESSED = re.compile(r"(?<![\w*])(\*\*?|`)([^*`]+)\1(?![\w*])")
_BRACED_DIGITS = re.compile(r"(?<=[0-9])[{}]+(?=[0-9])")  # `{1}{2}`, which may mean anything


def plain_number(text: str) -> str | None:
    """Return `text` in plain notation, or None where a superscript or a footnote would be lost."""
    if _PLAIN.fullmatch(text):
        return text.strip()
    if not text.isascii():
        text = _POWER.sub(lambda m: f"{m[1]}^{m[2].translate(_POWER_DIGITS)}", text)
        text = _VULGAR.sub(lambda m: f" {_nfkc(m[0]).replace('⁄', '/')} ", text)
        if _CHANGED_BY_NFKC.search(text):
            return None
        text = _nfkc(_THIN.sub(",", text).translate(_DASHES)).translate(_DASHES)
    if "\\" in text or "{" in text or "$" in text:
        text = _from_latex(text)
    if "*" in text or "`" in text:
        text = _STRESSED.sub(r"\2", text)
    if text[:1] == "_" and (emphasis := _EMPHASIS.fullmatch(text.strip())):
        text = emphasis[2]
    return " ".join(text.split())


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _from_latex(text: str) -> str:
    text = undressed(text).replace("{,}", ",")
    text = _THIN.sub(",", _TIE.sub(" ", text).replace(r"\$", _DOLLAR).replace("$$", "$"))
    if text.count("$") % 2 == 0:
        text = _MATH.sub(r"\1", text)
    text = _FRACTION.sub(lambda m: f" {m[1] or m[2]}/{m[3] or m[4]} ", text)
    if "\\" in text:
        text = _COMMAND.sub(lambda m: _COMMANDS[m[0]], text)
        text = _SPACE.sub(" ", _STYLE.sub("", text))
    if _BRACED_DIGITS.search(text):
        return ""
    return text.replace("{", "").replace("}", "").replace(_DOLLAR, "$")
