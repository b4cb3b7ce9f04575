"""A set as a pipeline leaves it, made by code: the truth of every row is known."""

import json
import random
from dataclasses import replace

from dianjin_ext.data import prompts
from dianjin_ext.data.candidate import Candidate, write_candidates
from dianjin_ext.data.steps.select import CRITERIA
from dianjin_ext.questions.question import Question

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
    """Write a set of `rows` candidates with manifest and labels into `folder`."""
    random_ = random.Random(seed)
    made, labels = [], []
    for nth in range(rows // 2):
        right_of = 0
        pair = []
        for sample in range(2):
            language = "zh" if nth % 5 < 3 else "en"
            right = random_.random() < 0.7
            sound = right and random_.random() < 0.8
            right_of += right
            cut = not right and random_.random() < 0.3
            row = candidate(nth + 1, language, sample, right_answer=right)
            if cut:
                row = replace(row, finish_reason="length", response="", reason="truncated").drop(
                    "distill", "cut"
                )
            else:
                verdict = right if random_.random() < 0.95 else not right
                note = {"rule": "correct" if right else "wrong"}
                if random_.random() < 0.4:
                    note["judge"] = "correct" if verdict else "wrong"
                row = row.note("verify", note)
                row = _selected(row, sound, random_) if right else row.drop("verify", "wrong")
            pair.append(row)
            labels.append({"id": row.question.id, "sample": sample, "right": right, "sound": sound})
        used = False
        for row in pair:
            row = replace(row, right=right_of, of=2)
            if not row.dropped and not used:
                used = True
                row = replace(row, use="sft", why="shortest of the good ones")
            elif row.dropped.startswith("select") and not used:
                used = True
                row = replace(row, use="val" if nth % 10 == 0 else "rl")
            made.append(row)
    odd = candidate(1, response=HOSTILE).drop("distill", "contains_marks")
    made[0] = replace(odd, reasoning=HOSTILE, right=made[0].right, of=2)
    (folder / "set").mkdir(parents=True)
    write_candidates(made, folder / "set/candidates.parquet")
    _manifest(folder, made)
    _lines(folder / "labels.jsonl", labels)
    _lines(
        folder / "clean.removed.jsonl",
        [
            {"id": "cflue/zh/x", "question": "净利率怎么算？", "file": "eval/financeiq.parquet",
             "against": "financeiq/3", "similarity": 0.91}
        ],
    )  # fmt: skip
    _lines(
        folder / "open.removed.jsonl",
        [
            {
                "id": "cflue/zh/y",
                "question": "下列哪项正确？",
                "reason": "needs_options",
                "detail": "",
            }
        ],
    )
    return made, labels


def _selected(row, sound, random_):
    criteria = dict.fromkeys(CRITERIA, 1)
    if random_.random() < (0.05 if sound else 0.8):
        criteria["logical_consistency"] = criteria["reasoning_steps"] = 0
    steps = 3 + (2 if criteria["reasoning_steps"] else -1) + random_.randrange(2)
    measures = {"steps": steps, "overlap": 0.5, "repetition": 0.02, "language": 1.0}
    row = row.note("select", {"measures": measures, "criteria": criteria})
    return row if all(criteria.values()) else row.drop("select", "reasoning_steps")


def _manifest(folder, made):
    def report(step, rows, standing, **more):
        dropped = {}
        for row in made:
            name, _, reason = row.dropped.partition(": ")
            if name == step:
                dropped[reason] = dropped.get(reason, 0) + 1
        return {"rows": rows, "written": rows, "standing": standing, "dropped": dropped,
                "spent": {}} | more  # fmt: skip

    def spent(role, model, replies, cost):
        return {
            role: {"model": model, "replies": replies, "prompt_tokens": 130 * replies,
                   "completion_tokens": 260 * replies, "cost": cost}
        }  # fmt: skip

    def gone(*names):
        return sum(row.dropped.split(":")[0] in names for row in made)

    n = len(made)
    unused = sum(not row.use and not row.dropped for row in made)
    used = {use: {"numeric": sum(row.use == use for row in made)} for use in ("sft", "rl", "val")}
    steps = [
        ("open", "rewrite", {"rows": n // 2 + 4, "written": n // 2 + 1, "standing": n // 2 + 1,
         "dropped": {"needs_options": 3},
         "spent": spent("rewriter", "rewriter-72b", n // 2, 1.25)}),
        ("clean", "decontaminate", {"rows": n // 2 + 1, "kept": n // 2, "removed": 1,
         "by_file": {"eval/financeiq.parquet": 1}}),
        ("answers", "distill", report("distill", n // 2, n - gone("distill"),
         written=n, spent=spent("teacher", "teacher-7b", n, 3.5))),
        ("verified", "verify", report("verify", n, n - gone("distill", "verify"),
         spent=spent("judge", "judge-72b", n // 3, 0.5))),
        ("selected", "select", report("select", n, n - gone("distill", "verify", "select"),
         spent=spent("judge", "judge-72b", n // 2, 0.75))),
        ("set", "mix", {"rows": n, "sft": used["sft"], "rl": used["rl"],
         "val": used["val"]["numeric"],
         "unused": {"another sample is used": unused}}),
    ]  # fmt: skip
    settings = {"clean": {"against": ["eval/financeiq.parquet", "eval/fineval.parquet"]},
                "answers": {"samples": 2, "temperature": 0.6}}  # fmt: skip
    manifest = {
        "name": "fin_r1",
        "dianjin_ext": "0.1.0",
        "pipeline": "fin_r1.yaml",
        "inputs": {"train.json": "ab" * 32},
        "steps": [
            {
                "name": name, "step": step, "version": 1, "inputs": ["questions"],
                "out": "set" if step == "mix" else f"{name}.parquet", "digest": "cd" * 32,
                "sha256": "ef" * 32, "settings": settings.get(name, {}),
                "prompts": {prompts.load(step).label: prompts.load(step).digest}
                if step in ("rewrite", "select") else {},
                "models": {role: each["model"] for role, each in told.get("spent", {}).items()},
                "report": told,
            }
            for name, step, told in steps
        ],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))


def _lines(path, rows):
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
