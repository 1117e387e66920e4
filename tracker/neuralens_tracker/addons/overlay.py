"""The overlay: what the tracker makes of a page, on the page itself.

Outlines items, and lists every event with why it was sent or suppressed and whether it was
delivered. It reads elements as the tracker does, by the same ``Items``, and is told of events by
the public calls. All of it is in a shadow tree of its own, which no style of the page reaches.
"""

from typing import Any

from neuralens_tracker.attributes import (
    ACTION,
    IGNORE,
    LANDING,
    PRODUCT,
    PURCHASE_ORDER,
    SUGGESTION,
)
from neuralens_tracker.capture.items import OPTION, Items
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.types import JSObject, ValueType
from neuralens_tracker.value_types import demand
from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.addon import find_setting, tell
from neuralens_tracker.web.dom import (
    attribute,
    bounds,
    closest,
    contains,
    document,
    find_all,
    find_everywhere,
    listen,
    of_document,
    shadow_of,
    shadow_roots,
)
from neuralens_tracker.web.ffi import (
    call,
    callback,
    construct,
    elements,
    get,
    method,
    put,
    record,
    same,
)
from neuralens_tracker.web.platform import wait
from neuralens_tracker.web.visibility import box_of, is_opaque

show_in_window: Any = method("Element", "scrollIntoView")
MARKED = "[data-nl-product],[data-nl-suggestion],[data-nl-landing],[data-nl-purchase]," + OPTION
CONTROL = "[" + ACTION + "]"
# Milliseconds between looks at the page, and how many items and events are shown at most.
LOOK_MS = 300
MOST = 300
# Why an event was sent: by what it is, where the page shows it, else by who told of it.
CAUSES = {
    "VIEW_PRODUCT": "half of it stayed in view",
    "VIEW_SUGGESTION": "its list stood unchanged",
    "LAND_PRODUCT_PAGE": "the page is about it",
    "PURCHASE": "the page confirms it",
}
REASONS = {
    "before": "a before hook dropped it",
    "consent": "no consent",
    "repeated": "told before",
}
# Light and dark are the browser's own colours.
STYLE = """
:host { all: initial; color-scheme: light dark }
* { font: 13px/1.4 system-ui, sans-serif; box-sizing: border-box; margin: 0 }
.right { color: light-dark(#08702f, #5ce08e) }
.wrong { color: light-dark(#b3122d, #ff8b9b) }
.frame { position: fixed; pointer-events: none; z-index: 2147483646; border: 2px solid;
  border-radius: 3px; overflow: hidden }
.frame span { position: absolute; left: 0; top: 0; max-width: 100%; padding: 0 4px;
  font-size: 11px; background: Canvas; white-space: pre-line; overflow-wrap: anywhere }
.chosen { border-width: 6px }
section { position: fixed; z-index: 2147483647; right: 8px; bottom: 8px; max-height: 45vh;
  width: min(420px, 100vw - 16px); overflow: auto; background: Canvas; color: CanvasText;
  border: 1px solid; border-radius: 8px; box-shadow: 0 2px 12px #0006 }
header { display: flex; gap: 8px; align-items: center; padding: 8px; position: sticky; top: 0;
  background: Canvas }
b { font-weight: 600; flex: 1 }
summary, li, li button { padding: 6px 8px; overflow-wrap: anywhere }
summary, li { border-top: 1px solid light-dark(#ddd, #444) }
ol { list-style: none; padding: 0 }
li:has(button) { padding: 0 }
button, summary { cursor: pointer; min-height: 32px }
button { padding: 4px 10px; border: 1px solid; border-radius: 6px; background: Canvas;
  color: CanvasText }
button[aria-pressed=true] { background: CanvasText; color: Canvas }
li button { border: 0; color: inherit; text-align: left; width: 100% }
:focus-visible { outline: 3px solid light-dark(#0b57d0, #a8c7fa); outline-offset: -3px }
[hidden] { display: none }
"""


