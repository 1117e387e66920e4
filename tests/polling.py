"""Waiting for a condition, with a deadline: never for a while."""

import time
from collections.abc import Callable
from typing import Any

# Seconds after which a test fails. Generous, for a machine that does much else at once.
TIMEOUT = 30.0


def eventually(condition: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
    """Return the condition's value once it is true; fail when that takes longer than timeout."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {timeout} s"
        time.sleep(0.01)
