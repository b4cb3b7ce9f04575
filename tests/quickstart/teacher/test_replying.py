"""What the teacher says to each prompt: with no errors, and with each error at rate one."""

from dataclasses import replace

import pytest

from dianjin_ext.answers.tags import TAGS
from dianjin_ext.data import prompts
from dianjin_ext.data.steps.select import CRITERIA, read_criteria
from dianjin_ext.data.steps.verdicts import gold_text
from dianjin_ext.data.steps.verify import read_reasoning
from dianjin_ext.questions.prompts import prompt, task, with_options
from dianjin_ext.quickstart.teacher import serving_teacher, truth, world_questions
from dianjin_ext.quickstart.teacher.item import read_item
from dianjin_ext.quickstart.teacher.subject import CRITERIA as OWN_CRITERIA
from dianjin_ext.quickstart.teacher.tasks import recognise
from dianjin_ext.rewards.judge.prompt import fixed_nonce, messages, read_verdict

QUESTIONS = world_questions(40, seed=2)
EACH = [next(q for q in QUESTIONS if q.language == language) for language in ("zh", "en")]
STRATEGIES = ("backtrack", "new_path", "verify", "correct")


def asking(question, tags="think_only"):
    return [{"role": "user", "content": prompt(question, TAGS[tags])}]


def sent(name, row, /, **given):
    return prompts.load(name).messages(row.language, **given)


def judging(question, answer):
    texts = with_options(question), gold_text(question), answer
    return messages(*texts, nonce=fixed_nonce(*texts))


def checking(question, reasoning):
    given = {"question": task(question), "answer": gold_text(question), "reasoning": reasoning}
    return sent("reasoning_check", question, **given)


def selecting(question, reasoning):
    given = {"reasoning": reasoning, "answer": f"\\boxed{{{question.answer}}}"}
    return sent("select", question, instruction=prompt(question), **given)


def rewriting(question, **more):
    separator = "；" if question.language == "zh" else "; "
    answer = separator.join(question.choices[letter] for letter in question.answer)
    options = "\n".join(f"{letter}. {text}" for letter, text in question.choices.items())
    name = "rewrite_check" if more else "rewrite"
    return sent(name, question, question=question.question, options=options, answer=answer, **more)


@pytest.mark.parametrize("question", EACH, ids=("zh", "en"))
def test_an_answer_comes_with_its_reasoning_apart(perfect, ask, question):
    reasoning, content, finish_reason = ask(perfect, asking(question))
    assert truth(question, reasoning, content) == (True, True)
    assert f"\\boxed{{{question.answer}}}" in content
    assert finish_reason == "stop"


@pytest.mark.parametrize("question", EACH, ids=("zh", "en"))
def test_a_layout_with_an_answer_block_is_written_as_a_whole(perfect, ask, question):
    reasoning, content, _ = ask(perfect, asking(question, "dianjin_r1"))
    assert reasoning is None
    assert content.startswith("<think>")
    assert content.endswith("</answer>")
    assert truth(question, content, content) == (True, True)


def test_each_error_of_an_answer_at_rate_one(ask, rates):
    with serving_teacher(**rates(wrong=1)) as url:
        for question in QUESTIONS:
            reasoning, content, _ = ask(url, asking(question))
            assert truth(question, reasoning, content) == (False, False)
    with serving_teacher(**rates(broken=1)) as url:
        for question in QUESTIONS:
            reasoning, content, _ = ask(url, asking(question))
            assert truth(question, reasoning, content) == (True, False)
    with serving_teacher(**rates(cut=1, wrong=1)) as url:
        for question in QUESTIONS:
            reasoning, content, finish_reason = ask(url, asking(question))
            assert (content, finish_reason) == ("", "length")
            assert reasoning
    with serving_teacher(**rates(no_answer=1)) as url:
        for question in QUESTIONS:
            reasoning, content, finish_reason = ask(url, asking(question))
            assert "\\boxed" not in content
            assert not truth(question, reasoning, content).right
            assert finish_reason == "stop"


def reply_of(read, url, ask, given):
    return [read(ask(url, each)[1]) for each in given]


def test_the_judge_says_what_is_true_and_errs_at_its_rate(perfect, ask, rates):
    given, right = [], []
    for question in QUESTIONS[:10]:
        other = next(letter for letter in "ABCD" if letter != question.answer)
        for answer in (question.answer, other, "库存现金；库存股", ""):
            given.append(judging(question, answer))
            right.append(truth(question, "", answer).right)
    expected = [("wrong", "correct")[each] for each in right]
    turned = [("correct", "wrong")[each] for each in right]
    assert reply_of(read_verdict, perfect, ask, given) == expected
    with serving_teacher(**rates(judge_errs=1)) as url:
        assert reply_of(read_verdict, url, ask, given) == turned
    with serving_teacher(**rates(off_form=1)) as url:
        assert reply_of(read_verdict, url, ask, given) == [None] * len(given)


