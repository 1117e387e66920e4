"""The audit of a page's markup: what the tracker would capture, and what is wrong.

The tracker's own modules read the page; see ``ffi``. Added here are the mistakes that the tracker
passes over, because they mean nothing to it: names that it does not know.
"""

import difflib
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from neuralens_tracker import attributes as names
from neuralens_tracker.events import find_fault, make_event
from neuralens_tracker.settings import resolve
from neuralens_tracker.value_types import TEXT, expected, read
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import ACTIONS, EVENTS, MAX_TEXT

from neuralens_embed import bundles
from neuralens_embed.dom import Element
from neuralens_embed.ffi import window
from neuralens_embed.placeholders import explain_placeholder
from neuralens_embed.snippet import EARLY, EVERY_SETTING, LOADING, RUNTIMES, kebab, snake

# After ffi, by which it reaches the page.
from neuralens_tracker.capture.items import ACTIVATED, SEEN, Item, Items  # isort: skip

PREFIX = "data-nl-"
KNOWN = (*names.CONTEXT, *names.ITEMS)
APP_ID = "data-app-id"
SCRIPTS = (*RUNTIMES.values(), EARLY)
# Each setting's attribute on the script tag, and its name.
TAG_ATTRIBUTES = {f"data-{kebab(snake(name))}": name for name in EVERY_SETTING}

# There is one page at a time, as in a browser's window.
lock = Lock()


@dataclass(frozen=True)
class Event:
    """What the tracker would send of the element that begins at ``line``, from 1."""

    event: str
    ids: tuple[str, ...]
    index: int | None
    page: str | None
    query: str | None
    line: int


@dataclass(frozen=True)
class Problem:
    """What is wrong with an attribute of the element that begins at ``line``, and the remedy."""

    line: int
    attribute: str
    message: str


