"""Removes personal data from queries in which older trackers and other senders have left it."""

import re
import unicodedata

from neuralens_tracker.personal_data import MIN_INTERNATIONAL, scrub

# A query without an at sign or the digits of a phone number has no personal data. Most have
# neither, and ``scrub`` would take most of the time that validating an event takes.
PERSONAL = re.compile(rf"@|%40|(?:\d[^\d]*){{{MIN_INTERNATIONAL}}}")
# More numbers in a row than a shopper searches for, and than ``scrub`` handles quickly.
MANY_NUMBERS = re.compile(r"(?:[0-9+./()-]* ){20}")


def to_ascii(text: str) -> str:
    """Write digits, dashes and spaces of any script in ASCII, and drop what is not rendered.

    Source of the categories: Unicode Standard Annex #44, General_Category.
    """
    letters: list[str] = []
    for letter in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(letter)
        if category == "Nd":
            letters.append(str(unicodedata.digit(letter)))
        elif category == "Pd" or letter == "\N{MINUS SIGN}":
            letters.append("-")
        elif category == "Zs":
            letters.append(" ")
        elif category != "Cf":
            letters.append(letter)
    return "".join(letters)


def remove_personal_data(query: str) -> str:
    """Return a query without personal data, quickly.

    The tracker's own rules know ASCII alone.
    """
    converted = query if query.isascii() else to_ascii(query)
    if not PERSONAL.search(converted):
        return query
    scrubbed = "" if MANY_NUMBERS.search(converted) else scrub(converted)
    return query if scrubbed == converted else scrubbed
