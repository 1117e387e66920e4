"""The browser's console."""

from neuralens_tracker.types import JSObject, ValueType
from neuralens_tracker.value_types import demand
from neuralens_tracker.web.ffi import call, get, window


def warn(sentence: str) -> None:
    """Print a warning."""
    call(get(window, "console"), "warn", "neuralens: " + sentence)


def complaint(element: JSObject, name: str, value_type: ValueType) -> str:
    """Say that an element's attribute must be of a type, with the beginning of its markup."""
    return demand(name, value_type) + ": " + get(element, "outerHTML")[:99]
