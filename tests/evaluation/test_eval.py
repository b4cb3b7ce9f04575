"""`dianjin eval` over HTTP: what a number is called, what a judge decides, what is told of both."""

import json
import re
import signal
import time

import pytest
import yaml

from dianjin_ext.evaluation.protocol import get_protocol

FINQA = [
    {
        "id": f"page-{n}",
        "pre_text": [f"In 2020 sales were {n}."],
        "post_text": ["."],
        "table_ori": [["", "2020"], ["sales", str(n)]],
        "qa": {"question": f"What were sales of shop {n}?", "exe_ans": float(n), "answer": ""},
    }
    for n in range(1, 21)
]
JUDGE = re.compile(r"VERDICT")


@pytest.fixture
def finqa(tmp_path):
    path = tmp_path / "test.json"
    path.write_text(json.dumps(FINQA))
    return path


def protocol(folder, name="own", **rules):
    given = {"about": "…", "source": "none", "sampling": {"max_tokens": 64}, **rules}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(given))
    return path


def settings(folder, url, **judge):
    path = folder / "settings.yaml"
    given = {"model": "judge", "base_url": url, **judge}
    path.write_text(yaml.safe_dump({"judge": given}))
    return path


def shop(body):
    return int(re.findall(r"shop (\d+)", body["messages"][-1]["content"])[-1])


def said(answer):
    return f"<think>Look it up.</think>\n<answer>\\boxed{{{answer}}}</answer>"


def is_judge(body):
    return any("VERDICT" in message["content"] for message in body["messages"])


def test_a_number_with_its_interval_and_its_protocol(server, evaluate, finqa, tmp_path):
    server.default = lambda body: said(shop(body) if shop(body) <= 15 else 0)
    out = evaluate("finqa", "--data", finqa, "--protocol", protocol(tmp_path))
    [result] = evaluate.results
    assert (result["n"], result["accuracy"]) == (20, 0.75)
    assert 0.5 < result["accuracy_low"] < 0.75 < result["accuracy_high"] < 0.9
    assert (result["label"], result["comparable"], result["departures"]) == ("own", True, [])
    assert result["reasons"] == {"correct": 15, "wrong": 5}
    assert "75.0%" in out and "own" in out


def test_what_differs_from_the_protocol_takes_its_name_away(server, evaluate, finqa, tmp_path):
    server.default = lambda body: said(shop(body))
    own = protocol(tmp_path)
    arguments = ["--temperature", 0.5, "--max-tokens", 32, "--limit", 5]
    out = evaluate("finqa", "--data", finqa, "--protocol", own, *arguments)
    [result] = evaluate.results
    assert result["label"] == "own, changed" and not result["comparable"]
    assert result["departures"] == [
        "temperature is 0.5, not 0",
        "max_tokens is 32, not 64",
        "5 of 20 questions",
    ]
    assert all(line in out for line in result["departures"])


def test_a_protocol_with_a_judge_is_not_named_without_one(server, evaluate, finqa, tmp_path):
    server.default = lambda body: said(shop(body))
    own = protocol(tmp_path, judge="verdict")
    evaluate("finqa", "--data", finqa, "--protocol", own)
    [result] = evaluate.results
    assert result["label"] == "own without its judge" and not result["comparable"]
    assert result["judge"] is None
    assert "judged" not in evaluate.rows("finqa.own")[0]


def test_a_judge_decides_on_every_answer(server, evaluate, finqa, tmp_path):
    def reply(body):
        if not is_judge(body):
            # ten that only a judge takes for right, five wrong, five that rules take too
            n = shop(body)
            return said(f"about {n}, more or less" if n <= 10 else n + 1 if n <= 15 else n)
        shown = body["messages"][-1]["content"]
        n = int(re.findall(r"shop (\d+)", shown)[-1])
        return f"…\nVERDICT: {'wrong' if 10 < n <= 15 else 'correct' if n != 20 else 'undecided'}"

    server.default = reply
    own = protocol(tmp_path, judge="verdict")
    judge = settings(tmp_path, server.base_url)
    evaluate("finqa", "--data", finqa, "--protocol", own, "--settings", judge)
    [result] = evaluate.results
    assert result["accuracy"] == 0.75
    assert (result["label"], result["comparable"]) == ("own", True)
    found = result["judge"]
    assert (found["model"], found["n"], found["undecided"]) == ("judge", 20, 1)
    assert (found["both_right"], found["both_wrong"]) == (4, 5)
    assert (found["only_judge"], found["only_rule"]) == (10, 0)
    assert found["agreement"] == pytest.approx(9 / 19)
    asked = len(server.bodies)
    evaluate("finqa", "--data", finqa, "--protocol", own, "--settings", judge)
    repeated = [body for body in server.bodies[asked:]]
    assert all(is_judge(body) for body in repeated) and len(repeated) <= 4  # undecided ones


