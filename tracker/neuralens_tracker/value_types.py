"""The types of value that settings, attributes, calls and events hold, and how one is read.

A type is the text that says what is wanted, or a tuple of the words allowed.
"""

from typing import Any

from neuralens_tracker.types import Json, ValueType
from neuralens_tracker.vocabulary import MAX_COUNT, MAX_TEXT

TEXT = "text"
COUNT = "a whole number from 0"
FLAG = "true or false"


def wanted(value_type: ValueType) -> str:
    """Say what a value of this type must be."""
    return value_type if isinstance(value_type, str) else "one of " + ", ".join(value_type)


def demand(name: str, value_type: ValueType) -> str:
    """Say that what is called name must be of this type."""
    return name + " must be " + wanted(value_type)


def is_number(value: Json, low: float, high: float) -> bool:
    """Tell whether value is a number, no bool, from low to high; false for NaN."""
    return (
        isinstance(value, (int, float))
        and value is not True
        and value is not False
        and low <= value
        and value <= high
    )


def is_digits(text: str) -> bool:
    """Tell whether text is digits; what isdigit() takes for one differs from engine to engine."""
    for letter in text:
        if letter < "0" or letter > "9":
            return False
    return text != ""


def words_of(text: str) -> list[str]:
    """Return what stands between the spaces of a text."""
    return [word for word in text.split(" ") if word != ""]


def read(value_type: ValueType, value: Any) -> Any:
    """Return what ``value``, a text of the markup or a JSON value, stands for; None if wrong.

    A number may be written as text, and text as a whole number. An empty text is a flag that is
    set, as HTML has it for its own attributes, and no text.
    """
    if value_type == FLAG:
        if value is True or value == "true" or value == "":
            return True
        return False if value is False or value == "false" else None
    if value_type == COUNT and isinstance(value, str) and is_digits(value) and len(value) < 11:
        value = int(value)
    is_count = is_number(value, 0, MAX_COUNT) and value % 1 == 0
    if value_type == COUNT:
        return value if is_count else None
    # The text of a fraction differs from engine to engine.
    if is_count:
        value = str(int(value))
    right = isinstance(value, str) and value != "" and len(value) <= MAX_TEXT
    return value if right and (value_type == TEXT or value in value_type) else None
