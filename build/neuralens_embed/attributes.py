"""Renders the ``data-nl-*`` attributes in templates, validated and escaped."""

import difflib
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup
from neuralens_tracker import attributes as names
from neuralens_tracker.vocabulary import ACTIONS, MAX_COUNT, MAX_TEXT, PAGES

PREFIX = "data-nl-"
KNOWN = (*names.CONTEXT, *names.ITEMS)
# What no HTML attribute can contain, escaped or not: NUL and lone surrogates.
UNREPRESENTABLE = re.compile("[\0\ud800-\udfff]")
# Distinct messages that are remembered as logged.
MAX_REPORTED = 1000
# HTML parsers normalize an unescaped carriage return to a line feed.
ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\r": "&#13;"}
)

log = logging.getLogger("neuralens")


class MarkupError(ValueError):
    """A value is not allowed in the markup; the message names it and what is allowed."""


def attributes(pairs: Iterable[tuple[str, str | None]]) -> Markup:
    """Return ``name="value"`` for each pair, escaped and joined by spaces, without None values.

    Values are treated as plain text, even if they are Markup. Names are not escaped.
    """
    return Markup(  # noqa: S704 - every value is escaped right here
        " ".join(
            f'{name}="{str(value).translate(ESCAPES)}"'
            for name, value in pairs
            if value is not None
        )
    )


def plain(value: object) -> str | None:
    """Convert a value to text; None if it has no sensible text.

    Accepts strings, integers, and objects whose class defines ``__str__``: a UUID, a Decimal, a
    framework's lazy string. None, bytes and objects without ``__str__`` have none.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    own: object = type(value).__str__
    if own is object.__str__ or isinstance(value, bytes | bytearray):
        return None
    return str(value)


def text(argument: str, value: object, *, least: int = 1, most: int = MAX_TEXT) -> str:
    """Validate a text of ``least`` to ``most`` characters; raises MarkupError."""
    known = plain(value)
    # The tracker trims values, so whitespace alone counts as nothing.
    if known is None or not least <= len(known.strip()) or len(known) > most:
        raise MarkupError(
            f"{argument} must be text of {least} to {most} characters, not {value!r:.80}"
        )
    if UNREPRESENTABLE.search(known):
        raise MarkupError(
            f"{argument} must be text without NUL and lone surrogates, which HTML cannot hold, "
            f"not {known!r:.80}"
        )
    return known


def query(argument: str, value: object) -> str:
    """Return a search text, truncated to MAX_TEXT.

    It comes from the shopper, so no content may fail the page: what HTML cannot contain becomes
    U+FFFD, as in a browser's parser.
    """
    searched = plain(value)
    if searched is None:
        raise MarkupError(f"{argument} must be text, not {value!r:.80}")
    return UNREPRESENTABLE.sub("\ufffd", searched)[:MAX_TEXT]


def choice(argument: str, value: object, allowed: Iterable[str]) -> str:
    """Validate one of the allowed words; raises MarkupError."""
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise MarkupError(f"{argument} must be one of {', '.join(words)}, not {value!r:.80}")
    return str(value)


def action(argument: str, value: object) -> str:
    """Validate the name of an action; raises MarkupError."""
    return choice(argument, value, ACTIONS)


def page_type(argument: str, value: object) -> str:
    """Validate one of the event API's pages; raises MarkupError."""
    return choice(argument, value, PAGES)


