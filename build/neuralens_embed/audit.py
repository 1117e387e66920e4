"""A linter for the markup: what the tracker would capture, and which attributes are wrong.

The words, kinds and names are the tracker's own; the rules are those of its attribute table.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neuralens_tracker import attributes as names
from neuralens_tracker.value_types import COUNT, TEXT, read, wanted
from neuralens_tracker.vocabulary import (
    ACTIONS,
    AUTOCOMPLETE,
    CLICK_PRODUCT,
    CLICK_SUGGESTION,
    LAND_PRODUCT_PAGE,
    MAX_TEXT,
    PAGES,
    PRODUCT_PAGE,
    PURCHASE,
    VIEW_PRODUCT,
    VIEW_SUGGESTION,
)

from neuralens_embed.attributes import MarkupError
from neuralens_embed.markup import Element, parse
from neuralens_embed.snippet import EARLY, KINDS, LOADING, RUNTIMES, kebab, setting

PREFIX = "data-nl-"
APP_ID = "data-app-id"
SCRIPTS = (*RUNTIMES.values(), EARLY)
KNOWN = (*names.CONTEXT, *names.ITEMS)
# The kind of value that each attribute holds; the others may hold anything, or nothing.
ATTRIBUTE_KINDS: dict[str, Any] = {
    names.PAGE: PAGES,
    names.OFFSET: COUNT,
    names.INDEX: COUNT,
    names.ACTION: tuple(ACTIONS),
    names.PRODUCT: TEXT,
    names.SUGGESTION: TEXT,
    names.LANDING: TEXT,
    names.PURCHASE_ORDER: TEXT,
}
OPTION_SOURCES = ("aria-controls", "aria-owns")


@dataclass(frozen=True, order=True)
class Finding:
    """Something wrong, and its remedy; line counts from 1."""

    line: int
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.wrong}: {self.remedy}"


@dataclass(frozen=True)
class Capture:
    """What the tracker would send of one element: the events, the ids and their context."""

    line: int
    events: tuple[str, ...]
    ids: tuple[str, ...]
    index: int | None
    page: str | None
    query: str | None

    def __str__(self) -> str:
        parts = [" and ".join(self.events), " ".join(f'"{item}"' for item in self.ids)]
        if self.index is not None:
            parts.append(f"index {self.index}")
        if self.page is not None:
            parts.append(f"page {self.page}")
        if self.query is not None:
            parts.append(f'query "{self.query}"')
        return ", ".join(parts)


class Audit:
    """The audit of one page, given as HTML text."""

    def __init__(self, html: str) -> None:
        self.elements = list(parse(html, PREFIX).walk())
        self.options = self.find_options()
        tag = next((e for e in self.elements if e.tag == "script" and APP_ID in e.attributes), None)
        self.page = tag.attributes.get("data-page") if tag else None
        self.query = tag.attributes.get("data-query") if tag else None
        self.places: dict[tuple[Element, str], dict[str, int]] = {}

    # What is wrong

    def findings(self) -> list[Finding]:
        """Return everything that is wrong, in the order of the text."""
        return sorted(found for element in self.elements for found in self.judge(element))

    def judge(self, element: Element) -> Iterator[Finding]:
        """Yield what is wrong with one element."""
        if element.tag == "script":
            yield from judge_tag(element)
        if element.closest(names.IGNORE) is not None:
            return
        for name, value in element.attributes.items():
            if name.startswith(PREFIX):
                yield from judge_attribute(element, name, value)
        yield from self.judge_place(element)

    def judge_place(self, element: Element) -> Iterator[Finding]:
        """Yield what is wrong with where an attribute stands."""
        held = element.attributes
        if names.ACTION in held and element.closest(names.PRODUCT, names.LANDING) is None:
            yield Finding(
                element.line,
                f"{names.ACTION} stands in no product",
                f"put it inside an element with {names.PRODUCT} or {names.LANDING}",
            )
        if names.INDEX in held and not (
            {names.PRODUCT, names.SUGGESTION} & set(held) or element in self.options
        ):
            yield Finding(
                element.line,
                f"{names.INDEX} stands on no item",
                f"put it on the element with {names.PRODUCT} or {names.SUGGESTION}",
            )
        if names.PURCHASE_ORDER in held and not self.bought(element):
            yield Finding(
                element.line,
                f"{names.PURCHASE_ORDER} holds no products",
                f"put {names.PRODUCT} on each order line inside it",
            )

    # What is captured

    def captures(self) -> list[Capture]:
        """Return what the tracker would send, in the order of the text."""
        return [
            capture
            for element in self.elements
            if element.closest(names.IGNORE) is None
            for capture in self.capture(element)
        ]

    def capture(self, element: Element) -> Iterator[Capture]:
        """Yield what one element stands for."""
        held = element.attributes
        item = self.item(element)
        if item is not None:
            kind, value = item
            is_product = kind == names.PRODUCT
            events = (
                (VIEW_PRODUCT, CLICK_PRODUCT) if is_product else (VIEW_SUGGESTION, CLICK_SUGGESTION)
            )
            usual = None if is_product else AUTOCOMPLETE
            yield self.describe(element, events, (value,), usual, self.rank(element, kind, value))
        if held.get(names.LANDING):
            ids = (held[names.LANDING],)
            yield self.describe(element, (LAND_PRODUCT_PAGE,), ids, PRODUCT_PAGE, None)
        if held.get(names.PURCHASE_ORDER):
            bought = self.bought(element)
            if bought:
                yield self.describe(element, (PURCHASE,), bought, None, None)
        if held.get(names.ACTION, "") in ACTIONS:
            event = ACTIONS[held[names.ACTION]]
            owner = element.closest(names.PRODUCT, names.LANDING)
            if owner is not None:
                kind = names.PRODUCT if names.PRODUCT in owner.attributes else names.LANDING
                value = owner.attributes[kind]
                usual = PRODUCT_PAGE if kind == names.LANDING else None
                rank = self.rank(owner, kind, value) if kind == names.PRODUCT else None
                if value:
                    yield self.describe(element, (event,), (value,), usual, rank)

    def describe(
        self,
        element: Element,
        events: tuple[str, ...],
        ids: tuple[str, ...],
        usual: str | None,
        index: int | None,
    ) -> Capture:
        """Return a capture with the context that holds for an element."""
        holder = element.closest(names.PAGE)
        page = holder.attributes[names.PAGE] if holder else None
        holder = element.closest(names.QUERY)
        query = holder.attributes[names.QUERY] if holder else self.query
        known = page if page in PAGES else usual or self.page
        return Capture(element.line, events, ids, index, known, query or None)

    def item(self, element: Element) -> tuple[str, str] | None:
        """Return kind and id of the item that an element is; None when it is none."""
        if element.closest(names.IGNORE) or element.closest(names.PURCHASE_ORDER):
            return None
        for kind in (names.PRODUCT, names.SUGGESTION):
            if kind in element.attributes:
                value = element.attributes[kind]
                return (kind, value) if value else None
        if element in self.options and element.text():
            return (names.SUGGESTION, element.text())
        return None

    def rank(self, element: Element, kind: str, value: str) -> int | None:
        """Return the rank: as said, as ARIA says it, or the place in the list plus its offset."""
        said: int | None = read(COUNT, element.attributes.get(names.INDEX))
        if said is not None:
            return said
        position: int | None = read(COUNT, element.attributes.get("aria-posinset"))
        if position:
            return position - 1
        listing = list_of(element, kind)
        if listing is None:
            return None
        holder = element.closest(names.OFFSET)
        offset = 0
        if holder is not None and holder.closest(names.LIST) in (None, listing):
            offset = read(COUNT, holder.attributes[names.OFFSET]) or 0
        return offset + self.places_in(listing, kind).get(value, 0)

    def places_in(self, listing: Element, kind: str) -> dict[str, int]:
        """Return the place of each id among the items of one kind in a list."""
        if (listing, kind) not in self.places:
            places: dict[str, int] = {}
            for element in listing.walk():
                item = self.item(element)
                if item is not None and item[0] == kind and list_of(element, kind) is listing:
                    places.setdefault(item[1], len(places))
            self.places[listing, kind] = places
        return self.places[listing, kind]

    def bought(self, element: Element) -> tuple[str, ...]:
        """Return the ids of the products in an order."""
        ids = [
            line.attributes[names.PRODUCT]
            for line in element.walk()
            if line.attributes.get(names.PRODUCT) and line.closest(names.IGNORE) is None
        ]
        return tuple(dict.fromkeys(ids))

    def find_options(self) -> set[Element]:
        """Return the options of the listboxes that ``data-nl-suggestions`` stands for."""
        by_id = {e.attributes["id"]: e for e in reversed(self.elements) if "id" in e.attributes}
        boxes: list[Element] = []
        for declared in self.elements:
            if names.SUGGESTIONS in declared.attributes:
                boxes.append(declared)
                for owner in declared.walk():
                    for source in OPTION_SOURCES:
                        ids = owner.attributes.get(source, "").split()
                        boxes += [by_id[name] for name in ids if name in by_id]
        return {
            element
            for box in boxes
            for element in box.walk()
            if element.attributes.get("role") == "option"
        }


def list_of(element: Element, kind: str) -> Element | None:
    """Return the list inside which an item's rank counts."""
    for around in element.ancestry():
        is_listbox = around.attributes.get("role") == "listbox" and kind == names.SUGGESTION
        if names.LIST in around.attributes or is_listbox:
            return around
    return None


