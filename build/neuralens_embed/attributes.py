"""The ``data-nl-*`` attributes as Jinja globals, checked and escaped as a template is rendered."""

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup
from neuralens_tracker import attributes as names
from neuralens_tracker.vocabulary import ACTIONS, MAX_COUNT, MAX_TEXT, PAGES

# What no HTML attribute can hold, in whatever spelling: NUL, and halves of a surrogate pair.
UNREPRESENTABLE = re.compile("[\0\ud800-\udfff]")
# A bare carriage return would be read back as a line feed.
ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\r": "&#13;"}
)


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


def text(argument: str, value: Any, *, least: int = 1, most: int = MAX_TEXT) -> str:
    """Return value as text of least to most characters; a whole number becomes its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise MarkupError(
            f"{argument} must be text of {least} to {most} characters, not {value!r:.80}"
        )
    if UNREPRESENTABLE.search(value):
        raise MarkupError(
            f"{argument} must be text without NUL and lone surrogates, which HTML cannot hold, "
            f"not {value!r:.80}"
        )
    return value


def query(argument: str, value: Any) -> str:
    """Return a search text, cut to what an event can carry.

    It is the shopper's, so nothing in it may stop the page: what HTML cannot hold becomes U+FFFD,
    as in the browser's own parser.
    """
    if not isinstance(value, str):
        raise MarkupError(f"{argument} must be text, not {value!r:.80}")
    return UNREPRESENTABLE.sub("\ufffd", value)[:MAX_TEXT]


def choice(argument: str, value: Any, allowed: Iterable[str]) -> str:
    """Return value if it is one of the allowed words."""
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise MarkupError(f"{argument} must be one of {', '.join(words)}, not {value!r:.80}")
    return str(value)


def count(argument: str, value: Any, most: int = MAX_COUNT) -> str:
    """Return a whole number from 0 to most in digits."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise MarkupError(f"{argument} must be a whole number from 0 to {most}, not {value!r:.80}")
    return str(value)


class Attributes:
    """The Jinja global ``nl``: each method prints the attributes of one element.

    ``index`` is the rank from 0; ``page`` and ``query`` are the context, on the element itself.
    Every method raises MarkupError for a value that the tracker would not take.
    """

    def product(
        self,
        id: Any,  # noqa: A002
        index: Any = None,
        *,
        page: Any = None,
        query: Any = None,
    ) -> Markup:
        """Print the attributes of a product tile, or of an order line."""
        return item("nl.product", names.PRODUCT, ("id", id), index, page, query)

    def suggestion(
        self, value: Any, index: Any = None, *, page: Any = None, query: Any = None
    ) -> Markup:
        """Print the attributes of a suggestion: its text, or its id."""
        return item("nl.suggestion", names.SUGGESTION, ("value", value), index, page, query)

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
                *context("nl.context", page, query),
                (names.LIST, optional(text, "nl.context: list", list, least=0)),
                (names.OFFSET, optional(count, "nl.context: offset", offset)),
            ]
        )

    def landing(self, id: Any, *, page: Any = None, query: Any = None) -> Markup:  # noqa: A002
        """Print the attributes of a product's own page."""
        return item("nl.landing", names.LANDING, ("id", id), None, page, query)

    def purchase(self, order: Any) -> Markup:
        """Print the attribute of an order, around the products that were bought."""
        return attributes([(names.PURCHASE_ORDER, text("nl.purchase: order", order))])

    def action(self, name: Any) -> Markup:
        """Print the attribute of a control inside a product: what using it stands for."""
        return attributes([(names.ACTION, choice("nl.action: name", name, ACTIONS))])

    def ignore(self) -> Markup:
        """Print the attribute of an element in which nothing is captured."""
        return attributes([(names.IGNORE, "")])


def optional(check: Any, argument: str, value: Any, **limits: int) -> str | None:
    """Return None for None, and otherwise what check makes of the value."""
    return None if value is None else check(argument, value, **limits)


def context(function: str, page: Any, search: Any) -> list[tuple[str, str | None]]:
    """Return the pairs of page and query."""
    return [
        (names.PAGE, None if page is None else choice(f"{function}: page", page, PAGES)),
        (names.QUERY, optional(query, f"{function}: query", search)),
    ]


def item(
    function: str, name: str, named: tuple[str, Any], index: Any, page: Any, search: Any
) -> Markup:
    """Print the attribute name of an item, its rank and its own context."""
    argument, value = named
    return attributes(
        [
            (name, text(f"{function}: {argument}", value)),
            (names.INDEX, optional(count, f"{function}: index", index)),
            *context(function, page, search),
        ]
    )
