"""The event tracker: portable Python that runs in the browser and on the server.

The functions here are the public calls for Python that runs in a page
(``from neuralens_tracker import track``). They need the tracker, or its stub, on the page, and
exchange plain Python values.
"""

from neuralens_tracker.types import JSObject

# Exceptions of hooks that were already reported.
reported: list[str] = []


def call(command: str, *values: object) -> None:
    """Call ``window.neuralens(command, ...)`` with strings, numbers, dicts or functions."""
    # Imported here because only a page has an adapter.
    from neuralens_tracker.web.ffi import attempt, get, window

    attempt(
        get(window, "neuralens"), "call", None, command, *[hand_over(value) for value in values]
    )


def hand_over(value: object) -> JSObject:
    """Convert a Python value for the browser; functions are wrapped to convert both ways."""
    from neuralens_tracker.web.ffi import callback, describe
    from neuralens_tracker.web.values import from_browser, to_browser

    if not callable(value):
        return to_browser(value)

    def handle(thing: JSObject) -> JSObject:
        try:
            return to_browser(value(from_browser(thing)))
        except Exception as error:
            report(describe(error))
            return thing

    return callback(handle)


def report(sentence: str) -> None:
    """Log the exception of a hook to the console; repeats are dropped."""
    from neuralens_tracker.web.ffi import attempt, get, window

    if sentence not in reported:
        reported.append(sentence)
        attempt(get(window, "console"), "warn", "neuralens: a hook raised " + sentence)


def track(event: str, fields: dict[str, object]) -> None:
    """Track an event; fields: {id | ids, index, query, page}."""
    call("track", event, fields)


def identify(uid: object) -> None:
    """Set the shopper's user id; None makes the shopper anonymous."""
    call("identify", uid)


def consent(state: str) -> None:
    """Set the shopper's consent: granted, pending or denied."""
    call("consent", state)


def geo(location: object) -> None:
    """Set the location of subsequent events: {lat, long, region}; None clears it."""
    call("geo", location)


def page(view: dict[str, object]) -> None:
    """Start a new page view with this context: {page, query}."""
    call("page", view)


def before(change: object) -> None:
    """Register a hook: ``change(event)`` returns the event to send, modified or not, or None."""
    call("before", change)


def on(name: str, listener: object) -> None:
    """Register ``listener(detail)`` for ``event``, ``suppressed``, ``delivered`` or ``error``."""
    call("on", name, listener)


def flush() -> None:
    """Send all queued events now."""
    call("flush")
