import math
from typing import get_args

import numpy as np
import pytest

from dianjin_ext.answers.reading import Fault
from dianjin_ext.answers.response import LayoutFault
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import REASONS, Score, verdict, zero
from dianjin_ext.rewards.base import as_score


def test_every_fault_of_a_reader_is_a_reason():
    faults = {*get_args(Fault), *get_args(LayoutFault)} - {""}
    assert faults <= REASONS.keys()


def test_verdict_and_zero():
    assert verdict(True, "A") == Score(1.0, 1.0, 1.0, "A", "correct")
    assert verdict(False, "A") == Score(0.0, 0.0, 1.0, "A", "wrong")
    assert zero("timeout") == Score(0.0, 0.0, 0.0, "", "timeout")


@pytest.mark.parametrize("value", [0.25, np.float32(0.25), np.array(0.25)])
def test_a_number_becomes_a_score(value):
    assert as_score(value, "mine") == Score(0.25, 0.25, 1.0, "", "wrong")
    assert type(as_score(value, "mine").score) is float


def test_accuracy_stays_within_0_and_1():
    assert as_score(True, "mine") == Score(1.0, 1.0, 1.0, "", "correct")
    assert as_score(False, "mine") == Score(0.0, 0.0, 1.0, "", "wrong")
    assert as_score(2, "mine") == Score(2.0, 1.0, 1.0, "", "correct")
    assert as_score(-1, "mine") == Score(-1.0, 0.0, 1.0, "", "wrong")


@pytest.mark.parametrize(
    "value",
    [None, {}, "high", "1", 10**400, math.nan, math.inf, zero("wrong")._replace(acc=math.nan)],
)
def test_what_is_no_score_is_refused_by_name(value):
    with pytest.raises(DianjinError, match="my/reward"):
        as_score(value, "my/reward")


def test_unknown_reason_is_refused():
    with pytest.raises(DianjinError, match=r"'bored'.*no_think"):
        as_score(zero("bored"), "my/reward")
