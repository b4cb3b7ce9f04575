"""What is compared under `parity` is what the published scorers say, row by row.

The real outputs are those of shared/data; without them the made-up answers are still compared.
"""

import json
import random
import re

import pytest

from dianjin_ext import compute_score
from dianjin_ext.rewards.format import extract, published_text
from dianjin_ext.rewards.policy import Policy

from . import published, real

LENIENT = Policy(strictness="lenient")


def grade(source, response, gold, parity, *, in_scale="", **numbers):
    extra_info = {"scale": in_scale}
    return compute_score(
        source,
        response,
        gold,
        extra_info,
        strictness="lenient",
        numbers={"parity": parity, **numbers},
    )


def boxed(text):
    return rf"<think>x</think><answer>\boxed{{{text}}}</answer>"


def can_be_boxed(text):
    return text.strip() and not set(text) & set("{}\\")


def scored(response):
    """Return the text of a response in prose that the published rules are given."""
    return published_text(extract(response, LENIENT))


@pytest.mark.parametrize(("parity", "least"), [("docmath", 150), ("finqa", 50)])
def test_financemath(parity, least):
    rule = {"docmath": published.docmath, "finqa": published.finqa}[parity]
    right = 0
    for row in (row for model in real.MODELS for row in real.financemath(model)):
        gold = float(row["ground_truth"])
        extracted = row["extracted_pred_answer"]
        assert can_be_boxed(extracted)
        for response, text in (
            (boxed(extracted), extracted),
            (row["output"][0], scored(row["output"][0])),
        ):
            score = grade("docmath", response, gold, parity)
            if extract(response, LENIENT).fault:
                assert score["acc"] == 0
                continue
            assert bool(score["acc"]) == rule(text, gold), (row["question_id"], score)
            right += score["acc"]
    assert right >= least


@pytest.mark.parametrize("parity", ["docmath", "finqa"])
def test_financebench(parity):
    rule = {"docmath": published.docmath, "finqa": published.finqa}[parity]
    compared = 0
    for row in real.financebench():
        gold = row["gold_answer"]
        if parity == "finqa" and str(gold).strip(" .").lower() in ("yes", "no"):
            gold = str(gold).strip(" .").lower()
        elif not isinstance(gold, int | float):
            continue
        answer = row["model_answer"]
        responses = [(answer, scored(answer))]
        if can_be_boxed(answer):
            responses.append((boxed(answer), answer))
        for response, text in responses:
            if not extract(response, LENIENT).fault:
                score = grade("finqa", response, gold, parity)
                assert bool(score["acc"]) == rule(text, gold), (row["financebench_id"], score)
                compared += 1
    assert compared >= 60


def tatqa_golds(row):
    return row["answer"] if isinstance(row["answer"], list) else [str(row["answer"])]


def test_tatqa_answers_that_the_file_extracted():
    right = 0
    for row in real.tatqa():
        items, scale = row["pred_answer"], row["pred_scale"]
        assert scale == ""  # its prompt asks for the scale in the answer
        text = json.dumps(items, ensure_ascii=False) if len(items) > 1 else items[0]
        score = grade(
            "tatqa", boxed(text), row["answer"], "tatqa", in_scale=row["scale"], scale="none"
        )
        expected = published.tatqa(items, scale, tatqa_golds(row), row["scale"])
        assert bool(score["acc"]) == expected, (row["question_id"], score)
        right += expected
    assert right >= 150


def stated_items(text):
    """Read the list, or the one text, that stands behind `answer is:` at the end of an output."""
    said = text.rpartition("answer is:")[2].strip()
    return real.ast.literal_eval(said) if said.startswith(("['", '["')) else [said.rstrip(".")]