def test_a_judge_that_gives_no_verdict_takes_the_name_away(server, evaluate, finqa, tmp_path):
    server.default = lambda body: "banana" if is_judge(body) else said(shop(body))
    own = protocol(tmp_path, judge="verdict")
    judge = settings(tmp_path, server.base_url, max_attempts=2)
    out = evaluate("finqa", "--data", finqa, "--protocol", own, "--settings", judge)
    [result] = evaluate.results
    assert (result["accuracy"], result["label"]) == (1.0, "own, changed")
    assert result["departures"] == [
        "20 answers got no readable reply where a verdict was asked for; the rules decided them"
    ]
    assert result["departures"][0] in out and "Unclosed" not in out


def test_an_extractor_that_says_nothing_takes_the_name_away(server, evaluate, finqa, tmp_path):
    server.default = lambda body: "" if "Take out" in str(body["messages"]) else said(shop(body))
    extract = {"zh": "Take out: {response}", "en": "Take out: {response}"}
    own = protocol(tmp_path, judge="extract", extract=extract)
    judge = settings(tmp_path, server.base_url)
    evaluate("finqa", "--data", finqa, "--protocol", own, "--settings", judge)
    [result] = evaluate.results
    assert (result["accuracy"], result["label"]) == (1.0, "own, changed")
    assert "20 answers got no readable reply where an answer taken" in result["departures"][0]


