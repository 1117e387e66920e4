"""Audits a page's markup: what the tracker would capture, and which attributes are wrong.

The tracker's own modules read the page; see ``ffi``. The audit also reports mistakes that the
tracker ignores, such as misspelled attribute names.
"""

import difflib
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from neuralens_tracker import attributes as names
from neuralens_tracker.events import find_fault, make_event
from neuralens_tracker.page_view import deduplication_key
from neuralens_tracker.personal_data import scrub_query
from neuralens_tracker.settings import resolve
from neuralens_tracker.types import Fields, ValueType
from neuralens_tracker.value_types import COUNT, TEXT, expected, read
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import (
    ACTIONS,
    CLICK_SUGGESTION,
    EVENTS,
    MAX_TEXT,
    PAGES,
    VIEW_SUGGESTION,
)

from neuralens_embed import bundles
from neuralens_embed.attributes import KNOWN, PREFIX, suggest_attribute
from neuralens_embed.dom import Element
from neuralens_embed.duplicates import find_duplicates
from neuralens_embed.ffi import window
from neuralens_embed.names import APP_ID, EVERY_SETTING, TAG_ATTRIBUTES, suggest_setting
from neuralens_embed.placeholders import (
    EXPRESSION,
    explain_id,
    explain_placeholder,
    looks_decimal,
    looks_grouped,
)

# Imported after ffi, which provides its adapter.
from neuralens_tracker.capture.items import Items  # isort: skip
from neuralens_tracker.capture.markup import ACTIVATED, INERT, SEEN, Item  # isort: skip
from neuralens_tracker.web.dom import attribute, closest, shadow_roots  # isort: skip

# Types of values that are also checked where the tracker has no reason to read them.
VALUES: dict[str, ValueType] = {
    names.PAGE: PAGES,
    names.OFFSET: COUNT,
    names.INDEX: COUNT,
    names.CONFIRM: COUNT,
}
# Events whose ids are texts.
OF_TEXTS = (VIEW_SUGGESTION, CLICK_SUGGESTION)

# ``window`` holds one page at a time.
lock = Lock()


@dataclass(frozen=True)
class Event:
    """An event that the tracker would send for the element starting at ``line`` (from 1)."""

    event: str
    ids: tuple[str, ...]
    index: int | None
    page: str | None
    query: str | None
    line: int


@dataclass(frozen=True)
class Problem:
    """A wrong attribute of the element starting at ``line``; the message includes the remedy."""

    line: int
    attribute: str
    message: str


