"""Prints to the browser's console."""

from neuralens_tracker.types import JSObject, ValueType
from neuralens_tracker.value_types import requirement
from neuralens_tracker.web.ffi import call, get, window


def warn(sentence: str) -> None:
    """Print a warning."""
    call(get(window, "console"), "warn", "neuralens: " + sentence)


def log(message: str, detail: JSObject) -> None:
    """Print a message, followed by an object."""
    call(get(window, "console"), "log", "neuralens " + message, detail)


def describe_invalid(element: JSObject, name: str, value_type: ValueType) -> str:
    """Return the message for an invalid attribute, with the beginning of the element's markup."""
    return requirement(name, value_type) + ": " + get(element, "outerHTML")[:99]