class Surroundings:
    """The page and the query of items that have none in the markup."""

    def __init__(self, tag: JSObject) -> None:
        self._page = find_setting("page", tag)
        self._query = find_setting("query", tag)

    def page(self) -> Any:
        """Return the page, or None."""
        return self._page

    def query(self) -> Any:
        """Return the query, or None."""
        return self._query

    def learn(self, event: JSObject) -> None:
        """Take over what an event has of a call of ``page``."""
        if get(event, "querySource") == "page":
            self._query = get(event, "query")


class Complaint:
    """What is wrong with an attribute of an element."""

    def __init__(self, element: JSObject, sentence: str) -> None:
        self.element = element
        self.sentence = sentence


class Complaints:
    """What is wrong with the attributes of elements that were read."""

    def __init__(self) -> None:
        self._noted: list[Complaint] = []

    def add(self, element: JSObject, name: str, value_type: ValueType) -> None:
        """Note that an attribute must be of a type."""
        self._noted.append(Complaint(element, demand(name, value_type)))

    def pop(self, element: JSObject) -> str:
        """Return what was noted of an element and what is around it, and begin anew.

        To count its rank, others of its list were read, too.
        """
        noted = [entry.sentence for entry in self._noted if contains(entry.element, element)]
        self._noted = []
        return "; ".join(noted)


class Mark:
    """An element of the page: the one whose box stands for it, a text, and what is wrong."""

    def __init__(self, box: JSObject, text: str, wrong: str) -> None:
        self.box = box
        self.text = text
        self.wrong = wrong


class Pair:
    """How an item is shown: its frame, the text in this, and its button in the list."""

    def __init__(self, frame: JSObject, label: JSObject, entry: JSObject, button: JSObject) -> None:
        self.frame = frame
        self.label = label
        self.entry = entry
        self.button = button


def make(parent: JSObject, name: str, text: str) -> JSObject:
    """Add an element with a text, and return it."""
    made = call(document, "createElement", name)
    put(made, "textContent", text)
    call(parent, "append", made)
    return made


def say(element: JSObject, text: str) -> None:
    """Give an element a text, unless it has it: a reader would hear it again."""
    if get(element, "textContent") != text:
        put(element, "textContent", text)


def describe(fields: JSObject) -> str:
    """Return rank, page and query of an event or an item, and where they are from."""
    parts: list[str] = []
    if get(fields, "index") is not None:
        source = get(fields, "rankSource")
        parts.append("rank " + str(get(fields, "index")) + (f" ({source})" if source else ""))
    if get(fields, "page"):
        parts.append(get(fields, "page"))
    if get(fields, "query"):
        source = get(fields, "querySource")
        parts.append("“" + get(fields, "query") + "”" + (f" ({source})" if source else ""))
    return " · ".join(parts)


def is_known(root: JSObject) -> bool:
    """Tell whether a shadow tree was found before."""
    for other in shadow_roots:
        if same(other, root):
            return True
    return False