@dataclass(frozen=True)
class Report:
    """The events and problems of a page, each in document order.

    ``hints`` concern the page as a whole and do not count as wrong, because the HTML may be only a
    part of a page: a missing script tag, for example.
    """

    events: list[Event]
    problems: list[Problem]
    hints: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the numbers of events and problems, and the hints, on one line."""
        counts = Counter(event.event for event in self.events)
        parts = [f"{counts[name]} {name}" for name in EVENTS if counts[name]] or ["no events"]
        return "; ".join([f"{', '.join(parts)}, {len(self.problems)} wrong", *self.hints])


def ignore(sentence: str) -> None:
    """Ignore invalid settings, because the audit checks the script tag itself."""


def audit(html: str) -> Report:
    """Return what the tracker would send if everything on a page is seen, and clicked once."""
    with lock:
        window.document.open(html)
        shadow_roots[:] = window.document.shadow_roots
        return Reading(html).report()


class Reading:
    """One pass over the page in the window."""

    def __init__(self, html: str) -> None:
        # A dict for deduplication, because the tracker reports a problem each time it reads it.
        self._problems: dict[Problem, None] = {
            Problem(each.line, each.attribute, str(each)): None for each in find_duplicates(html)
        }
        self._events: list[Event] = []
        # The deduplication keys of what was seen.
        self._seen: set[str] = set()
        # Elements by the attributes from which a script is to render the tracker's.
        self._bound: dict[str, list[Element]] = {}
        # The tracker's script tags.
        self._tags: list[Element] = []
        tag = window.document.querySelector(f"script[{APP_ID}]")
        settings = resolve(tag.dataset if tag else {}, ignore)
        visit = Visit(settings, lambda uid: uid, lambda: False, ignore)
        # Nothing has been typed.
        self._items = Items(visit, lambda listing: None, self._report_invalid)

    def report(self) -> Report:
        """Read every element, and return the report."""
        for element in window.document.all:
            if element.localName == "script":
                self._check_tag(element)
            self._check_rendering(element)
            is_marked = any(name.startswith((PREFIX, "role")) for name in element.attributes)
            if is_marked and closest(element, f"[{names.IGNORE}]") is None:
                self._check_attributes(element)
                self._read(element)
        hints = self._check_page()
        problems = sorted(self._problems, key=lambda problem: problem.line)
        return Report(self._events, problems, hints)

    def _read(self, element: Element) -> None:
        item = self._items.read(element)
        if item is None and element.hasAttribute(names.PURCHASE_ORDER):
            item = self._items.read_purchase(element)
        if item is not None:
            # An element that no slot renders cannot be seen.
            if item.kind not in ACTIVATED or element.is_in_flat_tree:
                self._read_item(item)
        elif element.hasAttribute(names.INDEX) and not closest(
            element, f"[{names.PURCHASE_ORDER}]"
        ):
            remedy = f"put it on the element with {names.PRODUCT} or {names.SUGGESTION}"
            self._add_problem(element, names.INDEX, f"{names.INDEX} is not on an item: {remedy}")
        if element.hasAttribute(names.ACTION):
            subject = self._items.read_subject(element)
            if subject is not None:
                fields = self._items.context(subject)
                self._add(ACTIONS[attribute(element, names.ACTION)], subject, fields, element)

    def _read_item(self, item: Item) -> None:
        """Add the events of an item that is seen, and clicked once."""
        fields = self._items.context(item)
        key = deduplication_key(SEEN[item.kind], self._items.key_of(item), fields)
        if key not in self._seen:
            self._seen.add(key)
            self._add(SEEN[item.kind], item, fields, item.element)
        # A click on an action control triggers only the action; on an inert element, nothing.
        if item.kind in ACTIVATED and closest(item.element, f"[{names.ACTION}],{INERT}") is None:
            self._add(ACTIVATED[item.kind], item, fields, item.element)

    def _add(self, name: str, item: Item, fields: Fields, element: Element) -> None:
        """Add the event of an item in its context; invalid fields become problems."""
        for item_id in item.ids:
            if reason := explain_id(item_id):
                self._add_problem(item.element, item.kind, f'"{item_id}" is not an id: {reason}')
        event = make_event(name, item.ids, fields, "audit", 0)
        scrub_query(event)
        while fault := find_fault(event):
            if fault.field == "items":
                self._report_invalid(item.element, item.kind, TEXT)
                return
            # Page and rank are already validated, so it is a query that is too long.
            holder = closest(item.element, f"[{names.QUERY}]")
            self._report_invalid(holder, names.QUERY, TEXT)
            del event[fault.field]
        ids = tuple(part["id"] for part in event["items"])
        index, page, query = (event.get(field) for field in ("index", "page", "query"))
        self._events.append(Event(name, ids, index, page, query, element.line))

    def _report_invalid(self, element: Element, name: str, kind: Any) -> None:
        """Add an invalid attribute that the tracker reports."""
        value = element.getAttribute(name) or ""
        if len(value) > MAX_TEXT:
            message = f"{name} has {len(value)} characters: give at most {MAX_TEXT}"
        else:
            words = [] if isinstance(kind, str) else kind
            close = difflib.get_close_matches(value, words, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"it must be {expected(kind)}"
            message = f'{name}="{value}" is wrong: {remedy}'
        self._add_problem(element, name, message)

    def _add_problem(self, element: Element, attribute: str, message: str) -> None:
        self._problems[Problem(element.line, attribute, message)] = None

    def _check_attributes(self, element: Element) -> None:
        """Report unknown attributes with the tracker's prefix, and invalid or unrendered values."""
        for name, value in element.attributes.items():
            if name in VALUES and value and read(VALUES[name], value.strip()) is None:
                self._report_invalid(element, name, VALUES[name])
            if name == names.QUERY and (reason := explain_placeholder(value)):
                self._add_problem(element, name, f'"{value}" is not a search text: {reason}')
            if name.startswith(PREFIX) and name not in KNOWN:
                hint = suggest_attribute(name)
                self._add_problem(element, name, f"{name} is not a tracker attribute: {hint}")

    def _check_rendering(self, element: Element) -> None:
        """Report an expression of a template in place of attributes, and note bound ones."""
        expression = next(filter(EXPRESSION.match, element.attributes), None)
        if expression is not None:
            remedy = "audit the page as the shop serves it, not its template"
            self._add_problem(element, expression, f"{expression} was not rendered: {remedy}")
        for name in element.attributes:
            if PREFIX in name and not name.startswith(PREFIX):
                self._bound.setdefault(name, []).append(element)

    def _check_page(self) -> list[str]:
        """Return the hints about the page and the tracker's script tags."""
        # The parser adds these three to any text.
        if {element.localName for element in window.document.all} <= {"html", "head", "body"}:
            return ["this is not an HTML page"]
        return [*self._check_tags(), *self._check_bound(), *self._check_ids()]

    def _check_tags(self) -> list[str]:
        """Return the hints about the tracker's script tags, and report what is wrong with them."""
        if not self._tags:
            return ["no script tag"]
        first, *others = [tag for tag in self._tags if is_run(tag)] or self._tags[:1]
        for tag in others:
            only = f"only the script tag on line {first.line} has an effect"
            self._add_problem(tag, "src", f"the tracker is loaded twice: {only}: remove this one")
        hints = [f"script tag{'s' if others else ''}: {lines_of([first, *others])}"]
        if is_stale(first):
            found = f"its integrity does not match the built {file_of(first)}"
            if is_versioned(first):
                # The relay serves earlier versions, too, at the addresses that name them.
                hints.append(f"{found}: regenerate the snippet")
            else:
                remedy = "browsers block the script: regenerate the snippet"
                self._add_problem(first, "integrity", f"{found}: {remedy}")
        return hints

    def _check_bound(self) -> list[str]:
        """Return a hint if there are attributes that a script renders in the browser."""
        if not self._bound:
            return []
        listed = ", ".join(f"{name} ({lines_of(found)})" for name, found in self._bound.items())
        return [f"not run: the script that renders {listed}: audit its result, or use verify"]

    def _check_ids(self) -> list[str]:
        """Return a hint if all products' ids look like numbers that were printed with points."""
        ids = [
            item_id for each in self._events if each.event not in OF_TEXTS for item_id in each.ids
        ]
        if value := looks_grouped(ids):
            kind = "a number printed with separators"
        elif looks_decimal(list({*ids})):
            value, kind = ids[0], "a price, or a number with a fraction"
        else:
            return []
        line = next(event.line for event in self._events if value in event.ids)
        return [f'"{value}" (line {line}) looks like {kind}: if so, print the plain id']

    def _check_tag(self, tag: Element) -> None:
        """Check the tracker's script tag."""
        file = file_of(tag)
        # The module waits for a call.
        is_tracker = bundles.TRACKER_FILE.match(file) and not file.endswith(".mjs")
        if is_tracker:
            self._tags.append(tag)
        if not tag.hasAttribute(APP_ID):
            if is_tracker:
                remedy = "give the application's id"
                self._add_problem(tag, APP_ID, f"the script tag has no {APP_ID}: {remedy}")
            return
        for name, value in tag.attributes.items():
            if name in TAG_ATTRIBUTES:
                kind = EVERY_SETTING[TAG_ATTRIBUTES[name]].value_type
                if read(kind, value) is None:
                    self._report_invalid(tag, name, kind)
            elif right := suggest_setting(name):
                message = f"{name} is not a setting: did you mean {right}?"
                self._add_problem(tag, name, message)


def lines_of(elements: list[Element]) -> str:
    """Return where elements start: "line 3", or "lines 3, 4"."""
    lines = ", ".join(str(element.line) for element in elements)
    return f"line{'s' if len(elements) > 1 else ''} {lines}"


def file_of(tag: Element) -> str:
    """Return the file name in a script tag's src."""
    return (tag.getAttribute("src") or "").split("?")[0].rpartition("/")[2]


def is_run(tag: Element) -> bool:
    """Return whether browsers run a script tag, and no consent platform is to change it first."""
    return (tag.getAttribute("type") or "").strip().lower() in bundles.RUNNING_TYPES


def is_stale(tag: Element) -> bool:
    """Return whether a tag's integrity does not match the built file."""
    given = (tag.getAttribute("integrity") or "").split()
    try:
        return bool(given) and bundles.integrity(file_of(tag)) not in given
    except bundles.NotBuiltError:
        return False


def is_versioned(tag: Element) -> bool:
    """Return whether a tag's address names the version whose integrity the tag has."""
    versions = parse_qs(urlsplit(tag.getAttribute("src") or "").query).get("v", [])
    given = (tag.getAttribute("integrity") or "").split()
    return any(bundles.version(each) in versions for each in given)
