"""Waiting for a condition, with a deadline: never for a while."""

import time
from collections.abc import Callable
from typing import Any

# Seconds after which a test fails. Generous, for a machine that does much else at once.
PATIENCE = 30.0


def eventually(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return the condition's value once it is true; fail when that takes longer than patience."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {patience} s"
        time.sleep(0.01)