def test_the_judge_goes_by_the_reference_even_where_it_knows_better(perfect, ask):
    question = next(q for q in QUESTIONS if q.answer == "A")
    wrong_gold = replace(question, answer="B")
    given = [judging(wrong_gold, answer) for answer in ("B", "A", question.choices["B"])]
    assert reply_of(read_verdict, perfect, ask, given) == ["correct", "wrong", "correct"]
    # without the options, as rewards may ask, and about what nobody knows
    plain = [("下列哪项属于资产？", "库存现金", said) for said in ("库存现金。", "库存股")]
    plain += [("How much?", "3 million", said) for said in ("3 Million.", "4 million", ".")]
    given = [messages(*each) for each in plain]
    expected = ["correct", "wrong", "correct", "wrong", "wrong"]
    assert reply_of(read_verdict, perfect, ask, given) == expected


def traces(url, ask, count=10):
    for question in QUESTIONS[:count]:
        for seed in range(4):
            reasoning, content, _ = ask(url, asking(question), seed=seed)
            if reasoning:
                yield question, reasoning, truth(question, reasoning, content).sound


def test_the_check_of_reasoning_says_what_is_true_and_errs_at_its_rate(perfect, ask, rates):
    with serving_teacher(**rates(broken=0.4, wrong=0.2)) as url:
        found = list(traces(url, ask))
    given = [checking(question, reasoning) for question, reasoning, _ in found]
    assert 5 < sum(sound for *_, sound in found) < len(found) - 5
    expected = [("broken", "sound")[sound] for *_, sound in found]
    assert reply_of(read_reasoning, perfect, ask, given) == expected
    with serving_teacher(**rates(judge_errs=1)) as url:
        turned = [("sound", "broken")[sound] for *_, sound in found]
        assert reply_of(read_reasoning, url, ask, given) == turned
    with serving_teacher(**rates(off_form=1)) as url:
        assert reply_of(read_reasoning, url, ask, given) == [None] * len(given)


def test_the_seven_criteria_say_what_is_true_and_err_at_their_rate(perfect, ask, rates):
    assert OWN_CRITERIA == CRITERIA
    with serving_teacher(**rates(broken=0.4, wrong=0.2)) as url:
        found = list(traces(url, ask))
    given = [selecting(question, reasoning) for question, reasoning, _ in found]
    said = reply_of(read_criteria, perfect, ask, given)
    assert [all(each.values()) for each in said] == [sound for *_, sound in found]
    with serving_teacher(**rates(criteria_err=1)) as url:
        turned = [{name: 1 - value for name, value in each.items()} for each in said]
        assert reply_of(read_criteria, url, ask, given) == turned
    with serving_teacher(**rates(off_form=1)) as url:
        assert reply_of(read_criteria, url, ask, given) == [None] * len(given)


def opened(url, ask, question):
    content = ask(url, rewriting(question))[1]
    kind, _, text = content.partition(": ")
    assert kind == "QUESTION"
    assert "\n" not in text
    return text


def check(url, ask, question, text):
    lines = ask(url, rewriting(question, rewritten=text))[1].splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["SELF_CONTAINED", "SAME_ANSWER"]
    return [line.partition(": ")[2] for line in lines]


def test_a_rewritten_question_has_the_same_answer_and_is_answered_by_it(perfect, ask):
    for question in QUESTIONS[:10]:
        text = opened(perfect, ask, question)
        assert check(perfect, ask, question, text) == ["yes", "yes"]
        separator = "；" if question.language == "zh" else "; "
        answer = separator.join(question.choices[letter] for letter in question.answer)
        new = replace(
            question, question=text, kind="open", choices={}, answer=answer, data_source="cflue_oe"
        )
        reasoning, content, _ = ask(perfect, asking(new))
        assert f"\\boxed{{{answer}}}" in content
        assert truth(new, reasoning, content) == (True, True)
        assert read_verdict(ask(perfect, judging(new, answer))[1]) == "correct"
        assert read_verdict(ask(perfect, judging(new, "库存现金；库存股"))[1]) == "wrong"
        assert read_reasoning(ask(perfect, checking(new, reasoning))[1]) == "sound"


