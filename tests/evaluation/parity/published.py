"""The published scorers, told again from what they do, with other means than the package's.

Each takes a ready prediction, as the published one does. Sources: `src/evaluate/eval.py` of
aliyun/qwen-dianjin (DianJin-R1), `code/evaluate/evaluate.py` of czyssrs/FinQA, `tatqa_metric.py`
and `tatqa_utils.py` of NExTplusplus/TAT-QA, `utils/evaluation_utils.py` of yale-nlp/DocMath-Eval.
"""

import math
import re
import string


def cflue(output, answer):
    """DianJin's `eval_cflue`: the letters A to G of the last box anywhere."""
    boxes = re.findall(r"\\boxed\{(.*?)\}", output, re.DOTALL)
    return bool(boxes) and "".join(c for c in "ABCDEFG" if c in boxes[-1]) == answer


def cflue_reward(output, answer):
    """DianJin's `reward_score_cflue`: the same in the one answer block, beside one think block."""
    blocks = [re.findall(f"<{tag}>(.*?)</{tag}>", output, re.DOTALL) for tag in ("think", "answer")]
    if [len(found) for found in blocks] != [1, 1]:
        return False
    return cflue(blocks[1][0], "".join(c for c in "ABCDEFG" if c in answer))


def finqa(text, exe_ans):
    """FinQA's execution accuracy, with the text in place of what a program gives."""
    if isinstance(exe_ans, str):
        return text.strip().rstrip(".").lower() == exe_ans
    kept = text.replace(",", "")
    for candidate, divide in ((kept, 1), (kept.replace("%", ""), 100), (_constant(kept), 1)):
        try:
            value = float(candidate)
        except ValueError:
            continue
        if divide == 100 and "%" not in kept:
            continue
        return round(value / divide if divide > 1 else value, 5) == exe_ans
    return False


def _constant(text):
    if "const" not in text or "%" in text:
        return "none"
    name = text.replace("const_", "")
    return "-1" if name == "m1" else name


def tatqa(items, scale, golds, gold_scale):
    """TAT-QA's exact match of a list and its scale."""
    said, wanted = _tatqa_text(items, scale), _tatqa_text(golds, gold_scale)
    if _tatqa_normal(said) == _tatqa_normal(wanted):
        return True
    if len(items) != 1 or scale or "%" in items[0] or not _is_number(items[0]):
        return False
    number = _to_number(items[0])
    return number is not None and _tatqa_normal(f"{number:.4f}") == _tatqa_normal(wanted)


def _bare(text):
    for mark in "'\"\\$€£¥%(),[]":
        text = text.replace(mark, "")
    return text


def _times(word):
    for name, value in (
        ("hundred", 100),
        ("thousand", 1000),
        ("million", 1_000_000),
        ("billion", 1_000_000_000),
        ("percent", 0.01),
    ):
        if name in word.lower():
            return value
    return 1


def _is_number(text):
    words = _bare(text).split()
    try:
        first = float(words[0])
    except (IndexError, ValueError):
        return False
    return first == first and (len(words) == 1 or _times(words[1]) != 1)


def _to_number(text):
    first = re.search(r"([+-]?\d+(\.\d+)?)|([+-]?\.\d+)", _bare(text))
    if first is None or first[1] is None:
        return None
    number = float(first[1]) if "." in first[1] else int(first[1])
    word = re.search(r"[\d.]+\s?[a-zA-Z]+", text)
    number = number * (_times(word[0]) if word else 1)
    number = number * (-1 if re.search(r"\([\d.\s]+\)", text) else 1)
    return round(number * (0.01 if re.search(r"[\d.\s]+%", text) else 1), 4)


def _tatqa_text(items, scale):
    texts = []
    for item in sorted(items):
        number = _to_number(item) if _is_number(item) else None
        if number is None:
            texts.append(item + (" " + scale if scale else ""))
        elif "%" in item:
            texts.append(f"{number:.4f}")
        else:
            texts.append(f"{round(number, 2) * _times(scale):.4f}")
    return " ".join(texts)


def _tatqa_normal(text):
    words = []
    for token in text.split(" "):
        token = token.lower()
        if not _is_number(token):
            token = "".join(c for c in token if c not in string.punctuation)
        if _is_number(token):
            token = str(_to_number(token))
        words += re.sub(r"\b(a|an|the)\b", " ", token).split()
    return " ".join(words)


