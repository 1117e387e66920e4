"""What tells who, or where, a shopper is: taken out of queries and locations, or made coarse.

In the browser, and again at the relay.

E-mail addresses, phone numbers, card numbers and other long numbers go; an ISBN, a size and a model
number stay. Where a number could be either, it goes.
"""

from typing import Any

from neuralens_tracker.types import Event
from neuralens_tracker.value_types import is_number, words_of

# Decimals that are worth rounding to: a tenth of a millimetre.
MAX_DECIMALS = 9
DIGITS = "0123456789"
# Of what a number consists; a blank may part two numbers as well.
MARKS = "+-./()"
NUMBER = DIGITS + MARKS + " "
# Digits that no size, price or model number has in one run.
LONG_RUN = 9
# Digits of a phone number: after "+" or "00"; of any other, most of one that only its form tells;
# at most (E.164).
MIN_INTERNATIONAL = 7
MIN_PHONE = 9
MAX_LOCAL = 12
MAX_PHONE = 15
# Digits of a card number (ISO/IEC 7812).
MIN_CARD = 13
MAX_CARD = 19


def round_degrees(value: Any, decimals: int) -> Any:
    """Return a coordinate with so many decimals; what is none stays as it is."""
    if not is_number(value, -180, 180):
        return value
    scale = 10 ** min(decimals, MAX_DECIMALS)
    half = 0.5 if value > 0 else -0.5
    return int(value * scale + half) / scale


def round_location(geo: Any, decimals: Any) -> Any:
    """Return a location with coordinates of so many decimals; None for as many as there are."""
    if decimals is not None and isinstance(geo, dict):
        geo["lat"] = round_degrees(geo.get("lat"), decimals)
        geo["long"] = round_degrees(geo.get("long"), decimals)
    return geo


def is_address(word: str) -> bool:
    """Tell whether a word holds an e-mail address."""
    parts = word.replace("%40", "@").split("@")
    return len(parts) > 1 and parts[0] != "" and "." in parts[1]


def is_personal(number: str, after: str) -> bool:
    """Tell whether a number is somebody's; ``after`` is what stands behind it.

    A card number is known by the Luhn formula (ISO/IEC 7812-1), an ISBN by its own (ISO 2108). An
    ISBN of ten, whose last digit may be an X, is written in one run or with that digit apart. In
    one run it may be a North American phone number, too, whose first and fourth digits are from 2
    to 9.
    """
    spaced = number
    for mark in MARKS:
        spaced = spaced.replace(mark, " ")
    runs = words_of(spaced)
    digits = "".join(runs)
    count = len(digits)
    luhn = 0
    isbn = 0
    isbn10 = 0
    # With the last digit apart.
    isbn_x = 10
    place = count
    for letter in digits:
        digit = DIGITS.find(letter)
        place -= 1
        double = digit if place % 2 == 0 else digit * 2
        luhn += double - (9 if double > 9 else 0)
        isbn += double * 2 - digit
        isbn10 += digit * (place + 1)
        isbn_x += digit * (place + 2)
    if count == 13 and isbn % 10 == 0 and digits.startswith("97"):
        return False
    if count == 9 and isbn_x % 11 == 0 and after.lower() == "x":
        return False
    if count == 10 and isbn10 % 11 == 0:
        is_apart = len(runs[len(runs) - 1]) == 1
        if is_apart or (len(runs) == 1 and (digits[0] < "2" or digits[3] < "2")):
            return False
    if len(runs) == 1 and count >= LONG_RUN:
        return True
    if count >= MIN_CARD and count <= MAX_CARD and luhn % 10 == 0:
        return True
    if count > MAX_PHONE:
        return False
    if number.startswith("+") or number.startswith("00"):
        return count >= MIN_INTERNATIONAL
    if count < MIN_PHONE or number.startswith("0") or number.startswith("("):
        return count >= MIN_PHONE
    is_even = len([run for run in runs if len(run) > 4]) == 0
    return is_even and len(runs) > 2 and len(runs[0]) < 4 and count <= MAX_LOCAL


def clean(number: str, after: str) -> str:
    """Return what stays of numbers with blanks between them; the longest that is known goes."""
    pieces = number.split(" ")
    kept: list[str] = []
    start = 0
    while start < len(pieces):
        end = len(pieces)
        while end > start and not is_personal(" ".join(pieces[start:end]), after):
            end -= 1
        # A blank in its place keeps the words beside it apart.
        kept.append(pieces[start] if end == start else " ")
        start = max(end, start + 1)
    return " ".join(kept)


def scrub(text: str) -> str:
    """Return a text without what tells who a shopper is; "" when nothing else was in it."""
    kept = ""
    number = ""
    for letter in " ".join([word for word in text.split(" ") if not is_address(word)]) + "\n":
        if letter in NUMBER:
            number += letter
        else:
            kept += clean(number, letter) + letter
            number = ""
    kept = kept[:-1]
    # A text in which there was nothing to take out stays as it is.
    return text if kept == text else " ".join(words_of(kept))


def scrub_query(event: Event) -> None:
    """Take what tells who a shopper is out of the query of an event; None when nothing is left."""
    if isinstance(event.get("query"), str):
        event["query"] = scrub(event["query"]) or None
