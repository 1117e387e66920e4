"""Polling of a condition with a deadline, instead of sleeping."""

import time
from collections.abc import Callable
from typing import Any

# Seconds after which a test fails; long, because the machine may be busy.
TIMEOUT = 30.0


def eventually(condition: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
    """Return the condition's value once it is true; fail after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {timeout} s"
        time.sleep(0.01)