@dataclass(frozen=True)
class Report:
    """The events and the problems of a page, each in the order of its text.

    ``hints`` are what is wrong with a whole page, and right in a part of one, such as that it has
    no script tag.
    """

    events: list[Event]
    problems: list[Problem]
    hints: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return what is captured, how much of it is wrong, and the hints, in one line."""
        counts = Counter(event.event for event in self.events)
        parts = [f"{counts[name]} {name}" for name in EVENTS if counts[name]] or ["no events"]
        return "; ".join([f"{', '.join(parts)}, {len(self.problems)} wrong", *self.hints])


def ignore(sentence: str) -> None:
    """Pass over what the tracker says of settings: the tag is judged here."""


def audit(html: str) -> Report:
    """Return what the tracker would send when all of a page is seen, and clicked once."""
    with lock:
        window.document.open(html)
        return Reading().report()


class Reading:
    """The reading of the page in the window."""

    def __init__(self) -> None:
        # By what they say and where, because the tracker complains whenever it reads.
        self._problems: dict[Problem, None] = {}
        self._events: list[Event] = []
        self._seen: set[tuple[str, str]] = set()
        # The tags that load a script of the tracker.
        self._tags: list[Element] = []
        tag = window.document.querySelector(f"script[{APP_ID}]")
        settings = resolve(tag.dataset if tag else {}, ignore)
        visit = Visit(settings, lambda uid: uid, lambda: False, ignore)
        # Nobody has typed anything.
        self._items = Items(visit, lambda listing: None, self._report_invalid)

    def report(self) -> Report:
        """Return what every element stands for."""
        for element in window.document.all:
            if element.localName == "script":
                self._judge_tag(element)
            is_marked = any(name.startswith((PREFIX, "role")) for name in element.attributes)
            if is_marked and element.closest(f"[{names.IGNORE}]") is None:
                self._judge_names(element)
                self._read(element)
        problems = sorted(self._problems, key=lambda problem: problem.line)
        return Report(self._events, problems, self._judge_page())

    def _read(self, element: Element) -> None:
        item = self._items.read(element)
        if item is None and element.hasAttribute(names.PURCHASE_ORDER):
            item = self._items.read_purchase(element)
        if item is not None:
            key = (SEEN[item.kind], self._items.key_of(item))
            if key not in self._seen:
                self._seen.add(key)
                self._add(SEEN[item.kind], item, element)
            # On a control, and in a form, a click is the action alone.
            if item.kind in ACTIVATED and element.closest(f"[{names.ACTION}]") is None:
                self._add(ACTIVATED[item.kind], item, element)
        elif element.hasAttribute(names.INDEX) and not element.closest(f"[{names.PURCHASE_ORDER}]"):
            remedy = f"put it on the element with {names.PRODUCT} or {names.SUGGESTION}"
            self._add_problem(element, names.INDEX, f"{names.INDEX} stands on no item: {remedy}")
        if element.hasAttribute(names.ACTION):
            subject = self._items.read_subject(element)
            if subject is not None:
                self._add(ACTIONS[str(element.getAttribute(names.ACTION))], subject, element)

    def _add(self, name: str, item: Item, element: Element) -> None:
        """Add the event of an item, as far as an event can carry what the markup says."""
        for item_id in item.ids:
            if reason := explain_placeholder(item_id):
                self._add_problem(item.element, item.kind, f'"{item_id}" is no id: {reason}')
        event = make_event(name, item.ids, self._items.context(item), "audit", 0)
        while fault := find_fault(event):
            if fault.field == "items":
                self._report_invalid(item.element, item.kind, TEXT)
                return
            # Page and rank have been read as such; a query is any text, and may be too long.
            holder = item.element.closest(f"[{names.QUERY}]")
            self._report_invalid(holder, names.QUERY, TEXT)
            del event[fault.field]
        ids = tuple(part["id"] for part in event["items"])
        index, page, query = (event.get(field) for field in ("index", "page", "query"))
        self._events.append(Event(name, ids, index, page, query, element.line))

    def _report_invalid(self, element: Element, name: str, kind: Any) -> None:
        """Add the tracker's complaint that an attribute must be of a kind."""
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

    def _judge_names(self, element: Element) -> None:
        """Add the attributes that look like the tracker's and are not."""
        for name in element.attributes:
            if name.startswith(PREFIX) and name not in KNOWN:
                words = [known.removeprefix(PREFIX) for known in KNOWN]
                close = difflib.get_close_matches(name.removeprefix(PREFIX), words, n=1)
                hint = f"did you mean {PREFIX}{close[0]}?" if close else f"use {', '.join(KNOWN)}"
                self._add_problem(element, name, f"{name} is no attribute of the tracker: {hint}")

    def _judge_page(self) -> list[str]:
        """Return the hints on the tracker's script tags."""
        # The parser makes these three of any text.
        if {element.localName for element in window.document.all} <= {"html", "head", "body"}:
            return ["this is no HTML page"]
        if not self._tags:
            return ["no script tag"]
        lines = ", ".join(str(tag.line) for tag in self._tags)
        if len(self._tags) > 1:
            return [f"script tags: lines {lines}: leave one, the second does nothing"]
        return [f"script tag: line {lines}", *judge_integrity(self._tags[0])]

    def _judge_tag(self, tag: Element) -> None:
        """Add what is wrong with the tracker's script tag."""
        file = file_of(tag)
        if file in SCRIPTS:
            self._tags.append(tag)
        if not tag.hasAttribute(APP_ID):
            if file in SCRIPTS:
                remedy = "give the application's id"
                self._add_problem(tag, APP_ID, f"the script tag has no {APP_ID}: {remedy}")
            return
        for name, value in tag.attributes.items():
            if name in TAG_ATTRIBUTES:
                kind = EVERY_SETTING[TAG_ATTRIBUTES[name]].value_type
                if read(kind, value) is None:
                    self._report_invalid(tag, name, kind)
            elif name.startswith("data-") and name not in LOADING:
                close = difflib.get_close_matches(name, TAG_ATTRIBUTES, n=1)
                if close:
                    message = f"{name} is no setting: did you mean {close[0]}?"
                    self._add_problem(tag, name, message)


def file_of(tag: Element) -> str:
    """Return the name of the file that a script tag loads."""
    return (tag.getAttribute("src") or "").split("?")[0].rpartition("/")[2]


def judge_integrity(tag: Element) -> list[str]:
    """Return a hint where a tag's integrity is not that of the built file; none where none is."""
    given = tag.getAttribute("integrity")
    try:
        built = bundles.integrity(file_of(tag))
    except bundles.NotBuiltError:
        return []
    if given is None or built in given.split():
        return []
    return [f"its integrity is not that of the built {file_of(tag)}: print the snippet again"]
