import re
from collections import Counter

import pytest

from dianjin_ext.audit import KINDS, load_cases
from dianjin_ext.audit.corpus import parse_cases
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.settings import read_settings

CASES = [case for kind in KINDS for case in load_cases(kind)]
CHINESE, ENGLISH = re.compile("[一-鿿]"), re.compile("[A-Za-z]{3}")


def test_size():
    assert len(CASES) >= 400
    assert sum(case.right for case in CASES) >= 0.4 * len(CASES)
    for kind in KINDS:
        right = sum(case.right for case in load_cases(kind))
        assert 40 <= right <= len(load_cases(kind)) - 40


@pytest.mark.parametrize("kind", KINDS)
def test_both_languages(kind):
    said = [case.response.split("根据题意逐项分析。")[-1] for case in load_cases(kind)]
    said = [text.replace("answer", "").replace("think", "").replace("boxed", "") for text in said]
    assert sum(bool(CHINESE.search(text)) for text in said) >= 10
    assert sum(bool(ENGLISH.search(text)) for text in said) >= 10


def test_every_case_is_told_apart():
    assert max(Counter(case.id for case in CASES).values()) == 1
    contents = Counter(
        (case.data_source, case.response, repr((case.ground_truth, case.settings, case.extra_info)))
        for case in CASES
    )
    assert [content for content, count in contents.items() if count > 1] == []


def test_settings_are_known():
    for case in CASES:
        read_settings(case.settings)


TEXT = """
settings: {strictness: lenient}
groups:
- tag: two words
  source: finqa
  gold: '5'
  accept: ['5']
  refuse: ['6']
- {tag: two words, source: finqa, gold: '5', settings: {}, form: answer, refuse: ['x']}
- {tag: other, source: choice, gold: 'A', form: response, extra_info: {choices: {A: x}}}
"""


def test_groups_become_cases():
    first, second, third = parse_cases("numeric", TEXT, "x.yaml")
    assert first.response.endswith("<answer>\n\\boxed{5}\n</answer>")
    assert third.response.endswith("<answer>\nx\n</answer>")
    assert [case.id for case in (first, second, third)] == [
        f"numeric/two-words/{i}" for i in (1, 2, 3)
    ]
    assert [case.right for case in (first, second, third)] == [True, False, False]
    assert (first.settings, third.settings) == ({"strictness": "lenient"}, {})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("accept:", "acept:", ["x.yaml", "groups.0.acept"]),
        ("'6'", "6", ["x.yaml", "groups.0.refuse.0", "string"]),
        ("form: answer", "form: anser", ["groups.1.form", "'box'"]),
        ("groups:", "group:", ["groups"]),
        ("['5']", "['5'", ["x.yaml is not YAML"]),
        (TEXT, "", ["x.yaml"]),
    ],
)
def test_a_malformed_file_is_explained(old, new, words):
    with pytest.raises(DianjinError) as error:
        parse_cases("numeric", TEXT.replace(old, new, 1), "x.yaml")
    assert all(word in str(error.value) for word in words)


def test_unknown_kind():
    with pytest.raises(DianjinError, match=r"'numbers'.*numeric"):
        load_cases("numbers")