def test_gold_answers_that_a_protocol_cannot_read_are_told(server, evaluate, tmp_path):
    server.default = said("5")
    path = tmp_path / "xbrl.jsonl"
    rows = [{"id": n, "query": "Q", "answer": "5" if n else "five"} for n in range(4)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    evaluate(
        "xbrl_math",
        "--data",
        path,
        "--protocol",
        protocol(tmp_path, grading={"strictness": "lenient", "numbers": {"parity": "docmath"}}),
    )
    [result] = evaluate.results
    assert result["departures"] == ["1 answers have a gold that can't be read and count as wrong"]


def test_a_judge_that_is_down_is_no_wrong_answer(server, evaluate, finqa, tmp_path):
    server.default = lambda body: "status 500" if is_judge(body) else said(shop(body))
    own = protocol(tmp_path, judge="verdict")
    judge = settings(tmp_path, server.base_url, deadline_s=2, max_attempts=2)
    out = evaluate("finqa", "--data", finqa, "--protocol", own, "--settings", judge, code=1)
    assert "0 of 20 questions are answered and graded: the judge" in out
    assert "run the same command again" in out
    assert not (evaluate.folder / "out/summary.json").exists()
    assert not list((evaluate.folder / "out/responses").glob("*"))
    server.default = lambda body: "correct" if is_judge(body) else said(shop(body))
    asked = sum(not is_judge(body) for body in server.bodies)
    evaluate("finqa", "--data", finqa, "--protocol", own, "--settings", judge)
    assert evaluate.results[0]["accuracy"] == 1.0
    assert sum(not is_judge(body) for body in server.bodies) == asked == 20


def test_a_model_takes_out_the_answer_and_the_rules_compare_it(server, evaluate, finqa, tmp_path):
    texts = {"en": "Q: {question}\nR: {response}\nNUMBER?", "zh": "{question} {response}"}
    own = protocol(
        tmp_path,
        judge="extract",
        extract=texts,
        grading={"strictness": "lenient", "numbers": {"parity": "docmath"}},
    )

    def reply(body):
        text = body["messages"][-1]["content"]
        if "NUMBER?" not in text:
            return f"<think>well</think> sales of shop {shop(body)} came to a lot"
        assert text.startswith("Q: What were sales of shop")
        n = shop(body)
        return str(n * 10) if n <= 10 else str(n + 0.5)  # powers of ten are forgiven there

    server.default = reply
    judge = settings(tmp_path, server.base_url)
    evaluate("finqa", "--data", finqa, "--protocol", own, "--settings", judge)
    [result] = evaluate.results
    assert result["accuracy"] == 0.5 and result["comparable"]
    assert result["judge"]["n"] == 20
    rows = evaluate.rows("finqa.own")
    assert {row["judged"] for row in rows} == {1.0}
    assert {row["rule_acc"] for row in rows} == {0.0}


def test_open_answers_without_a_judge_are_told(server, evaluate, tmp_path):
    path = tmp_path / "test.jsonl"
    rows = [{"user": f"What is bond {n}?", "assistant": f"A loan {n}."} for n in range(6)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    server.default = lambda body: "<think>…</think>\n<answer>Debt.</answer>"
    out = evaluate("finance_instruct", "--data", path, "--protocol", protocol(tmp_path))
    [result] = evaluate.results
    assert result["reasons"] == {"undecided": 6} and not result["comparable"]
    assert "6 open answers were not decided and count as wrong" in out


def test_a_refused_question_is_told(server, evaluate, finqa, tmp_path):
    server.default = lambda body: "status 400" if shop(body) == 7 else said(shop(body))
    evaluate("finqa", "--data", finqa, "--protocol", protocol(tmp_path))
    [result] = evaluate.results
    assert result["accuracy"] == 0.95 and result["reasons"]["refused"] == 1
    [departure] = result["departures"]
    assert departure.startswith("1 requests ended with refused and count as wrong; the first: HTTP")
    row = next(row for row in evaluate.rows("finqa.own") if row["id"].endswith("-7"))
    assert (row["outcome"], row["response"], row["reason"]) == ("refused", "", "refused")
    assert "HTTP 400" in row["error"]


def test_options_of_the_requests_are_told(server, evaluate, finqa, tmp_path):
    server.default = lambda body: said(shop(body))
    path = tmp_path / "settings.yaml"
    given = {
        "temperature": 0.7,
        "max_tokens": 64,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    path.write_text(yaml.safe_dump({"model": {"options": given}}))
    evaluate("finqa", "--data", finqa, "--protocol", protocol(tmp_path), "--settings", path)
    [result] = evaluate.results
    assert result["departures"] == [
        'the requests have the option chat_template_kwargs: {"enable_thinking": false}',
        "temperature is 0.7, not 0",
    ]
    assert not result["comparable"]
    assert result["sampling"]["temperature"] == server.bodies[0]["temperature"] == 0.7
    assert result["sampling"]["chat_template_kwargs"] == {"enable_thinking": False}


def test_when_every_question_is_refused_there_is_no_number(server, evaluate, finqa, tmp_path):
    server.default = "status 400"
    out = evaluate("finqa", "--data", finqa, "--protocol", protocol(tmp_path), code=1)
    assert re.search("every request was refused: |requests were all refused: ", out)
    assert "HTTP 400" in out
    assert not (evaluate.folder / "out/summary.json").exists()


def test_reasoning_apart_or_in_tags_is_the_same(server, evaluate, finqa, tmp_path):
    def reply(body):
        whole = said(shop(body))
        thought, _, rest = whole.removeprefix("<think>").partition("</think>")
        message = {"role": "assistant", "content": rest, "reasoning_content": thought}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return "json " + json.dumps({"id": "1", "model": "m", "choices": [choice]})

    own = protocol(tmp_path)
    server.default = reply
    evaluate("finqa", "--data", finqa, "--protocol", own)
    apart = evaluate.results[0]
    server.default = lambda body: said(shop(body))
    evaluate.folder = tmp_path / "tags"
    evaluate.folder.mkdir()
    evaluate("finqa", "--data", finqa, "--protocol", own)
    whole = evaluate.results[0]
    same = ("accuracy", "format_rate", "reasons", "by")
    assert apart["accuracy"] == apart["format_rate"] == 1.0
    assert {key: apart[key] for key in same} == {key: whole[key] for key in same}


def test_samples_vote_by_the_equality_of_the_grader(server, evaluate, tmp_path):
    row = {**FINQA[0], "qa": {"question": "What share?", "exe_ans": 0.5, "answer": "50%"}}
    path = tmp_path / "test.json"
    path.write_text(json.dumps([row]))
    answers = {0: "0.5", 1: "50%", 2: "7", 3: "7"}  # of the seeds: a vote that is split evenly
    answers[4] = "50.0 %"
    server.default = lambda body: said(answers[body["seed"]])
    own = protocol(tmp_path, sampling={"temperature": 1.0, "max_tokens": 64})
    evaluate("finqa", "--data", path, "--protocol", own, "--repeats", 5)
    [result] = evaluate.results
    assert (result["n"], result["samples"], result["comparable"]) == (1, 5, True)
    assert result["accuracy"] == result["pass_at_k"]["1"]["value"] == pytest.approx(0.6)
    assert result["pass_at_k"]["2"]["value"] == pytest.approx(0.9)
    assert result["pass_at_k"]["5"]["value"] == 1.0
    assert (result["cons_at_k"]["k"], result["cons_at_k"]["value"]) == (5, 1.0)
    assert sorted(row["sample"] for row in evaluate.rows("finqa.own")) == [0, 1, 2, 3, 4]


def test_a_conversation_shows_the_models_own_answers(server, evaluate, tmp_path):
    row = {
        "id": "Single_a",
        "pre_text": ["Sales."],
        "post_text": ["."],
        "table_ori": [["", "2020"], ["sales", "4"]],
        "annotation": {
            "dialogue_break": ["sales of shop 1?", "sales of shop 2?", "of shop 3, both added?"],
            "exe_ans_list": [4.0, 5.0, 9.0],
        },
    }
    path = tmp_path / "dev.json"
    path.write_text(json.dumps([row, {**row, "id": "Single_b"}]))
    server.default = lambda body: said({1: 40, 2: 5, 3: 45}[shop(body)])
    own = protocol(tmp_path, history="own")
    given = protocol(tmp_path, "given")
    both = ["--protocol", own, "--protocol", given]
    evaluate("convfinqa", "--data", path, *both)
    by_name = {result["protocol"]: result for result in evaluate.results}
    assert by_name["own"]["accuracy"] == by_name["given"]["accuracy"] == pytest.approx(1 / 3)
    last = [evaluate.rows(f"convfinqa.{name}")[2]["messages"][-1]["content"] for name in by_name]
    assert "A: 40" in last[0] and "A: 5" in last[0]
    assert "A: 4\n" in last[1] and "A: 40" not in last[1]
    assert len(server.bodies) == 2 * 6


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["finqua"], "no benchmark 'finqua'; known: "),
        (["finqa", "--data", "nothing.json"], "there is no file or folder nothing.json"),
        (["finqa", "finqa"], "finqa is named twice"),
        (["finqa", "tatqa", "--data", "FILE"], "say whose it is: --data finqa=PATH"),
        (["finqa", "--protocol", "r2"], "protocol 'r2' is not known; known: "),
        (["finqa", "--data", "FILE", "--split", "val"], "the split 'val' has no questions"),
        (["ccc"], "name its published files"),
    ],
)
def test_what_does_not_fit_is_one_line(evaluate, finqa, arguments, expected):
    out = evaluate(*[finqa if a == "FILE" else a for a in arguments], code=1)
    assert expected in out and out.count("error:") == 1 and "Traceback" not in out
    assert not (evaluate.folder / "out").exists()


