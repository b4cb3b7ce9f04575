import pytest

from dianjin_ext.data import format_response, multiple_choice_prompt
from dianjin_ext.data.prompts import OUTPUT_FORMAT
from dianjin_ext.errors import DianjinError

CHOICES = {"A": "国债", "B": "公司债"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("multiple", [True, False, None])
def test_prompt_shows_question_options_and_format(language, multiple):
    prompt = multiple_choice_prompt("哪一种？", CHOICES, language=language, multiple=multiple)
    assert prompt.endswith("\n\n哪一种？\nA. 国债\nB. 公司债")
    assert prompt.startswith(OUTPUT_FORMAT[language])
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
