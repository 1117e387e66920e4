"""The event tracker: portable Python that runs in the browser and on the server.

In a page's own Python the functions here are its calls: ``from neuralens_tracker import track``.
They need the tracker, or its stub, on the page; what they take and return are Python values.
"""

from typing import Any

# Sentences about hooks that raised: each is said once.
said: list[str] = []


def call(command: str, *values: Any) -> None:
    """Call ``window.neuralens(command, ...)`` with texts, numbers, dicts or functions."""
    # Only a page has an adapter.
    from neuralens_tracker.web.ffi import attempt, get, window

    attempt(
        get(window, "neuralens"), "call", None, command, *[hand_over(value) for value in values]
    )


def hand_over(value: Any) -> Any:
    """Return a Python value as the browser takes it; a function takes and returns Python values."""
    from neuralens_tracker.web.ffi import callback, describe
    from neuralens_tracker.web.values import from_browser, to_browser

    if not callable(value):
        return to_browser(value)

    def handle(thing: Any) -> Any:
        try:
            return to_browser(value(from_browser(thing)))
        except Exception as error:
            report(describe(error))
            return thing

    return callback(handle)


def report(sentence: str) -> None:
    """Say on the console, once, that a hook raised."""
    from neuralens_tracker.web.ffi import attempt, get, window

    if sentence not in said:
        said.append(sentence)
        attempt(get(window, "console"), "warn", "neuralens: a hook raised " + sentence)


def track(event: str, fields: dict[str, Any]) -> None:
    """Track an event; fields: {id | ids, index, query, page}."""
    call("track", event, fields)


def identify(uid: Any) -> None:
    """Give the shopper's user id; None for an anonymous one."""
    call("identify", uid)


def consent(state: str) -> None:
    """Give the shopper's consent: granted, pending or denied."""
    call("consent", state)


def geo(location: Any) -> None:
    """Give the location of the events from now on: {lat, long, region}; None takes it back."""
    call("geo", location)


def page(view: dict[str, Any]) -> None:
    """Begin a new page view: {page, query}."""
    call("page", view)


def before(change: Any) -> None:
    """Have ``change(event)`` return the event to send, changed or not; None drops it."""
    call("before", change)


def on(name: str, listener: Any) -> None:
    """Have ``listener(detail)`` called at each event, suppressed, delivered or error."""
    call("on", name, listener)


def flush() -> None:
    """Send what waits now."""
    call("flush")
