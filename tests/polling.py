"""Polling of a condition with a deadline, instead of sleeping."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

# Seconds after which a test fails; long, because the machine may be busy.
TIMEOUT = 30.0


def pause(waited: float, page: Page | None = None) -> None:
    """Sleep between two polls, for a tenth of the seconds already waited; see ``eventually``.

    Polling costs both processes CPU time, which others need while a condition takes long.
    """
    seconds = min(max(waited / 10, 0.01), 0.1)
    if page is None:
        time.sleep(seconds)
    else:
        page.wait_for_timeout(seconds * 1000)


def eventually(
    condition: Callable[[], Any], timeout: float = TIMEOUT, page: Page | None = None
) -> Any:
    """Return the condition's value once it is true; fail after ``timeout`` seconds.

    ``page``: one whose events Playwright dispatches to the test's handlers meanwhile.
    """
    start = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - start
        assert waited < timeout, f"still {value!r} after {timeout} s"
        pause(waited, page)
