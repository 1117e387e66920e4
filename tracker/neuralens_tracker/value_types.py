"""The value types of settings, attributes, calls and events, and how values are parsed.

A type is a description, such as "text", or a tuple of the allowed words.
"""

from typing import TypeGuard

from neuralens_tracker.types import Unchecked, ValueType
from neuralens_tracker.vocabulary import MAX_COUNT, MAX_TEXT

TEXT = "text"
COUNT = "a whole number from 0"
FLAG = "true or false"


def expected(value_type: ValueType) -> str:
    """Describe the values of a type."""
    return value_type if isinstance(value_type, str) else "one of " + ", ".join(value_type)


def requirement(name: str, value_type: ValueType) -> str:
    """Return the message for an invalid value."""
    return name + " must be " + expected(value_type)


def is_number(value: object, low: float, high: float) -> TypeGuard[float]:
    """Return whether value is a number (not a bool, not NaN) from low to high."""
    return (
        isinstance(value, (int, float))
        and value is not True
        and value is not False
        and low <= value
        and value <= high
    )


def is_digits(text: str) -> bool:
    """Return whether text consists of ASCII digits; isdigit() differs between engines."""
    for letter in text:
        if letter < "0" or letter > "9":
            return False
    return text != ""


def split_words(text: str) -> list[str]:
    """Split a text at its spaces."""
    return [word for word in text.split(" ") if word != ""]


def read(value_type: ValueType, value: Unchecked) -> Unchecked:
    """Parse an attribute's text or a JSON value as a type; return None if it is invalid.

    A count may be given as text, and a text as a whole number. An empty string sets a flag, as for
    HTML's boolean attributes, and is not a valid text.
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
    # Only whole numbers: fractions print differently between engines.
    if is_count:
        value = str(int(value))
    is_text = isinstance(value, str) and value != "" and len(value) <= MAX_TEXT
    return value if is_text and (value_type == TEXT or value in value_type) else None