def test_a_folder_of_another_model_is_kept(server, evaluate, finqa, tmp_path):
    server.default = lambda body: said(shop(body))
    own = protocol(tmp_path)
    evaluate("finqa", "--data", finqa, "--protocol", own)
    path = evaluate.folder / "out/summary.json"
    path.write_text(path.read_text().replace('"model": "m"', '"model": "other"'))
    out = evaluate("finqa", "--data", finqa, "--protocol", own, code=1)
    assert "holds results of the model other, not of m; choose another folder" in out


def test_results_of_several_commands_stand_side_by_side(server, evaluate, finqa, tmp_path):
    server.default = lambda body: said(shop(body))
    own, other = protocol(tmp_path), protocol(tmp_path, "other", grading={"strictness": "lenient"})
    for path in (own, other, own):
        evaluate("finqa", "--data", finqa, "--protocol", path)
    assert sorted(result["protocol"] for result in evaluate.results) == ["other", "own"]
    assert len(server.bodies) == 20  # one reply serves both


def test_a_budget_ends_the_run_and_a_larger_one_goes_on(server, evaluate, finqa, tmp_path):
    server.default = lambda body: said(shop(body))
    own = protocol(tmp_path)
    path = tmp_path / "settings.yaml"
    given = {"budget_requests": 8, "state_dir": str(tmp_path / "state"), "max_in_flight": 2}
    path.write_text(yaml.safe_dump({"model": given}))
    arguments = ["finqa", "--data", finqa, "--protocol", own, "--settings", path]
    out = evaluate(*arguments, code=1)
    assert "8 of 20 questions are answered and graded: " in out and "budget" in out
    path.write_text(yaml.safe_dump({"model": {**given, "budget_requests": 20}}))
    evaluate(*arguments)
    assert evaluate.results[0]["accuracy"] == 1.0 and len(server.bodies) == 20


