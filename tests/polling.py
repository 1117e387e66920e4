"""Polling of a condition with a deadline, instead of sleeping."""

import time
from collections.abc import Callable
from typing import Any

# Seconds after which a test fails; long, because the machine may be busy.
TIMEOUT = 30.0


def pause(waited: float) -> None:
    """Sleep between two polls, for a tenth of the seconds already waited.

    Polling costs both processes CPU time, which others need while a condition takes long.
    """
    time.sleep(min(max(waited / 10, 0.01), 0.1))


def eventually(condition: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
    """Return the condition's value once it is true; fail after ``timeout`` seconds."""
    start = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - start
        assert waited < timeout, f"still {value!r} after {timeout} s"
        pause(waited)
