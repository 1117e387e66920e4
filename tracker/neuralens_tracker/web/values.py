"""Copies values between Python and the browser, by JSON."""

from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.web.ffi import call, dump, get, parse, stringify, window


def to_browser(value: object) -> JSObject:
    """Return a copy of a JSON value as a browser object."""
    return call(get(window, "JSON"), "parse", dump(value))


def from_browser(thing: JSObject) -> Fields | None:
    """Return a copy of a browser object as a dict; None if it is not an object."""
    text = stringify(thing)
    value = None if text is None else parse(text)
    return value if isinstance(value, dict) else None
