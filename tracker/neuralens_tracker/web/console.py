"""The browser's console."""

from typing import Any

from neuralens_tracker.value_types import demand
from neuralens_tracker.web.ffi import call, get, window


def warn(sentence: str) -> None:
    """Print a warning."""
    call(get(window, "console"), "warn", "neuralens: " + sentence)


def complaint(element: Any, name: str, value_type: Any) -> str:
    """Say that an element's attribute must be of a type, with the beginning of its markup."""
    return demand(name, value_type) + ": " + get(element, "outerHTML")[:99]
