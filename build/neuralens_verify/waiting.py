"""Waits in a page: for a time, or for a condition."""

import time
from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

# Milliseconds until a page has reacted to an action, on top of the tracker's own thresholds.
MARGIN_MS = 150
# Milliseconds between two looks at a condition.
POLL_MS = 25


def pause(page: Page, milliseconds: float) -> None:
    """Wait for a time, while the browser's events are handled, which time.sleep would prevent."""
    with suppress(BrowserError):
        page.wait_for_timeout(milliseconds)


def wait_until(page: Page, condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds; return whether it did before the timeout."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause(page, POLL_MS)
    return True
