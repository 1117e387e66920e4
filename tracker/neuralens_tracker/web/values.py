"""Values that cross between the tracker and the page's own functions, as copies."""

from typing import Any

from neuralens_tracker.web.ffi import call, dump, get, parse, stringify, window


def to_browser(value: Any) -> Any:
    """Return a browser object that holds a copy of a JSON value."""
    return call(get(window, "JSON"), "parse", dump(value))


def from_browser(thing: Any) -> Any:
    """Return a copy of a browser object's fields as a dict; None when it is no object."""
    text = stringify(thing)
    value = None if text is None else parse(text)
    return value if isinstance(value, dict) else None
