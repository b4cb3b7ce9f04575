"""Any cut of a stripe names the bytes that the whole of it has there."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.merge.stripes import Run, Stripe, cut


def spelled(stripe):
    """The file offset of every byte of a stripe."""
    return [
        run.offset + row * run.width + column
        for row in range(stripe.rows)
        for run in stripe.runs
        for column in range(run.width)
    ]


@given(st.integers(1, 5), st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_cut(rows, widths, data):
    runs = tuple(Run(None, 1000 * i, width) for i, width in enumerate(widths))
    stripe = Stripe(rows, runs)
    total = rows * stripe.width
    begin = data.draw(st.integers(0, total - 1))
    end = data.draw(st.integers(begin + 1, total))
    parts = list(cut(stripe, begin, end))
    assert list(chain.from_iterable(map(spelled, parts))) == spelled(stripe)[begin:end]
    assert all(part.rows == 1 or part.runs[0].width == widths[0] for part in parts)
    assert len(parts) <= 2 * len(widths) + 1
