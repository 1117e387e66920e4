"""Evaluates scripts in pages and frames that may be left meanwhile."""

from typing import Any

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Frame, Page


def try_evaluate(
    target: Page | Frame, script: str, argument: object = None, default: Any = None
) -> Any:
    """Return the value of a script; ``default`` if the page is navigating or the frame detached."""
    try:
        return target.evaluate(script, argument)
    except BrowserError:
        return default
