"""Portions adapt to what they take."""

import pytest
from neuralens_relay.portions import BREATH, FIRST, LEAST, MOST, REST, TARGET, Portion, rest


def settle(portion, cost, times=40):
    """Run portions of rows that cost ``cost`` seconds each; return what the last one took."""
    for _ in range(times):
        seconds = portion.rows * cost
        portion.note(seconds, full=True)
    return seconds


@pytest.mark.parametrize("cost", [1e-5, 1e-4, 4e-4])
def test_a_portion_takes_as_long_as_it_should(cost):
    portion = Portion()
    assert settle(portion, cost) == pytest.approx(TARGET, rel=0.05)
    # The disk slows down, and recovers.
    assert settle(portion, 3 * cost) == pytest.approx(max(TARGET, 3 * cost * LEAST), rel=0.1)
    assert settle(portion, cost) == pytest.approx(TARGET, rel=0.05)


def test_portions_are_bounded():
    portion = Portion()
    settle(portion, 0)
    assert portion.rows == MOST
    settle(portion, 1)
    assert portion.rows == LEAST


def test_a_portion_that_is_not_full_does_not_prove_that_more_fit():
    portion = Portion()
    portion.note(0.0, full=False)
    assert portion.rows == FIRST
    portion.note(2 * TARGET, full=False)
    assert portion.rows == FIRST / 2


def test_the_rest_grows_with_the_load():
    assert rest(0) == BREATH
    assert rest(1) == REST