def count(argument: str, value: object, most: int = MAX_COUNT) -> str:
    """Validate an integer from 0 to ``most``, and return its text; raises MarkupError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise MarkupError(f"{argument} must be a whole number from 0 to {most}, not {value!r:.80}")
    return str(value)


@lru_cache(MAX_REPORTED)
def report(sentence: str) -> None:
    """Log a value that was left out of the markup; repeats are dropped."""
    log.warning("left out of the page: %s", sentence)


Check = Callable[..., str]


@dataclass(frozen=True)
class Item:
    """A kind of item: its attribute, and function and argument by which templates give it."""

    attribute: str
    function: str
    argument: str


PRODUCT = Item(names.PRODUCT, "nl.product", "id")
SUGGESTION = Item(names.SUGGESTION, "nl.suggestion", "value")
LANDING = Item(names.LANDING, "nl.landing", "id")


def check_strictly(check: Check, argument: str, value: object, **limits: int) -> str | None:
    """Validate a value; raises MarkupError."""
    return check(argument, value, **limits)


def check_leniently(check: Check, argument: str, value: object, **limits: int) -> str | None:
    """Validate a value; an invalid one is logged, and None returned."""
    try:
        return check(argument, value, **limits)
    except MarkupError as error:
        report(str(error))
        return None


class Attributes:
    """The Jinja global ``nl``: each method renders the attributes of one element.

    ``index`` is the rank from 0; ``page`` and ``query`` are the item's own context. Every method
    raises MarkupError for a value that the tracker would not accept. If ``strict`` is false, for
    production, the value is left out instead and the error logged once; an item with an invalid id
    then has no attributes at all.
    """

    def __init__(self, strict: bool = True) -> None:
        self._check = check_strictly if strict else check_leniently

    def product(
        self,
        id: object,  # noqa: A002
        index: object = None,
        *,
        page: object = None,
        query: object = None,
    ) -> Markup:
        """Render the attributes of a product tile, or of an order line."""
        return self._item(PRODUCT, id, index, page, query)

    def suggestion(
        self, value: object, index: object = None, *, page: object = None, query: object = None
    ) -> Markup:
        """Render the attributes of a suggestion; ``value`` is its text or id."""
        return self._item(SUGGESTION, value, index, page, query)

    def suggestions(self) -> Markup:
        """Render the attribute of a search box whose listbox contains suggestions."""
        return attributes([(names.SUGGESTIONS, "")])

    def context(
        self,
        *,
        page: object = None,
        query: object = None,
        list: object = None,  # noqa: A002
        offset: object = None,
    ) -> Markup:
        """Render the context of the items inside an element, without None values.

        ``offset`` is the rank of the list's first item; an empty ``query`` overrides that of an
        ancestor.
        """
        return attributes(
            [
                *self._context("nl.context", page, query),
                (names.LIST, self._optional(text, "nl.context: list", list, least=0)),
                (names.OFFSET, self._optional(count, "nl.context: offset", offset)),
            ]
        )

    def landing(self, id: object, *, page: object = None, query: object = None) -> Markup:  # noqa: A002
        """Render the attributes of a product's own page."""
        return self._item(LANDING, id, None, page, query)

    def purchase(self, order: object) -> Markup:
        """Render the attribute of the element around an order's products."""
        return attributes([(names.PURCHASE_ORDER, self._check(text, "nl.purchase: order", order))])

    def action(self, name: object) -> Markup:
        """Render the attribute of an action control, such as "add to cart", inside a product."""
        return attributes([(names.ACTION, self._check(action, "nl.action: name", name))])

    def ignore(self) -> Markup:
        """Render the attribute of an element in which nothing is captured."""
        return attributes([(names.IGNORE, "")])

    def _optional(self, check: Check, argument: str, value: object, **limits: int) -> str | None:
        return None if value is None else self._check(check, argument, value, **limits)

    def _context(self, function: str, page: object, search: object) -> list[tuple[str, str | None]]:
        return [
            (names.PAGE, self._optional(page_type, f"{function}: page", page)),
            (names.QUERY, self._optional(query, f"{function}: query", search)),
        ]

    def _item(
        self, kind: Item, value: object, index: object, page: object, search: object
    ) -> Markup:
        """Render the attributes of an item: its id or text, its rank and its own context."""
        known = self._check(text, f"{kind.function}: {kind.argument}", value)
        if known is None:
            return Markup("")
        return attributes(
            [
                (kind.attribute, known),
                (names.INDEX, self._optional(count, f"{kind.function}: index", index)),
                *self._context(kind.function, page, search),
            ]
        )


def suggest_attribute(name: str) -> str:
    """Return what to write instead of an unknown name with the prefix of the attributes."""
    words = [known.removeprefix(PREFIX) for known in KNOWN]
    close = difflib.get_close_matches(name.removeprefix(PREFIX), words, n=1)
    return f"did you mean {PREFIX}{close[0]}?" if close else f"use {', '.join(KNOWN)}"
