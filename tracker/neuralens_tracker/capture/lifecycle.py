"""The life of a page: shown, read, left, and restored."""

from typing import Any

from neuralens_tracker.web.dom import listen, of_document
from neuralens_tracker.web.ffi import attempt, callback, get, invoke, record, window

# Milliseconds that a page which is never idle may hold things back.
PATIENCE_MS = 2000


def when_shown(act: Any) -> None:
    """Act now, or when a page that was rendered ahead is really opened."""
    if of_document("prerendering"):
        listen("prerenderingchange", act)
    else:
        act()


def when_read(act: Any) -> None:
    """Act now, or when the document has been read to its end."""
    if of_document("readyState") == "loading":
        listen("DOMContentLoaded", act)
    else:
        act()


def when_loaded(act: Any) -> None:
    """Act now, or when the document and all that is in it have been loaded."""
    if of_document("readyState") == "complete":
        act()
    else:
        listen("load", act)


def when_idle(act: Any) -> None:
    """Act when the browser has nothing else to do, or at last all the same."""
    # Safari has no idle callbacks; of their options, setTimeout makes no time at all.
    idle = get(window, "requestIdleCallback") or get(window, "setTimeout")
    invoke(idle, None, callback(act), record({"timeout": PATIENCE_MS}))


def when_navigating(act: Any) -> None:
    """Act when a navigation begins, where the Navigation API tells of it.

    Source: https://html.spec.whatwg.org/multipage/nav-history-apis.html#the-navigateevent-interface
    """
    attempt(get(window, "navigation"), "addEventListener", "navigate", callback(act))


def when_left(act: Any) -> None:
    """Act whenever the page may be seen for the last time."""
    # Safari does not always tell of a visibilitychange when a link is followed.
    listen("visibilitychange pagehide", act)
