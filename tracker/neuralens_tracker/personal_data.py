"""What tells who a shopper is, taken out of a query: in the browser, and again at the relay.

E-mail addresses, phone numbers, card numbers and other long numbers go; an ISBN, a size and a model
number stay. Where a number could be either, it goes.
"""

# Runs of digits may be parted so within one number; more than these characters part two numbers.
SEPARATORS = " -./()"
MAX_SEPARATORS = 3
# A run of this length is no size, price or model number.
LONG_RUN = 9
# Digits of a phone number (E.164 has at most 15), of one that only its form tells, and of a card
# number (ISO/IEC 7812).
MIN_PHONE = 7
MIN_PLAIN_PHONE = 9
MAX_PLAIN_PHONE = 12
MAX_PHONE = 15
MIN_CARD = 13
MAX_CARD = 19
DIGITS = "0123456789"


def is_address(word: str) -> bool:
    """Tell whether a word holds an e-mail address."""
    parts = word.replace("%40", "@").split("@")
    return len(parts) > 1 and parts[0] != "" and "." in parts[1]


def is_letter(letter: str) -> bool:
    """Tell whether a character is one of a word: a digit beside it belongs to a model number."""
    low = letter.lower()
    return (low >= "a" and low <= "z") or low > "\u00bf"


def read_digits(text: str) -> list[int]:
    """Return the values of the digits of a text."""
    return [DIGITS.find(letter) for letter in text if letter in DIGITS]


def is_isbn(digits: list[int], runs: list[int], check: str) -> bool:
    """Tell whether digits are an ISBN; ``check`` is what stands behind them.

    Source: ISO 2108; an ISBN of ten may end in X, which stands for ten, and is written in one run
    or with its last digit apart. In one run it may be a North American phone number, too, whose
    first and fourth digits are from 2 to 9.
    """
    total = 0
    weight = 10
    if len(digits) == 13:
        weight = 1
        for digit in digits:
            total += digit * weight
            weight = 4 - weight
        return total % 10 == 0 and digits[0] == 9 and digits[1] == 7 and digits[2] > 7
    if len(digits) == 9 and check.replace("-", "")[:1].lower() == "x":
        total = 10
    elif len(digits) != 10 or (len(runs) > 1 and runs[len(runs) - 1] > 1):
        return False
    elif len(runs) == 1 and digits[0] > 1 and digits[3] > 1:
        return False
    for digit in digits:
        total += digit * weight
        weight -= 1
    return total % 11 == 0


def is_card(digits: list[int]) -> bool:
    """Tell whether digits are right by the Luhn formula (ISO/IEC 7812-1)."""
    total = 0
    doubled = len(digits) % 2 == 0
    for digit in digits:
        total += digit * 2 - 9 if doubled and digit > 4 else digit * 2 if doubled else digit
        doubled = not doubled
    return total % 10 == 0


def is_personal(number: str, digits: list[int], runs: list[int]) -> bool:
    """Tell whether a number is somebody's; ``runs`` are the lengths of its runs of digits."""
    count = len(digits)
    if len(runs) == 1 and count >= LONG_RUN:
        return True
    if count >= MIN_CARD and count <= MAX_CARD and is_card(digits):
        return True
    if count > MAX_PHONE:
        return False
    if number.startswith("+") or number.startswith("00"):
        return count >= MIN_PHONE
    if number.startswith("0") or number.startswith("("):
        return count >= MIN_PLAIN_PHONE
    short = [run for run in runs if run <= 4]
    return (
        len(runs) > 2
        and len(short) == len(runs)
        and runs[0] < 4
        and count >= MIN_PLAIN_PHONE
        and count <= MAX_PLAIN_PHONE
    )


class Run:
    """A run of digits: where it starts in a text, and where it ends."""

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end


def find_runs(text: str) -> list[Run]:
    """Return the runs of digits that are no part of a word, or that are long."""
    runs: list[Run] = []
    place = 0
    start = 0
    glued = False
    before = ""
    for letter in text + " ":
        if letter in DIGITS:
            if before not in DIGITS or before == "":
                start = place
                glued = is_letter(before)
        elif before != "" and before in DIGITS:
            if place - start >= LONG_RUN or not (glued or is_letter(letter)):
                runs.append(Run(start, place))
        before = letter
        place += 1
    return runs


def is_joined(gap: str) -> bool:
    """Tell whether two runs of digits with this between them may be one number."""
    strange = [letter for letter in gap if letter not in SEPARATORS]
    return len(strange) == 0 and len(gap) <= MAX_SEPARATORS


def join_runs(text: str, runs: list[Run], first: int) -> list[Run]:
    """Return the runs from the first on that may be one number, the longest choice first."""
    chosen: list[Run] = []
    end = runs[first].start
    for run in runs[first:]:
        if not is_joined(text[end : run.start]):
            break
        chosen.insert(0, run)
        end = run.end
    return chosen


def scrub(text: str) -> str:
    """Return a text without what tells who a shopper is; "" when nothing else was in it."""
    text = " ".join([word for word in text.split(" ") if not is_address(word)])
    runs = find_runs(text)
    kept = ""
    # What stands before this was looked at.
    done = 0
    for first in range(len(runs)):
        start = runs[first].start
        if start < done:
            continue
        while text[done:start].endswith("+") or text[done:start].endswith("("):
            start -= 1
        chosen = join_runs(text, runs, first)
        for last in chosen:
            stop = last.end
            digits = read_digits(text[start:stop])
            lengths: list[int] = []
            for run in chosen:
                if run.end <= stop:
                    lengths.insert(0, run.end - run.start)
            known = is_isbn(digits, lengths, text[stop : stop + 2])
            if known or is_personal(text[start:stop], digits, lengths):
                kept += text[done:stop] if known else text[done:start]
                done = stop
                break
    return " ".join([word for word in (kept + text[done:]).split(" ") if word != ""])