class Overlay:
    """The panel and the frames."""

    def __init__(self, items: Items, complaints: Complaints, surroundings: Surroundings) -> None:
        self._items = items
        self._complaints = complaints
        self._surroundings = surroundings
        self._host: JSObject = call(document, "createElement", "neuralens-overlay")
        self._root: JSObject = call(self._host, "attachShadow", record({"mode": "open"}))
        sheet = construct("CSSStyleSheet")
        call(sheet, "replaceSync", STYLE)
        put(self._root, "adoptedStyleSheets", [sheet])
        self._frames: JSObject = make(self._root, "div", "")
        panel = make(self._root, "section", "")
        put(panel, "ariaLabel", "Neuralens")
        header = make(panel, "header", "")
        make(header, "b", "Neuralens")
        self._outlines: JSObject = make(header, "button", "Outlines")
        self._close: JSObject = make(header, "button", "Close")
        events = make(panel, "details", "")
        put(events, "open", True)
        self._event_count: JSObject = make(events, "summary", "No events yet")
        self._events: JSObject = make(events, "ol", "")
        listing = make(panel, "details", "")
        self._item_count: JSObject = make(listing, "summary", "")
        self._list: JSObject = make(listing, "ol", "")
        self._marks: list[Mark] = []
        self._pairs: list[Pair] = []
        # The place of the item that was chosen in the list.
        self._chosen: Any = None
        # The line that says whether an event was delivered, by PREFIX and its eid.
        self._waiting: dict[str, JSObject] = {}
        self._count = 0
        self._closed = False

    def start(self, log: JSObject) -> None:
        """Appear, with what was told before: names and details in turn."""
        call(self._host, "setAttribute", IGNORE, "")
        call(of_document("documentElement"), "append", self._host)
        call(self._outlines, "addEventListener", "click", callback(self._toggle))
        call(self._close, "addEventListener", "click", callback(self._end))
        put(self._outlines, "ariaPressed", "true")
        call(self._root, "addEventListener", "keydown", callback(self._press_key))
        told = elements(log or [])
        for place in range(0, len(told), 2):
            self._hear(told[place], told[place + 1])
        tell("on", "event", callback(self._add_event))
        tell("on", "suppressed", callback(self._add_suppressed))
        tell("on", "delivered", callback(self._confirm))
        tell("on", "error", callback(self._add_error))
        listen("scroll", self._place)
        self._look()

    def _hear(self, name: str, detail: JSObject) -> None:
        if name == "event":
            self._add_event(detail)
        elif name == "suppressed":
            self._add_suppressed(detail)
        elif name == "delivered":
            self._confirm(detail)
        else:
            self._add_error(detail)

    def _toggle(self, *_: Any) -> None:
        """Show the frames, or hide them."""
        hidden = not get(self._frames, "hidden")
        put(self._frames, "hidden", hidden)
        put(self._outlines, "ariaPressed", "false" if hidden else "true")

    def _press_key(self, event: JSObject) -> None:
        if get(event, "key") == "Escape":
            self._end()

    def _end(self, *_: Any) -> None:
        self._closed = True
        call(self._host, "remove")

    def _look(self) -> None:
        """Read the page anew, from time to time."""
        self._find_shadows()
        self._items.forget_ranks()
        marks: list[Mark] = []
        for element in find_everywhere(MARKED + "," + CONTROL):
            if len(marks) < MOST:
                mark = self._read(element)
                if mark:
                    marks.append(mark)
        self._marks = marks
        wrong = len([mark for mark in marks if mark.wrong != ""])
        say(self._item_count, str(len(marks)) + " items, " + str(wrong) + " wrong")
        while len(self._pairs) < len(marks):
            self._pairs.append(self._make_pair(len(self._pairs)))
        for place in range(len(marks)):
            pair = self._pairs[place]
            mark = marks[place]
            text = "\n".join([part for part in (mark.text, mark.wrong) if part != ""])
            say(pair.label, text)
            say(pair.button, text)
            kind = "wrong" if mark.wrong != "" else "right"
            put(pair.button, "className", kind)
            chosen = " chosen" if place == self._chosen else ""
            put(pair.frame, "className", "frame " + kind + chosen)
        self._place()
        if not self._closed:
            wait(LOOK_MS, self._look)

    def _find_shadows(self) -> None:
        """Find the open shadow trees, those in other ones too."""
        roots: list[JSObject] = [document]
        while len(roots) > 0:
            for element in find_all(roots.pop(0), "*"):
                shadow = shadow_of(element)
                if shadow and not same(shadow, self._root):
                    roots.append(shadow)
                    if not is_known(shadow):
                        shadow_roots.append(shadow)

    def _read(self, element: JSObject) -> Any:
        """Return the mark of an element; None where there is nothing to show."""
        box = box_of(element)
        if not box:
            return None
        if closest(element, "[" + IGNORE + "]"):
            return None
        kind = ACTION
        for name in (PRODUCT, SUGGESTION, LANDING, PURCHASE_ORDER):
            if attribute(element, name) is not None:
                kind = name
        item = self._items.read(element)
        if kind == PURCHASE_ORDER:
            item = self._items.read_purchase(element)
        elif kind == ACTION and not item:
            if attribute(element, ACTION) is None:
                # An option that nobody has declared.
                return None
            self._items.read_subject(element)
            wrong = self._complaints.pop(element)
            return Mark(box, "", wrong) if wrong != "" else None
        text = attribute(element, kind) or ""
        if item:
            context = describe(self._items.context(item))
            text = item.id + ("\n" + context if context != "" else "")
        wrong = self._complaints.pop(element)
        if wrong == "" and not item:
            wrong = "a line of an order: bought, not seen"
        elif wrong == "" and not is_opaque(box):
            wrong = "cannot be seen"
        return Mark(box, text, wrong)

    def _make_pair(self, place: int) -> Pair:
        """Make what shows the item at a place of the list."""
        frame = make(self._frames, "div", "")
        entry = make(self._list, "li", "")
        button = make(entry, "button", "")

        def choose(*_: Any) -> None:
            self._choose(place)

        call(button, "addEventListener", "click", callback(choose))
        return Pair(frame, make(frame, "span", ""), entry, button)

    def _choose(self, place: int) -> None:
        """Bring an item into view, and mark it."""
        self._chosen = place
        show_in_window(self._marks[place].box, record({"block": "center"}))

    def _place(self, *_: Any) -> None:
        """Put the frames where the items are."""
        for place in range(len(self._pairs)):
            pair = self._pairs[place]
            shown = place < len(self._marks)
            put(pair.entry, "hidden", not shown)
            put(pair.frame, "hidden", not shown)
            if shown:
                mark = self._marks[place]
                edges = bounds(mark.box)
                style = get(pair.frame, "style")
                put(style, "left", str(get(edges, "left")) + "px")
                put(style, "top", str(get(edges, "top")) + "px")
                put(style, "width", str(get(edges, "width")) + "px")
                put(style, "height", str(get(edges, "height")) + "px")

    def _add(self, event: JSObject, outcome: str, kind: str) -> JSObject:
        """Add an event at the top of the list, and return the line of its outcome."""
        entry = call(document, "createElement", "li")
        call(self._events, "prepend", entry)
        ids = [get(item, "id") for item in elements(get(event, "items") or [])]
        make(entry, "b", str(get(event, "event")) + " " + ", ".join(ids))
        make(entry, "div", describe(event))
        line = make(entry, "div", outcome)
        put(line, "className", kind)
        self._count += 1
        say(self._event_count, str(self._count) + " events")
        if get(get(self._events, "children"), "length") > MOST:
            call(get(self._events, "lastElementChild"), "remove")
        return line

    def _add_event(self, event: JSObject, *_: Any) -> None:
        self._surroundings.learn(event)
        name = get(event, "event")
        cause = "the page called" if get(event, "source") == "call" else "the shopper acted"
        if name in list(CAUSES.keys()) and get(event, "source") != "call":
            cause = CAUSES[name]
        line = self._add(event, "sent: " + cause + " · not delivered yet", "")
        self._waiting[PREFIX + get(event, "eid")] = line

    def _add_suppressed(self, detail: JSObject, *_: Any) -> None:
        reason = get(detail, "reason")
        if reason in list(REASONS.keys()):
            reason = REASONS[reason]
        self._add(get(detail, "event"), "suppressed: " + reason, "wrong")

    def _confirm(self, batch: JSObject, *_: Any) -> None:
        for event in elements(get(batch, "events")):
            line = self._waiting.get(PREFIX + get(event, "eid"))
            if line:
                text = get(line, "textContent").replace("not delivered yet", "delivered")
                put(line, "textContent", text)
                put(line, "className", "right")
            else:
                self._add(event, "from an earlier page · delivered", "right")

    def _add_error(self, detail: JSObject, *_: Any) -> None:
        self._add(record({"event": "Error"}), get(detail, "message"), "wrong")


def start(tag: JSObject) -> None:
    """Show the overlay; the tracker's own tag for it holds what was told before."""
    surroundings = Surroundings(tag)
    complaints = Complaints()
    box = SearchBox()
    items = Items(surroundings, box.typed_for, complaints.add)
    overlay = Overlay(items, complaints, surroundings)
    box.start()
    overlay.start(get(tag, "log") if tag else None)
