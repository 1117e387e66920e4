"""The ``data-nl-*`` attributes as Jinja globals, checked and escaped as a template is rendered."""

import logging
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from neuralens_tracker import attributes as names
from neuralens_tracker.vocabulary import ACTIONS, MAX_COUNT, MAX_TEXT, PAGES

# What no HTML attribute can hold, in whatever spelling: NUL, and halves of a surrogate pair.
UNREPRESENTABLE = re.compile("[\0\ud800-\udfff]")
# Distinct sentences that are remembered as logged.
MAX_REPORTED = 1000
# A bare carriage return would be read back as a line feed.
ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\r": "&#13;"}
)

log = logging.getLogger("neuralens")


class MarkupError(ValueError):
    """A value that must not stand in the markup; the message names it and what is allowed."""


def attributes(pairs: Iterable[tuple[str, str | None]]) -> Markup:
    """Return ``name="value"`` for each pair, escaped, joined by spaces; pairs with None left out.

    The values are taken as plain text, also when they are Markup. Names are the program's own.
    """
    return Markup(  # noqa: S704 - every value is escaped right here
        " ".join(
            f'{name}="{str(value).translate(ESCAPES)}"'
            for name, value in pairs
            if value is not None
        )
    )


def plain(value: Any) -> str | None:
    """Return the text that a value stands for; None where it stands for none.

    Text, whole numbers, and objects whose class says what they read as: a UUID, a Decimal, a
    framework's lazy text. A list, None or an object without a text of its own is a mistake.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    own: Any = type(value).__str__
    if own is object.__str__ or isinstance(value, bytes | bytearray):
        return None
    return str(value)


def text(argument: str, value: Any, *, least: int = 1, most: int = MAX_TEXT) -> str:
    """Return the plain text of a value, of least to most characters."""
    known = plain(value)
    if known is None or not least <= len(known) <= most:
        raise MarkupError(
            f"{argument} must be text of {least} to {most} characters, not {value!r:.80}"
        )
    if UNREPRESENTABLE.search(known):
        raise MarkupError(
            f"{argument} must be text without NUL and lone surrogates, which HTML cannot hold, "
            f"not {known!r:.80}"
        )
    return known


def query(argument: str, value: Any) -> str:
    """Return a search text, cut to what an event can carry.

    It is the shopper's, so nothing in it may stop the page: what HTML cannot hold becomes U+FFFD,
    as in the browser's own parser.
    """
    searched = plain(value)
    if searched is None:
        raise MarkupError(f"{argument} must be text, not {value!r:.80}")
    return UNREPRESENTABLE.sub("\ufffd", searched)[:MAX_TEXT]


def choice(argument: str, value: Any, allowed: Iterable[str]) -> str:
    """Return value if it is one of the allowed words."""
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise MarkupError(f"{argument} must be one of {', '.join(words)}, not {value!r:.80}")
    return str(value)


def action(argument: str, value: Any) -> str:
    """Return value if it is the name of an action."""
    return choice(argument, value, ACTIONS)


def page_type(argument: str, value: Any) -> str:
    """Return value if it is one of the pages of the event API."""
    return choice(argument, value, PAGES)


def count(argument: str, value: Any, most: int = MAX_COUNT) -> str:
    """Return a whole number from 0 to most in digits."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise MarkupError(f"{argument} must be a whole number from 0 to {most}, not {value!r:.80}")
    return str(value)


@lru_cache(MAX_REPORTED)
def report(sentence: str) -> None:
    """Log once what was left out of the markup."""
    log.warning("left out of the page: %s", sentence)


Check = Callable[..., str]


def check_strictly(check: Check, argument: str, value: Any, **limits: int) -> str | None:
    """Return what a check makes of a value; raises MarkupError where it refuses it."""
    return check(argument, value, **limits)


def check_leniently(check: Check, argument: str, value: Any, **limits: int) -> str | None:
    """Return what a check makes of a value; None, and a line in the log, where it refuses it."""
    try:
        return check(argument, value, **limits)
    except MarkupError as error:
        report(str(error))
        return None


class Attributes:
    """The Jinja global ``nl``: each method prints the attributes of one element.

    ``index`` is the rank from 0; ``page`` and ``query`` are the context, on the element itself.
    Every method raises MarkupError for a value that the tracker would not take. With ``strict``
    false, for production, it leaves that value out and logs the error once instead; an item
    whose id is wrong then has no attributes at all.
    """

    def __init__(self, strict: bool = True) -> None:
        self._check = check_strictly if strict else check_leniently

    def product(
        self,
        id: Any,  # noqa: A002
        index: Any = None,
        *,
        page: Any = None,
        query: Any = None,
    ) -> Markup:
        """Print the attributes of a product tile, or of an order line."""
        return self._item("nl.product", "id", names.PRODUCT, id, index, page, query)

    def suggestion(
        self, value: Any, index: Any = None, *, page: Any = None, query: Any = None
    ) -> Markup:
        """Print the attributes of a suggestion: its text, or its id."""
        return self._item("nl.suggestion", "value", names.SUGGESTION, value, index, page, query)

    def suggestions(self) -> Markup:
        """Print the attribute of a search box whose listbox holds suggestions."""
        return attributes([(names.SUGGESTIONS, "")])

    def context(
        self,
        *,
        page: Any = None,
        query: Any = None,
        list: Any = None,  # noqa: A002
        offset: Any = None,
    ) -> Markup:
        """Print what the items inside an element have in common; None is left out.

        ``offset`` is the rank of the list's first item; an empty ``query`` stands for none.
        """
        return attributes(
            [
                *self._context("nl.context", page, query),
                (names.LIST, self._optional(text, "nl.context: list", list, least=0)),
                (names.OFFSET, self._optional(count, "nl.context: offset", offset)),
            ]
        )

    def landing(self, id: Any, *, page: Any = None, query: Any = None) -> Markup:  # noqa: A002
        """Print the attributes of a product's own page."""
        return self._item("nl.landing", "id", names.LANDING, id, None, page, query)

    def purchase(self, order: Any) -> Markup:
        """Print the attribute of an order, around the products that were bought."""
        return attributes([(names.PURCHASE_ORDER, self._check(text, "nl.purchase: order", order))])

    def action(self, name: Any) -> Markup:
        """Print the attribute of a control inside a product: what using it stands for."""
        return attributes([(names.ACTION, self._check(action, "nl.action: name", name))])

    def ignore(self) -> Markup:
        """Print the attribute of an element in which nothing is captured."""
        return attributes([(names.IGNORE, "")])

    def _optional(self, check: Check, argument: str, value: Any, **limits: int) -> str | None:
        return None if value is None else self._check(check, argument, value, **limits)

    def _context(self, function: str, page: Any, search: Any) -> list[tuple[str, str | None]]:
        return [
            (names.PAGE, self._optional(page_type, f"{function}: page", page)),
            (names.QUERY, self._optional(query, f"{function}: query", search)),
        ]

    def _item(
        self,
        function: str,
        argument: str,
        name: str,
        value: Any,
        index: Any,
        page: Any,
        search: Any,
    ) -> Markup:
        """Print the attribute ``name`` of an item, its rank and its own context."""
        known = self._check(text, f"{function}: {argument}", value)
        if known is None:
            return Markup("")
        return attributes(
            [
                (name, known),
                (names.INDEX, self._optional(count, f"{function}: index", index)),
                *self._context(function, page, search),
            ]
        )
