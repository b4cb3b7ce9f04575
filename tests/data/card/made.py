"""A set as a pipeline leaves it, made by code: the truth of every row is known."""

import json
import random
from dataclasses import replace

from dianjin_ext.data import prompts
from dianjin_ext.data.candidate import Candidate, write_candidates
from dianjin_ext.data.steps.select import CRITERIA
from dianjin_ext.questions.question import Question, write_questions

HOSTILE = "</pre><script>alert('x')</script> ```` | a | **b** ``` <img src=http://evil.test/x>"


def question(nth, language="zh", name="cflue", licence="CC BY-NC-SA 4.0", **more):
    asked = {
        "zh": f"某公司第{nth}年净利润为{nth * 7}万元，营业收入为{nth * 50}万元，净利率是多少？",
        "en": f"In year {nth} net income was {nth * 7} and revenue {nth * 50}. What is the margin?",
    }
    given = {
        "id": f"{name}/{language}/{nth}",
        "data_source": "numeric",
        "question": asked[language],
        "kind": "number",
        "answer": "14%",
        "language": language,
        "licence": licence,
        "category": "ratios" if nth % 3 else "growth",
    }
    return Question(**given | more)


def candidate(nth, language="zh", sample=0, **more):
    right = more.pop("right_answer", True)
    thought = {
        "zh": f"净利率等于净利润除以营业收入。{nth * 7} ÷ {nth * 50} = 0.14。\n所以是 14%。\n",
        "en": f"The margin is net income over revenue.\n{nth * 7} / {nth * 50} = 0.14.\n",
    }
    asked = more.pop("question", None) or question(
        nth, language, *(() if language == "zh" else ("finqa", "MIT"))
    )
    given = {
        "question": asked,
        "sample": sample,
        "model": "teacher-7b",
        "reasoning": thought[language] * (1 + nth % 9),
        "response": "\\boxed{14%}" if right else "\\boxed{0.5%}",
        "finish_reason": "stop",
        "prompt_tokens": 120 + nth,
        "completion_tokens": 80 + 40 * (nth % 9),
        "score": float(right),
        "acc": float(right),
        "reason": "correct" if right else "wrong",
    }
    return Candidate(**given | more)


