import pytest

from dianjin_ext import rewards
from dianjin_ext.audit import (
    KINDS,
    Grader,
    audit,
    command,
    load_cases,
    other_graders,
    our_grader,
    own_reward_grader,
    run,
)
from dianjin_ext.audit.command import MAX_FALSE_REJECTS, markdown
from dianjin_ext.errors import DianjinError


@pytest.mark.parametrize("preset", [None, *rewards.PRESETS])
def test_no_false_accepts_and_few_false_rejects(preset):
    tallies = audit([our_grader(preset)])
    accepts = [case.id for tally in tallies for case in tally.false_accepts]
    rejects = [case.id for tally in tallies for case in tally.false_rejects]
    assert [tally.kind for tally in tallies] == list(KINDS)
    assert not accepts
    assert len(rejects) <= MAX_FALSE_REJECTS * sum(tally.right for tally in tallies), rejects


@pytest.mark.parametrize("preset", [None, *rewards.PRESETS])
def test_no_reward_of_ones_own_gets_format_without_the_layout(preset):
    (tally,) = audit([own_reward_grader(preset)])
    assert (tally.false_accepts, tally.false_rejects) == ((), ())
    assert tally.wrong > 80 and tally.right > 80


def grader(name, verdict):
    return Grader(name, KINDS, verdict, lambda case: True)


def test_mistakes_are_counted_both_ways():
    credulous, strict = grader("all", lambda case: True), grader("none", lambda case: False)
    steps = []
    tallies = audit([credulous, strict], ["open"], step=lambda: steps.append(1))
    cases = load_cases("open")
    right, wrong = [c for c in cases if c.right], [c for c in cases if not c.right]
    assert tallies[0][2:] == (len(right), len(wrong), tuple(wrong), ())
    assert tallies[1][2:] == (len(right), len(wrong), (), tuple(right))
    assert len(steps) == 2 * len(cases)
    line = f"| all | – | – | – | – | {len(wrong)} / {len(wrong)}, 0 / {len(right)} |"
    assert line in markdown(tallies).splitlines()


def test_a_grader_is_measured_on_what_it_claims_to_handle():
    only = Grader("only", ("label",), lambda case: True, lambda case: case.data_source == "ccc")
    (tally,) = audit([only, Grader("absent", KINDS, None, lambda case: True)])
    ccc = [case for case in load_cases("label") if case.data_source == "ccc"]
    assert (tally.kind, tally.right + tally.wrong) == ("label", len(ccc))


def test_published_rules_are_wrong_where_they_are_known_to_be():
    dianjin_r1, docmath, _ = other_graders()
    (choice,) = audit([dianjin_r1], ["choice"])
    accepted = {case.response.split("\n")[-2] for case in choice.false_accepts}
    assert {r"\boxed{ALL of the Above}", r"\boxed{EBITDA}"} <= accepted
    assert r"\boxed{\text{A}, \text{C}}" not in {
        case.response.split("\n")[-2] for case in choice.false_accepts
    }
    (numeric,) = audit([docmath], ["numeric"])
    mistakes = {
        (case.ground_truth, case.response.split("\n")[-2]) for case in numeric.false_accepts
    }
    assert {("-5", r"\boxed{5}"), ("12.5", r"\boxed{1250}")} <= mistakes


def only_ours(monkeypatch, preset=None, more=()):
    monkeypatch.setattr(command, "other_graders", list)
    return run(preset, more)


def test_run_shows_all_kinds_and_graders(monkeypatch, capsys):
    more = [grader("all", lambda case: True), Grader("absent", KINDS, None, lambda case: True)]
    assert only_ours(monkeypatch, "dianjin_r1", more) == 0
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in KINDS)
    assert shown.count("│ all ") == len(KINDS)
    assert "Not installed, so left out: absent." in shown
    assert "dianjin-ext, dianjin_r1: 0 of " in shown


@pytest.mark.parametrize("verdict", [True, False])
def test_run_fails_and_lists_the_mistakes(monkeypatch, capsys, verdict):
    broken = grader("broken", lambda case: verdict if case.kind == "open" else case.right)
    monkeypatch.setattr(command, "our_grader", lambda preset: broken)
    assert only_ours(monkeypatch) == 1
    shown = capsys.readouterr().out
    wanted = [case.id for case in load_cases("open") if case.right != verdict]
    assert all(f"{case} (" in shown for case in wanted)
    assert shown.count("false accept: " if verdict else "false reject: ") == len(wanted)


def test_a_few_false_rejects_are_let_pass(monkeypatch, capsys):
    forgiven = {case.id for case in load_cases("choice") if case.right}
    forgiven = set(sorted(forgiven)[:3])
    careful = grader("careful", lambda case: case.right and case.id not in forgiven)
    monkeypatch.setattr(command, "our_grader", lambda preset: careful)
    assert only_ours(monkeypatch) == 0
    assert capsys.readouterr().out.count("false reject: ") == 3


def test_unknown_preset():
    with pytest.raises(DianjinError, match=r"'r1'.*dianjin_r1"):
        run("r1")
