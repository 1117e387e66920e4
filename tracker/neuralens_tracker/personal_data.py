"""Removes personal data from queries and rounds locations, in the browser and again at the relay.

E-mail addresses, phone numbers, card numbers and other long numbers are removed; ISBNs, sizes,
model numbers and years are kept. An ambiguous number is removed.
"""

from neuralens_tracker.types import Event, Fields
from neuralens_tracker.value_types import is_number, split_words

# More decimals than this are not rounded: a tenth of a millimetre.
MAX_DECIMALS = 9
DIGITS = "0123456789"
# The characters of a number. A space may be part of a number, or separate two.
MARKS = "+-./()"
NUMBER = DIGITS + MARKS + " "
# No size, price or model number has this many digits in a row.
LONG_RUN = 9
# Digits of a phone number: at least with "+" or "00", at least otherwise, at most if only its
# grouping suggests one, at most ever (E.164).
MIN_INTERNATIONAL = 7
MIN_PHONE = 9
MAX_LOCAL = 12
MAX_PHONE = 15
# Digits of a card number (ISO/IEC 7812).
MIN_CARD = 13
MAX_CARD = 19


def round_degrees(value: object, decimals: int) -> object:
    """Round a coordinate; an invalid one is returned unchanged."""
    if not is_number(value, -180, 180):
        return value
    scale = 10 ** min(decimals, MAX_DECIMALS)
    half = 0.5 if value > 0 else -0.5
    return int(value * scale + half) / scale


def round_location(geo: Fields | None, decimals: int | None) -> Fields | None:
    """Round a location's coordinates in place, unless ``decimals`` is None; return it."""
    if decimals is not None and isinstance(geo, dict):
        geo["lat"] = round_degrees(geo.get("lat"), decimals)
        geo["long"] = round_degrees(geo.get("long"), decimals)
    return geo


def is_email(word: str) -> bool:
    """Return whether a word contains an e-mail address."""
    parts = word.replace("%40", "@").split("@")
    return len(parts) > 1 and parts[0] != "" and "." in parts[1]


class Checksums:
    """The weighted sums of a number's digits: the last one is a check digit if one is a multiple.

    Of 10: ``luhn`` of card numbers (ISO/IEC 7812-1), ``isbn13``; of 11: ``isbn10``, and
    ``isbn10_x`` where the check digit is an X that follows (ISO 2108).
    """

    def __init__(self, luhn: int, isbn13: int, isbn10: int, isbn10_x: int) -> None:
        self.luhn = luhn
        self.isbn13 = isbn13
        self.isbn10 = isbn10
        self.isbn10_x = isbn10_x


def add_up(digits: str) -> Checksums:
    """Return the checksums of a number."""
    luhn = 0
    isbn13 = 0
    isbn10 = 0
    isbn10_x = 10
    place = len(digits)
    for letter in digits:
        place -= 1
        digit = DIGITS.find(letter)
        double = digit * (1 + place % 2)
        luhn += double - (9 if double > 9 else 0)
        isbn13 += double * 2 - digit
        isbn10 += digit * (place + 1)
        isbn10_x += digit * (place + 2)
    return Checksums(luhn, isbn13, isbn10, isbn10_x)


def is_isbn(runs: list[str], after: str, sums: Checksums) -> bool:
    """Return whether a number is an ISBN.

    An ISBN-10, whose check digit may be an X, is written in one run or with the check digit
    separated. In one run it could also be a North American phone number, whose first and fourth
    digits are 2 to 9.
    """
    digits = "".join(runs)
    count = len(digits)
    if count == 13:
        return sums.isbn13 % 10 == 0 and digits.startswith("97")
    if count == 9:
        return sums.isbn10_x % 11 == 0 and after.lower() == "x"
    if count != 10 or sums.isbn10 % 11 != 0:
        return False
    is_apart = len(runs[len(runs) - 1]) == 1
    return is_apart or (len(runs) == 1 and (digits[0] < "2" or digits[3] < "2"))


def is_phone(number: str, runs: list[str]) -> bool:
    """Return whether a number is written as a phone number is."""
    count = len("".join(runs))
    if count > MAX_PHONE:
        return False
    if number.startswith("+") or number.startswith("00"):
        return count >= MIN_INTERNATIONAL
    if count < MIN_PHONE or number.startswith("0") or number.startswith("("):
        return count >= MIN_PHONE
    # Two years are a range of models, and two slashes separate the parts of a tyre's size.
    years = [run for run in runs if len(run) == 4 and run[:2] in ("19", "20")]
    if len(years) > 1 or len(number.split("/")) > 2:
        return False
    is_even = len([run for run in runs if len(run) > 4]) == 0
    return is_even and len(runs) > 2 and len(runs[0]) < 4 and count <= MAX_LOCAL


def is_personal(number: str, after: str) -> bool:
    """Return whether a number is personal; ``after`` is the character that follows it."""
    spaced = number
    for mark in MARKS:
        spaced = spaced.replace(mark, " ")
    runs = split_words(spaced)
    digits = "".join(runs)
    count = len(digits)
    sums = add_up(digits)
    if is_isbn(runs, after, sums):
        return False
    is_long = len(runs) == 1 and count >= LONG_RUN
    is_card = count >= MIN_CARD and count <= MAX_CARD and sums.luhn % 10 == 0
    return is_long or is_card or is_phone(number, runs)


def redact(number: str, after: str) -> str:
    """Remove personal numbers from numbers separated by spaces, the longest match first."""
    kept: list[str] = []
    pieces = number.split(" ")
    while len(pieces) > 0:
        # No personal number has more digits, so that the time is linear in the number of pieces.
        end = len(pieces[:MAX_CARD])
        while end > 0 and not is_personal(" ".join(pieces[:end]), after):
            end -= 1
        # A space in its place keeps its neighbours separate.
        kept.append(" " if end > 0 else pieces[0])
        pieces = pieces[max(1, end) :]
    return " ".join(kept)


def scrub(text: str) -> str:
    """Return a text without personal data; "" if nothing else is left."""
    kept = ""
    number = ""
    for letter in " ".join([word for word in text.split(" ") if not is_email(word)]) + "\n":
        if letter in NUMBER:
            number += letter
        else:
            kept += redact(number, letter) + letter
            number = ""
    kept = kept[:-1]
    # Whitespace is only normalized if something was removed.
    return text if kept == text else " ".join(split_words(kept))


def scrub_query(event: Event) -> None:
    """Remove personal data from an event's query in place; None if nothing is left."""
    if isinstance(event.get("query"), str):
        event["query"] = scrub(event["query"]) or None