def test_the_prompt_of_a_protocol(tmp_path):
    from dianjin_ext.questions.question import Question

    texts = {"en": "Think.\n{task}\nEnd {0} {x}.", "zh": "想。\n{question}"}
    system = {"en": "Be exact.", "zh": "请准确。"}
    rules = get_protocol(str(protocol(tmp_path, prompt=texts, system=system))).of("finqa")
    question = Question(
        data_source="finqa",
        question="What is {context}?",
        kind="number",
        answer="1",
        context="A page.",
        language="en",
    )
    system_message, user = rules.messages(question)
    assert system_message == {"role": "system", "content": "Be exact."}
    assert user["content"].startswith("Think.\n") and "A page." in user["content"]
    assert "What is {context}?" in user["content"] and user["content"].endswith("End {0} {x}.")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"sampling": {"temperature": -1}}, "sampling.temperature is -1"),
        ({"grading": {"strictness": "severe"}}, "strictness"),
        ({"judge": "extract"}, "extract is the prompt for judge: extract"),
        ({"prompt": {"en": "Hi", "zh": "好"}}, "prompt has neither"),
        ({"tempreature": 1}, "tempreature is not known; known: "),
        ({"benchmarks": {"finqa": {"sampling": {"topp": 1}}}}, "benchmarks.finqa.sampling.topp"),
        ({"source": 3}, "source is expected as text"),
    ],
)
def test_what_is_wrong_in_a_protocol_is_named(tmp_path, given, expected):
    from dianjin_ext.errors import DianjinError

    with pytest.raises(DianjinError, match=r"own\.yaml") as raised:
        get_protocol(str(protocol(tmp_path, **given)))
    assert expected in str(raised.value)


def test_rules_for_a_benchmark_that_is_none_are_refused(evaluate, finqa, tmp_path):
    own = protocol(tmp_path, benchmarks={"finqaa": {"judge": "verdict"}})
    out = evaluate("finqa", "--data", finqa, "--protocol", own, code=1)
    assert "protocol own: benchmarks.finqaa: there is no such benchmark" in out
    own = protocol(tmp_path, benchmarks={"own:exam": {"judge": "verdict"}})
    out = evaluate("finqa", "--data", finqa, "--protocol", own, "--split", "none", code=1)
    assert "the split 'none' has no questions" in out


def test_a_prompt_that_would_hide_the_options_is_refused(server, evaluate, tmp_path):
    path = tmp_path / "exam.csv"
    path.write_text("question,answer,A,B\nWhich?,A,this,that\n")
    own = tmp_path / "map.yaml"
    own.write_text("question: question\nanswer: answer\nkind: choice\nchoices: {A: A, B: B}\n")
    hiding = protocol(tmp_path, prompt={"en": "{question}", "zh": "{question}"})
    arguments = ["own:exam", "--data", path, "--map", own, "--protocol"]
    out = evaluate(*arguments, hiding, code=1)
    assert "no {task}, so that the model would not see the options of" in out
    assert not server.bodies and "Traceback" not in out
    server.default = said("A")
    evaluate(*arguments, protocol(tmp_path, prompt={"en": "{task}", "zh": "{task}"}))
    assert evaluate.results[0]["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("kind", "gold", "reasoning", "stated"),
    [
        ("kind: label\nlabels: [买入, 持有]", "买入", "所以答案是持有。", "持有"),
        ("kind: number\nscale: 万元", "12", "所以答案是15。", "150000"),
    ],
)
def test_a_report_reads_the_rows_as_they_were_graded(
    server, evaluate, tmp_path, kind, gold, reasoning, stated
):
    pytest.importorskip("jinja2")
    from dianjin_ext.evaluation.report import write_report

    (tmp_path / "own.csv").write_text(f"question,answer\n哪个？,{gold}\n")
    (tmp_path / "map.yaml").write_text(f"question: question\nanswer: answer\n{kind}\n")
    server.default = f"<think>{reasoning}</think>\n<answer>\\boxed{{{gold}}}</answer>"
    own = protocol(tmp_path, grading={"strictness": "lenient"})
    arguments = ["--data", tmp_path / "own.csv", "--map", tmp_path / "map.yaml"]
    evaluate("own:own", *arguments, "--protocol", own)
    (row,) = evaluate.rows("own-own.own")
    assert not {"span", "stated", "contradicts"} & row.keys()
    page = tmp_path / "report.html"
    facts = write_report([tmp_path / "out"], page)
    found = facts["runs"][0]["results"][0]["contradiction"]
    assert found == {"responses": 1, "stated": 1, "contradicts": 1, "right": 1}
    assert f'"stated":"{stated}"' in page.read_text("utf-8")
    assert f'{{"m":"{gold}"}}' in page.read_text("utf-8")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_it_is_told_how_it_goes_on(server, evaluate, finqa, tmp_path, number, code):
    server.default = "hang"
    process = evaluate.start("finqa", "--data", finqa, "--protocol", protocol(tmp_path))
    while process.poll() is None and not server.bodies:
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    assert "stopped; the same command goes on" in err and "Traceback" not in err