@pytest.mark.parametrize("told", ["none", "question"])
def test_tatqa_outputs_in_prose(told):
    right = unread = 0
    for row in real.tatqa():
        text = row["generated"][0]
        score = grade("tatqa", text, row["answer"], "tatqa", in_scale=row["scale"], scale=told)
        items = stated_items(text)
        if len(items) == 1 and (scored(text) == text or re.search(r"\.\s", items[0])):
            unread += 1  # what prose states is one sentence, not too long, and without doubt in it
            continue
        names_one = any("%" in item or item.split()[-1] in SCALES for item in items)
        scale = row["scale"] if told == "question" and not names_one else ""
        expected = published.tatqa(items, scale, tatqa_golds(row), row["scale"])
        assert bool(score["acc"]) == expected, (row["question_id"], score)
        right += expected
    assert right >= 150
    assert unread <= 10


SCALES = ("hundred", "thousand", "million", "billion", "percent")


def test_finqa_and_docmath_on_the_numbers_of_tatqa():
    compared = 0
    for row in real.tatqa():
        if isinstance(row["answer"], int | float) and can_be_boxed(row["pred_answer"][0]):
            text, gold = row["pred_answer"][0], float(row["answer"])
            for parity, rule in (("finqa", published.finqa), ("docmath", published.docmath)):
                score = grade("finqa", boxed(text), gold, parity)
                assert bool(score["acc"]) == rule(text, gold), (row["question_id"], score)
                compared += 1
    assert compared >= 200


def cflue_responses(row, chance):
    """Make responses out of a real row: right and wrong, well formed and not."""
    letters = chance.choice([row["answer"], "".join(chance.sample("ABCDE", chance.randint(1, 3)))])
    named = "；".join(f"{letter}. {row['choices'].get(letter, '')}" for letter in letters)
    for content in (letters, named, f"\\text{{{letters}}}", ", ".join(letters), letters.lower()):
        box = rf"\boxed{{{content}}}"
        yield f"<think>{row['question']}</think><answer>{box}</answer>"
        yield f"<think>{box}"
        yield f"{box} {row['analysis']} \\boxed{{{chance.choice('ABCD')}}} \\boxed{{"
        yield f"<answer>{content}</answer>"


RULES = [("dianjin_eval", published.cflue), ("dianjin", published.cflue_reward)]


@pytest.mark.parametrize(("strictness", "rule"), RULES)
def test_cflue(strictness, rule):
    chance, right, compared = random.Random(0), 0, 0
    for row in real.cflue():
        for response in cflue_responses(row, chance):
            score = compute_score(
                "cflue_mcq",
                response,
                row["answer"],
                {"choices": row["choices"]},
                strictness=strictness,
            )
            expected = rule(response, row["answer"])
            assert bool(score["acc"]) == expected, (row["question"], response, score)
            right, compared = right + expected, compared + 1
    assert 0.05 < right / compared < 0.9


def test_cflue_on_answers_of_models():
    rows, right = real.cfa(), 0
    for row in rows:
        for letter in (row["answer"], row["correct_answer"]):
            response = f"{row['raw_response']}\n\\boxed{{{letter}}}"
            for text in (row["raw_response"], response):
                score = compute_score(
                    "cflue_mcq", text, row["correct_answer"], strictness="dianjin_eval"
                )
                assert bool(score["acc"]) == published.cflue(text, row["correct_answer"])
                right += score["acc"]
    assert len(rows) >= 70
    assert right >= 70


# Pieces of answers; what Python knows by name and DocMath-Eval's `eval` would run is left out.
PIECES = [
    *("5", "12", ".", "1,340", "2018", "0.2212", "22.12", "12.5%", "13.953%", "e5", "0", "00"),
    *("５", "é", "增长"),
    *("(", ")", "(134)", "[", "]", "%", "$", "€", "-", "+", "/", "*", "^", "=", "≈", ",", "'", "`"),
    *(" ", "  ", "\n", " million", " thousand", "million", " hundred", " percent", "US", "USD"),
    *(" or ", "approximately ", " x ", " × ", "10^", "const_", "m1", "100", "yes", "no", "True"),
    *("the ", "a ", "An ", "IBM", "ibm", "Corp.", "#", "!", "nan", "inf", "_", "(a)"),
]
GOLDS = [5.0, 50.0, 0.0, 12.5, 1340.0, 2018.0, -5.0, 0.125, 0.13953, 134.0, -134.0, 1.0, 100.0]