def docmath(text, gold):
    """DocMath-Eval's accuracy of an extracted answer."""
    try:
        return _docmath_same(_docmath_value(text), gold)
    except (OverflowError, ValueError):
        return False


def _docmath_value(text):
    text = text.strip().rstrip(".")
    for word in ("£", "€", "¥", "million", "billion", "thousand", "US", "USD", "RMB"):
        text = text.replace(word, "")
    for mark in "=≈":
        text = text.split(mark)[-1].strip() if mark in text else text
    for mark in "`%$°":
        text = text.replace(mark, "")
    if text in ("true", "yes") or "True" in text:
        return 1
    if text in ("false", "no") or "False" in text:
        return 0
    if "approximately" in text:
        text = text.replace("approximately", "").strip()
    text = text.split(" or ")[0]
    number = r"[-+]?(?:[\d,]*\.*\d+)"
    for whole in (
        rf"({number}) [^0-9 ]+$",
        rf"[^0-9 ]+ ({number})$",
        rf"({number})[^\d]{{1,2}}$",
        r"[^-+\d]{1,2}([\d,]*\.*\d+)$",
    ):
        if re.match(whole, text):
            text = re.search(whole, text)[1]
    text = re.sub(r"10\^(-?\d+)", r"(10.0**\1)", text)
    text = text.replace(" x ", "*").replace(" × ", "*")
    if re.match(r"[-+]?(\d{1,3}(,\d{3})*|\d+)(\.\d+)?$", text):
        text = text.replace(",", "")
    if "None" in text or re.search(r"\([a-d]\)", text):
        return None
    return _calculated(text)


def _docmath_same(value, gold):
    if not isinstance(value, int | float):
        return False
    large, small = max(abs(gold), abs(value)), min(abs(gold), abs(value))
    if large and small and int(math.log10(large / small)) == math.log10(large / small):
        return True
    for limit, factor in ((50, 100), (500, 1000), (50000, 100000)):
        if small <= large / limit and _within(small * factor, large):
            return True
    return math.ceil(large * 1000) / 1000 == math.ceil(small * 1000) / 1000 or _within(value, gold)


def _within(value, gold):
    return gold - abs(gold) * 0.0015 <= value <= gold + abs(gold) * 0.0015


class _NoArithmeticError(Exception):
    pass


_TOKEN = r"\s*((?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|\*\*|//|.)"


def _calculated(text):
    """Calculate by precedence climbing; 0 for what is no arithmetic, None for a list."""
    tokens = re.findall(_TOKEN, text.strip())
    values = []
    try:
        while tokens or not values:
            value, tokens = _climb(tokens, 0)
            values.append(value)
            if tokens:
                if tokens.pop(0) != ",":
                    return 0
                values.append(None)  # a comma, also the last one, makes a tuple
    except (_NoArithmeticError, ArithmeticError, ValueError, TypeError, IndexError):
        return 0
    return value if len(values) == 1 else None


_LEVELS = {"^": 1, "+": 2, "-": 2, "*": 3, "/": 3, "//": 3, "**": 5}


def _climb(tokens, level):
    value, tokens = _atom(tokens)
    while tokens and _LEVELS.get(tokens[0], -1) >= level:
        sign, mine = tokens[0], _LEVELS[tokens[0]]
        # Powers bind to the right, and a sign may stand in the exponent.
        right, tokens = _climb(tokens[1:], mine if sign == "**" else mine + 1)
        value = {
            "^": lambda a, b: a ^ b,
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "/": lambda a, b: a / b,
            "//": lambda a, b: a // b,
            "**": lambda a, b: a**b,
        }[sign](value, right)
    return value, tokens


def _atom(tokens):
    first, rest = tokens[0], tokens[1:]
    if first in ("+", "-"):
        value, rest = _climb(rest, 4)
        return (-value if first == "-" else value), rest
    if first == "(":
        value, rest = _climb(rest, 0)
        if rest[0] != ")":
            raise _NoArithmeticError
        return value, rest[1:]
    if re.fullmatch(r"0\d+", first) and first.strip("0"):
        raise _NoArithmeticError
    if re.fullmatch(r"[0-9]+(_[0-9]+)*", first):
        return int(first), rest
    if first[0] not in "0123456789.":
        raise _NoArithmeticError  # float() would take a digit of any script
    return float(first), rest
