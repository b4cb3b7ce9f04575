import logging

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.failures import MAX_IN_A_ROW, Failures


def broken(text):
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_64_in_a_row_stop_once_with_the_first_traceback(caplog):
    failures = Failures()
    failures.failed("desk", broken("the first"))
    for _ in range(MAX_IN_A_ROW - 2):
        failures.failed("desk", KeyError("gold"))
    with pytest.raises(DianjinError) as stop:
        failures.failed("desk", KeyError("gold"))
    message = str(stop.value)
    assert "'desk' failed on 64 responses in a row (1 ValueError, 63 KeyError)" in message
    assert "Traceback" in message and message.endswith("ValueError: the first")
    failures.failed("desk", KeyError("gold"))  # asked once


def test_sporadic_failures_go_on():
    failures = Failures()
    for _ in range(3):
        for _ in range(MAX_IN_A_ROW - 1):
            failures.failed("desk", broken("x"))
        failures.graded("desk")


def test_each_data_source_counts_for_itself():
    failures = Failures()
    for _ in range(MAX_IN_A_ROW - 1):
        failures.failed("desk", broken("x"))
        failures.graded("other")
    with pytest.raises(DianjinError, match="'desk'"):
        failures.failed("desk", broken("x"))


def test_each_kind_is_logged_by_itself(caplog):
    failures = Failures()
    with caplog.at_level(logging.ERROR):
        for _ in range(20):
            failures.failed("desk", broken("x"))
        failures.failed("desk", KeyError("gold"))
        failures.failed("other", broken("x"))
    assert len(caplog.records) == 5 + 1 + 1
    assert len([record for record in caplog.records if record.exc_info]) == 3