def built(folder, rows=200, seed=0):
    """Write what a pipeline leaves, with `rows` candidates that came to its end, and labels."""
    random_ = random.Random(seed)
    made, labels, asked = [], [], []
    for nth in range(rows // 2):
        pair = [_answered(nth, sample, random_, labels) for sample in range(2)]
        if nth == 0:
            odd = candidate(1, response=HOSTILE).drop("distill", "contains_marks")
            pair[0] = replace(odd, reasoning=HOSTILE)
        right = sum(row.acc == 1.0 for row in pair)
        pair = [replace(row, right=right, of=2) for row in pair]
        good = next((place for place, row in enumerate(pair) if not row.dropped), None)
        if good is not None:
            pair[good] = replace(pair[good], use="sft", why="shortest")
        use = "sft" if good is not None else ("val" if nth % 10 == 0 else "rl")
        asked.append(replace(pair[0].question, split=use))
        made += pair
    (folder / "set").mkdir(parents=True)
    write_candidates(made, folder / "set/candidates.parquet")
    write_questions(asked, folder / "set/questions.parquet")
    _earlier(folder, made)
    _manifest(folder, made, asked)
    _lines(folder / "labels.jsonl", labels)
    return made, labels


def _answered(nth, sample, random_, labels):
    """Return what became of one response; its truth goes to `labels`."""
    right = random_.random() < 0.7
    sound = right and random_.random() < 0.8
    row = candidate(nth + 1, "zh" if nth % 5 < 3 else "en", sample, right_answer=right)
    labels.append({"id": row.question.id, "sample": sample, "right": right, "sound": sound})
    if not right and random_.random() < 0.3:
        cut = replace(row, finish_reason="length", response="", reason="truncated")
        return cut.drop("distill", "cut")
    note = {"rule": "correct" if right else "wrong"}
    if random_.random() < 0.4:
        errs = random_.random() < 0.05
        note["judge"] = "correct" if right != errs else "wrong"
    row = row.note("verify", note)
    return _selected(row, sound, random_) if right else row.drop("verify", "wrong")


def _earlier(folder, made):
    """Write the files of earlier steps; what bands left out stands in these alone."""
    easy = [
        candidate(
            900, "en", nth % 2, right=2, of=2, question=question(900, "en", f"easy{nth // 2}")
        )
        for nth in range(4)
    ]
    before = (replace(row, use="", why="") for row in [*easy, *made])
    write_candidates(before, folder / "selected.parquet")
    write_candidates((replace(row, use="", why="") for row in made), folder / "banded.parquet")
    for name in ("open", "clean"):
        write_questions([], folder / f"{name}.parquet")
    leak = {"file": "eval/financeiq.parquet", "against": "financeiq/3", "similarity": 0.91}
    _lines(
        folder / "clean.removed.jsonl",
        [{"id": "cflue/zh/x", "question": "净利率怎么算？"} | leak],
    )
    _lines(
        folder / "open.removed.jsonl",
        [{"id": "cflue/zh/y", "question": "下列哪项正确？", "reason": "needs_options"}],
    )
    gone = [{"id": row.question.id, "question": "?", "reason": "too_easy"} for row in easy[::2]]
    _lines(folder / "banded.removed.jsonl", gone)


def _selected(row, sound, random_):
    criteria = dict.fromkeys(CRITERIA, 1)
    if random_.random() < (0.05 if sound else 0.8):
        criteria["logical_consistency"] = criteria["reasoning_steps"] = 0
    steps = 3 + (2 if criteria["reasoning_steps"] else -1) + random_.randrange(2)
    measures = {"steps": steps, "overlap": 0.5, "repetition": 0.02, "language": 1.0}
    row = row.note("select", {"measures": measures, "criteria": criteria})
    return row if all(criteria.values()) else row.drop("select", "reasoning_steps")


def _manifest(folder, made, asked):
    def report(step, rows, standing, **more):
        dropped = {}
        for row in made:
            name, _, reason = row.dropped.partition(": ")
            if name == step:
                dropped[reason] = dropped.get(reason, 0) + 1
        return {"rows": rows, "written": rows, "standing": standing, "dropped": dropped} | more

    def spent(role, model, replies, cost):
        tokens = {"prompt_tokens": 130 * replies, "completion_tokens": 260 * replies}
        return {"spent": {role: {"model": model, "replies": replies, "cost": cost} | tokens}}

    def left(*names):
        return n - sum(row.dropped.split(":")[0] in names for row in made)

    n, questions = len(made), len(asked)
    used = {use: sum(each.split == use for each in asked) for use in ("sft", "rl", "val")}
    steps = {
        "open": ("rewrite", {"rows": questions + 4, "written": questions + 1,
            "standing": questions + 1, "dropped": {"needs_options": 3},
            **spent("rewriter", "rewriter-72b", questions, 1.25)}),
        "clean": ("decontaminate", {"rows": questions + 1, "kept": questions, "removed": 1,
            "by_file": {"eval/financeiq.parquet": 1}}),
        "answers": ("distill", report("distill", questions, left("distill"), written=n,
            **spent("teacher", "teacher-7b", n, 3.5))),
        "verified": ("verify", report("verify", n, left("distill", "verify"),
            **spent("judge", "judge-72b", n // 3, 0.5))),
        "selected": ("select", report("select", n, left("distill", "verify", "select"),
            **spent("judge", "judge-72b", n // 2, 0.75))),
        "banded": ("bands", {"written": n, "removed": 2, "dropped": {"too_easy": 2},
            "questions": questions + 2}),
        "set": ("mix", {"rows": n, "sft": {"numeric": used["sft"]}, "rl": {"numeric": used["rl"]},
            "val": used["val"], "unused": {"sft: not drawn": 7, "rl: prompt too long": 0}}),
    }  # fmt: skip
    settings = {
        "clean": {"against": ["eval/financeiq.parquet", "eval/fineval.parquet"]},
        "answers": {"samples": 2, "temperature": 0.6},
    }
    listed, before = [], "train.json"
    for name, (step, told) in steps.items():
        asking = [prompts.load(step)] if step in ("rewrite", "select") else []
        listed.append(
            {
                "name": name,
                "step": step,
                "version": 1,
                "inputs": {before: "ab" * 32},
                "settings": settings.get(name, {}),
                "prompts": {text.label: text.digest for text in asking},
                "models": {role: each["model"] for role, each in told.get("spent", {}).items()},
                "out": "set" if step == "mix" else f"{name}.parquet",
                "sha256": "ef" * 32,
                "report": told,
            }
        )
        before = name
    manifest = {
        "name": "fin_r1",
        "dianjin_ext": "0.1.0",
        "pipeline": "fin_r1.yaml",
        "inputs": {"train.json": "ab" * 32},
        "steps": listed,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))


def _lines(path, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