def judge_attribute(element: Element, name: str, value: str) -> Iterator[Finding]:
    """Yield what is wrong with a ``data-nl-*`` attribute by itself."""
    if name not in KNOWN:
        words = [known.removeprefix(PREFIX) for known in KNOWN]
        close = difflib.get_close_matches(name.removeprefix(PREFIX), words, n=1)
        hint = f"did you mean {PREFIX}{close[0]}?" if close else f"there are {', '.join(KNOWN)}"
        yield Finding(element.line, f"{name} is no attribute of the tracker", hint)
    elif len(value) > MAX_TEXT:
        remedy = f"give at most {MAX_TEXT}"
        yield Finding(element.line, f"{name} has {len(value)} characters", remedy)
    elif name in ATTRIBUTE_KINDS and (read(ATTRIBUTE_KINDS[name], value) is None):
        kind = ATTRIBUTE_KINDS[name]
        close = difflib.get_close_matches(value, kind, n=1) if isinstance(kind, tuple) else []
        remedy = f"did you mean {close[0]}?" if close else f"it must be {wanted(kind)}"
        yield Finding(element.line, f'{name}="{value}" is wrong', remedy)


def judge_tag(element: Element) -> Iterator[Finding]:
    """Yield what is wrong with the tracker's script tag."""
    held = element.attributes
    by_attribute = {f"data-{kebab(name)}": name for name in KINDS}
    file = held.get("src", "").split("?")[0].rpartition("/")[2]
    is_trackers = APP_ID in held or file in SCRIPTS
    if not is_trackers:
        return
    if APP_ID not in held:
        yield Finding(element.line, f"the script tag has no {APP_ID}", "give the application's id")
    for name, value in held.items():
        if name in by_attribute:
            try:
                setting(by_attribute[name], value)
            except MarkupError as error:
                wrong, _, _ = str(error).partition(" must be ")
                remedy = str(error).removeprefix(wrong).strip().partition(", not ")[0]
                yield Finding(element.line, f'{name}="{value}" is wrong', f"it {remedy}")
        elif name.startswith("data-") and name not in LOADING:
            close = difflib.get_close_matches(name, by_attribute, n=1)
            if close:
                yield Finding(element.line, f"{name} is no setting", f"did you mean {close[0]}?")
