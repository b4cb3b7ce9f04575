import pytest

from dianjin_ext import compute_score
from dianjin_ext.answers.tags import TAGS
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.prompts import format_response, multiple_choice_prompt, output_format

CHOICES = {"A": "国债", "B": "公司债"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("multiple", [True, False, None])
def test_prompt_shows_question_options_and_format(language, multiple):
    prompt = multiple_choice_prompt("哪一种？", CHOICES, language=language, multiple=multiple)
    assert prompt.endswith("\n\n哪一种？\nA. 国债\nB. 公司债")
    assert prompt.startswith(output_format(language))
    for part in ("<think>", "</think>", "<answer>", "</answer>", "\\boxed{}"):
        assert part in prompt


@pytest.mark.parametrize("language", ["zh", "en"])
def test_prompt_says_how_many_options_are_right(language):
    prompts = {
        multiple_choice_prompt("q", CHOICES, language=language, multiple=multiple)
        for multiple in (True, False, None)
    }
    assert len(prompts) == 3


def test_format_response():
    assert (
        format_response(" 因为\n所以 ", "AC")
        == "<think>因为\n所以</think>\n<answer>\\boxed{AC}</answer>"
    )


@pytest.mark.parametrize(
    ("think", "answer", "message"),
    [
        ("", "A", "think part .* empty"),
        ("x", " ", "answer part .* empty"),
        ("a</think>b", "A", "think part .* contains </think>"),
        ("a", "</answer>", "answer part .* contains </answer>"),
    ],
)
def test_format_response_refuses_what_no_reward_could_accept(think, answer, message):
    with pytest.raises(DianjinError, match=message):
        format_response(think, answer)


@pytest.mark.parametrize("name", TAGS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_prompt_and_response_follow_the_layout(name, language):
    tags = TAGS[name]
    prompt = multiple_choice_prompt("1 + 1?", {"A": "2", "B": "3"}, language=language, tags=tags)
    asked = output_format(language, tags)
    assert prompt.startswith(asked)
    assert [mark in asked for mark in tags.marks] == [name != "channels"] * len(tags.marks)
    response = format_response("1 + 1 = 2", "A", tags)
    for other in ("dianjin_r1", "channels", name):
        score = compute_score("choice", response, "A", tags=other)
        assert score["acc"] == score["format"] == float(other == name)
    with pytest.raises(DianjinError, match="contains"):
        format_response(f"x {tags.think[1]}", "A", tags)
