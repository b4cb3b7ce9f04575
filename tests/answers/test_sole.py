"""The one quantity of a short answer; the audit's corpus has many more cases."""

import pytest

from dianjin_ext.answers.sole import read_sole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The capital expenditure was $1,577.", 1577),
        ("The average between 2016 and 2017 is 1,577.", 1577),
        ("The difference between the high and the low price was $1.56.", 1.56),
    ],
)
def test_one_quantity(text, value):
    assert float(read_sole(text).value.value) == value


@pytest.mark.parametrize(
    "text",
    [
        "The margin is between 5 and 10.",
        "The margin is between 5% and the rest.",
        "It was between $ 5 and more.",
        "It was 7 between 2016 and 2017, and 9 after.",
    ],
)
def test_a_range_or_a_second_quantity_is_none(text):
    assert read_sole(text).value is None