def test_errors_of_rewriting_and_how_they_are_found(perfect, ask, rates):
    found = set()
    with serving_teacher(**rates(rewrite_errs=1)) as url:
        for question in QUESTIONS:
            text = opened(url, ask, question)
            said = check(perfect, ask, question, text)
            titles = [question.choices[letter] for letter in question.answer]
            if any(title in text for title in titles):
                found.add("leaks")
            elif said[0] == "no":
                found.add("needs options")
            else:
                assert said == ["yes", "no"]
                assert set(read_item(text).right) != set(read_item(with_options(question)).right)
                found.add("another answer")
    assert found == {"leaks", "needs options", "another answer"}
    question = QUESTIONS[0]
    text = opened(perfect, ask, question)
    assert check(perfect, ask, question, QUESTIONS[1].question) == ["no", "no"]
    assert check(perfect, ask, question, opened(perfect, ask, QUESTIONS[1])) == ["no", "no"]
    with serving_teacher(**rates(judge_errs=1)) as url:
        assert check(url, ask, question, text) == ["yes", "no"]
        assert check(url, ask, question, question.question) == ["yes", "yes"]
    with serving_teacher(**rates(off_form=1)) as url:
        content = ask(url, rewriting(question, rewritten=text))[1]
        assert "SAME_ANSWER" not in content


def conclusion(content):
    text, _, last = content.rpartition("\n")
    assert last.startswith("\\boxed{")
    assert "\\boxed" not in text
    return text, last


@pytest.mark.parametrize("question", EACH, ids=("zh", "en"))
def test_a_search_goes_wrong_and_is_put_right(perfect, ask, rates, question):
    given = {"question": task(question)}
    with serving_teacher(**rates(wrong_thought=1)) as url:
        text, last = conclusion(ask(url, sent("search_think", question, **given))[1])
        assert truth(question, text, last) == (False, False)
    assert text.count("\n\n") >= 5
    for name in STRATEGIES:
        thoughts = f"{text}\n{last}"
        new = ask(perfect, sent(f"search_{name}", question, **given, thoughts=thoughts))[1]
        more, right = conclusion(new)
        assert truth(question, more, right) == (True, True)
        whole = f"{thoughts}\n\n{more}\n{right}"
        merge = sent("search_merge", question, **given, thoughts=whole)
        merged = ask(perfect, merge)[1]
        assert "\\boxed" not in merged
        assert truth(question, merged, right) == (True, True)
        assert all(line.strip() in merged for line in text.splitlines()[1:] if line.strip())
        final = ask(perfect, sent("search_answer", question, **given, thoughts=merged))[1]
        assert final.endswith(f"\\boxed{{{question.answer}}}")
        # the reply says what the thoughts come to, right or not
        final = ask(perfect, sent("search_answer", question, **given, thoughts=text))[1]
        assert final.endswith(last)
    with serving_teacher(**rates(wrong_thought=1)) as url:
        told = sent("search_told", question, **given, thoughts=text, answer=gold_text(question))
        assert truth(question, *conclusion(ask(url, told)[1])) == (True, True)
        again = sent("search_verify", question, **given, thoughts=text)
        assert not truth(question, *conclusion(ask(url, again)[1])).right


def agents(steps, asked="客服是否合规？请回答“合规”或“不合规”。", language="zh"):
    text = prompts.load("merge_agents")
    return text.messages(language, instruction=asked, steps=steps)


def test_the_record_of_agents_becomes_one_reasoning(perfect, ask, rates):
    steps = "检查员：客服没有说明风险。\n复核员：条款要求说明风险。\n裁定：不合规"
    text, last = conclusion(ask(perfect, agents(steps))[1])
    assert last == "\\boxed{不合规}"
    assert "客服没有说明风险" in text
    assert "检查员" not in text
    english = agents("Agent 1: no risk was named.\nAll in all non-compliant.", ENGLISH, "en")
    assert conclusion(ask(perfect, english)[1])[1] == "\\boxed{non-compliant}"
    with serving_teacher(**rates(wrong=1)) as url:
        assert conclusion(ask(url, agents(steps))[1])[1] == "\\boxed{合规}"
        assert conclusion(ask(url, english)[1])[1] == "\\boxed{compliant}"


ENGLISH = "Does the agent in this dialogue comply? Answer compliant or non-compliant."


@pytest.mark.parametrize("name", prompts.names())
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_prompt_is_told_from_every_other(name, language):
    text = prompts.load(name)
    fields = {"question", "options", "answer", "rewritten", "reasoning", "instruction"}
    fields |= {"steps", "thoughts"}
    given = {field: f"[{field}]\nof {{answer}}" for field in fields}
    asked = recognise(text.messages(language, **given))
    assert (asked.task, asked.language) == (name, language)
    for field, value in asked.fields.items():
        assert value.startswith(given[field])