def made_up(chance, most=5):
    while True:
        text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, most)))
        if text.strip() and "**" not in text and len(text) < 200:
            return text


@pytest.mark.parametrize("parity", ["docmath", "finqa"])
def test_made_up_numbers(parity):
    rule = {"docmath": published.docmath, "finqa": published.finqa}[parity]
    chance, right = random.Random(1), 0
    for _ in range(20_000):
        gold = chance.choice(GOLDS)
        text = made_up(chance)
        if chance.random() < 0.5:
            text = chance.choice(["{}", "{:,}", "{:.6f}", "$ {}", "{:e}", " {} "]).format(gold)
            text = chance.choice([text, text + chance.choice(PIECES), chance.choice(PIECES) + text])
        score = grade("finqa", boxed(text), gold, parity)
        assert bool(score["acc"]) == rule(text, gold), (text, gold, score)
        right += score["acc"]
    assert right >= 1000


@pytest.mark.parametrize(("gold", "said"), [("yes", "Yes."), ("no", "NO"), ("No", " no")])
def test_yes_and_no_of_finqa(gold, said):
    assert grade("finqa", boxed(said), gold, "finqa")["acc"] == 1.0
    assert grade("finqa", boxed("1"), gold, "finqa")["acc"] == 0.0
    assert published.finqa(said, gold.lower())


def test_made_up_items():
    chance, right = random.Random(2), 0
    for _ in range(10_000):
        many = chance.choice([1, 1, 2, 3])
        golds = [made_up(chance, 3) for _ in range(many)]
        items = [chance.choice([gold, gold.upper(), made_up(chance, 3)]) for gold in golds]
        if any(set(item) & set("'\"[](){}\n") for item in items) or not all(map(str.strip, golds)):
            continue
        scale = chance.choice(["", "thousand", "million", "percent"])
        text = json.dumps(items, ensure_ascii=False) if many > 1 else items[0]
        gold = golds if many > 1 else golds[0]
        score = grade("tatqa", boxed(text), gold, "tatqa", in_scale=scale, scale="none")
        if score["reason"] == "gold_unusable":
            continue
        assert bool(score["acc"]) == published.tatqa(items, "", golds, scale), (items, golds, scale)
        right += score["acc"]
    assert right >= 300


@pytest.mark.parametrize(("strictness", "rule"), RULES)
def test_made_up_boxes(strictness, rule):
    pieces = [*"ABCDGH", "\\boxed{", "}", "{", "\n", "<answer>", "</think>", "\\boxed", "对", "a"]
    chance, right = random.Random(3), 0
    for _ in range(20_000):
        response = "".join(chance.choice(pieces) for _ in range(chance.randint(1, 9)))
        gold = chance.choice(["A", "AC", "CA", "B", "BD", "H", "", "对"])
        if chance.random() < 0.5:
            response = f"<think>{chance.choice(pieces)}</think><answer>{response}</answer>"
        score = compute_score("cflue_mcq", response, gold, strictness=strictness)
        assert bool(score["acc"]) == rule(response, gold), (response, gold)
        right += score["acc"]
    assert right >= 30


@pytest.mark.parametrize("parity", ["docmath", "finqa", "tatqa"])
@pytest.mark.parametrize(
    "text", ["9" * 5000, "(" * 5000, "9**9**9", "1e999", "[" * 300, "\x00", "½"]
)
def test_hostile_answers(parity, text):
    score = grade("finqa", boxed(text), 5, parity)
    assert score["score"] == 0.0
    assert grade("finqa", text, 5, parity)["score"] == 0.0


def test_long_responses_take_linear_time():
    response = "\\boxed{" * 100_000
    score = compute_score("cflue_mcq", response, "A", strictness="dianjin_eval")
    assert score["reason"] == "not_boxed"
