"""Portions: changes of many rows, in transactions that are bounded by their duration.

While one writes, nobody else can. How many rows fit depends on the disk, the load and the rows, so
it is measured. Between two portions the outbox is left to others.
"""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from neuralens_relay.store import Store

T = TypeVar("T")

# Seconds that a portion should take.
TARGET = 0.01
# The rows of the first portion, and of any.
FIRST = 100
LEAST = 20
MOST = 5000
# The most by which the next portion is larger, or smaller: a single stall says little.
STEP = 2.0
# Seconds between two portions: at least, and as a multiple of what the last one took, waiting for
# the lock included, which grows with the load.
BREATH = 0.05
REST = 3


class Portion:
    """The number of rows in the next portion."""

    def __init__(self) -> None:
        self.rows = FIRST

    def note(self, seconds: float, full: bool) -> None:
        """Adapt to what a portion took; one that was not ``full`` does not prove that more fit."""
        factor = min(TARGET / max(seconds, 1e-6), STEP if full else 1.0)
        self.rows = min(MOST, max(LEAST, round(self.rows * max(factor, 1 / STEP))))

    def run(self, store: Store, operation: Callable[[], T]) -> T:
        """Run an operation on that many rows in a transaction of its own, and rest after it."""
        began = monotonic()
        with store.transaction():
            locked = monotonic()
            result = operation()
        ended = monotonic()
        self.note(ended - locked, full=True)
        sleep(rest(ended - began))
        return result


def rest(seconds: float) -> float:
    """Return for how long to leave the outbox to others after a portion that took ``seconds``."""
    return max(BREATH, REST * seconds)
