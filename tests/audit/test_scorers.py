import subprocess
import sys

import pytest

from dianjin_ext.audit import Case, audit
from dianjin_ext.hosts.verl.scorers import graders


def case(kind, answer, gold):
    response = f"<think>x</think><answer>{answer}</answer>"
    return Case("", kind, "", "finqa", response, gold, {}, {}, True)


@pytest.mark.parametrize(
    ("name", "kind", "right", "wrong"),
    [
        ("verl math_reward", "choice", r"\boxed{A}", r"\boxed{B}"),
        ("verl math_dapo", "numeric", r"\boxed{A}", r"\boxed{-A}"),
        ("verl prime_math", "numeric", r"\boxed{A}", r"\boxed{C}"),
        ("verl search_r1_like_qa_em", "open", "A.", "B"),
    ],
)
def test_verdicts_of_verl(name, kind, right, wrong):
    pytest.importorskip("verl")
    (grader,) = (grader for grader in graders() if grader.name == name)
    assert kind in grader.kinds
    assert grader.accepts(case(kind, right, "A")) is True
    assert grader.accepts(case(kind, wrong, "A")) is False


def test_known_faults_of_verl():
    pytest.importorskip("verl")
    accepts = {grader.name: grader.accepts for grader in graders()}
    assert accepts["verl prime_math"](case("numeric", r"\boxed{1250}", "12.5"))
    assert not accepts["verl math_reward"](case("numeric", r"\boxed{1,234}", "1234"))


def test_only_common_cases_are_given_to_verl():
    pytest.importorskip("verl")
    (open_,) = audit([grader for grader in graders() if "open" in grader.kinds], ["open"])
    assert all(case.tag != "unusable gold" for case in open_.false_accepts + open_.false_rejects)


def test_nothing_of_verl_is_imported_before_it_is_used():
    code = (
        "import sys; from dianjin_ext.hosts.verl.scorers import graders; graders();"
        "sys.exit(any(name.partition('.')[0] in ('verl', 'torch', 'ray') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
