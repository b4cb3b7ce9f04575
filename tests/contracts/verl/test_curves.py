import subprocess
import sys

import pytest

pytest.importorskip("verl")
from dianjin_ext.hosts.verl.curves import RewardCurves


def row(score, reason, **more):
    return {"score": score, "acc": score, "pred": "A", "reason": reason} | more


def test_means_of_numbers_and_shares_of_reasons():
    metrics = RewardCurves()(
        [
            ("cflue_mcq", row(1.0, "correct")),
            ("cflue_mcq", row(0.0, "wrong")),
            ("cflue_mcq", row(0.0, "no_answer")),
            ("cflue_mcq", row(0.0, "no_answer")),
        ]
    )
    assert metrics == {
        "reward/score/mean": 0.25,
        "reward/acc/mean": 0.25,
        "reward_reason/correct": 0.25,
        "reward_reason/wrong": 0.25,
        "reward_reason/no_answer": 0.5,
    }


def test_several_data_sources_have_curves_of_their_own():
    metrics = RewardCurves()(
        [("cflue_mcq", row(1.0, "correct")), ("finqa", row(0.0, "wrong", penalty=-1.0))]
    )
    assert metrics["reward/acc/mean"] == 0.5
    assert metrics["reward/cflue_mcq/acc/mean"] == 1.0
    assert metrics["reward/finqa/acc/mean"] == 0.0
    assert metrics["reward_reason/finqa/wrong"] == 1.0
    assert metrics["reward_reason/cflue_mcq/wrong"] == 0.0
    # A component that only some rows have is a mean over those rows.
    assert metrics["reward/penalty/mean"] == -1.0


def test_a_reason_that_goes_away_is_zero_from_then_on():
    curves = RewardCurves()
    curves([("s", row(0.0, "no_think"))])
    assert curves([("s", row(1.0, "correct"))])["reward_reason/no_think"] == 0.0


def test_free_text_as_a_reason_does_not_make_a_curve_a_row():
    metrics = RewardCurves()([("s", row(0.0, f"because {i}")) for i in range(1000)])
    assert len(metrics) < 60
    assert metrics["reward_reason/other"] > 0.9


def test_skipped_responses_count_as_a_reason_only():
    right = {"acc": 1.0, "reason": "correct"}
    skipped = {"acc": 0.0, "reason": "skipped"}
    metrics = RewardCurves()([("a", right), ("a", skipped)])
    assert metrics == {
        "reward/acc/mean": 1.0,
        "reward_reason/correct": 0.5,
        "reward_reason/skipped": 0.5,
    }


def test_nothing_to_show():
    assert RewardCurves()([]) == {}


def test_trainers_are_registered_only_when_verl_loads_its_own():
    code = (
        "import sys, verl\n"
        "assert 'verl.trainer.ppo.v1' not in sys.modules\n"
        "from verl.trainer.ppo.v1 import PPOTrainer, get_trainer_cls\n"
        "for mode in ('sync', 'colocate_async', 'separate_async'):\n"
        "    trainer = get_trainer_cls('dianjin_' + mode)\n"
        "    assert trainer.verl_mode == mode\n"
        "    assert issubclass(trainer, get_trainer_cls(mode))\n"
        "    assert trainer._compute_metrics is not PPOTrainer._compute_metrics\n"
        "print('three')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().endswith("three"), done.stderr
