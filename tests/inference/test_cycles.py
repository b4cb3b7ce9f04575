"""How often cycles are looked for goes back to what it was."""

import gc

from dianjin_ext.inference.cycles import sought_seldom


def test_cycles_are_sought_as_before_at_the_end():
    before = gc.get_threshold()
    with sought_seldom(), sought_seldom():
        assert gc.get_threshold()[0] >= 10_000
    assert gc.get_threshold() == before
    gc.set_threshold(0)
    try:
        with sought_seldom():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
