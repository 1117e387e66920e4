"""The overlay: shows on the page and the console which items and events the tracker sees.

Outlines items, and lists each event with the reason why it was sent, held or suppressed and whether
it was delivered; the console gets a line for each. It reads elements with the tracker's own
``Items`` and settings, and listens to events through its tag's ``log`` or the public calls. It
renders into a shadow tree, which the page's styles do not affect.
"""

from neuralens_tracker.attributes import (
    ACTION,
    CONTEXT,
    IGNORE,
    ITEMS,
    LANDING,
    PRODUCT,
    PURCHASE_ORDER,
    SUGGESTION,
)
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.markup import DECLARED_ITEM, OPTION
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.settings import resolve
from neuralens_tracker.types import Fields, JSObject, Settings, ValueType
from neuralens_tracker.value_types import requirement
from neuralens_tracker.vocabulary import DENIED, PREFIX, VERSION
from neuralens_tracker.web.addon import tell
from neuralens_tracker.web.configuration import find_tag, read_configuration
from neuralens_tracker.web.console import log
from neuralens_tracker.web.dom import (
    attribute,
    bounds,
    closest,
    contains,
    create_element,
    document_property,
    find_everywhere,
    is_connected,
    listen,
    matches,
    shadow_roots,
)
from neuralens_tracker.web.ffi import (
    call,
    callback,
    construct,
    dump,
    elements,
    get,
    method,
    on_caught,
    put,
    record,
)
from neuralens_tracker.web.platform import has_privacy_signal, wait
from neuralens_tracker.web.visibility import box_of, is_opaque

scroll_into_view: JSObject = method("Element", "scrollIntoView")
SHOWN = DECLARED_ITEM + ",[data-nl-landing],[data-nl-purchase],[data-nl-action]," + OPTION
REFRESH_MS = 300
# The most items, and the most events, that are shown.
MAX_SHOWN = 300
# Keys of the tag that are not the tracker's own settings: of an add-on, and of a heavy runtime.
OTHERS = ("ga4IndexBase", "src", "integrity", "pyscript")
# Why an event was captured; the others are interactions.
CAUSES = {
    "VIEW_PRODUCT": "half of it stayed in view",
    "VIEW_SUGGESTION": "its list stayed unchanged",
    "LAND_PRODUCT_PAGE": "the page is about it",
    "PURCHASE": "the page confirms it",
}
REASONS = {
    "before": "a before hook dropped it",
    "consent": "no consent",
    "repeated": "already reported",
}
PRIVACY_SIGNAL = "Global Privacy Control"
WAITING = "held: consent is pending"
# Follows the browser's light or dark color scheme.
STYLE = """
:host { all: initial; color-scheme: light dark }
* { font: 13px/1.4 system-ui, sans-serif; box-sizing: border-box; margin: 0;
  overflow-wrap: anywhere }
.right { color: light-dark(#08702f, #5ce08e) }
.wrong{ color: light-dark(#b3122d, #ff8b9b) }
.frame, section { position: fixed; z-index: 2147483647 }
.frame { pointer-events: none; border: 2px solid; overflow: hidden }
.frame span { display: inline-block; background: Canvas; white-space: pre-line }
.chosen { border-width: 6px }
section { right: 0; bottom: 0; width: min(420px, 100vw); max-height: 45vh; overflow: auto }
section, button { border: 1px solid }
section, header, button { background: Canvas; color: CanvasText }
header { display: flex; gap: 8px; align-items: center; padding: 8px; position: sticky; top: 0 }
b { font-weight: bold; flex: 1 }
li, summary, button { padding: 6px 8px }
li, summary { border-top: 1px solid #8888 }
ol { padding: 0; list-style: none }
button, summary { cursor: pointer }
button[aria-pressed=true] { background: CanvasText; color: Canvas }
li button { padding: 0; border: 0; color: inherit; text-align: left; width: 100% }
:focus-visible { outline: 3px solid Highlight; outline-offset: -3px }
[hidden] { display: none }
"""


class PageContext:
    """The page and query of items whose markup names none."""

    def __init__(self, settings: Settings) -> None:
        self._page = settings["page"]
        self._query = settings["query"]

    def page(self) -> str | None:
        """Return the page, or None."""
        return self._page

    def query(self) -> str | None:
        """Return the query, or None."""
        return self._query

    def learn(self, event: JSObject) -> None:
        """Learn the query of a call of ``page`` from an event that uses it."""
        if get(event, "querySource") == "page":
            self._query = get(event, "query")


class Problem:
    """An invalid attribute of an element."""

    def __init__(self, element: JSObject, message: str) -> None:
        self.element = element
        self.message = message


class Problems:
    """Collects the invalid attributes of elements as they are read."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, element: JSObject, name: str, value_type: ValueType) -> None:
        """Add an invalid attribute."""
        self._found.append(Problem(element, requirement(name, value_type)))

    def pop(self, element: JSObject) -> str:
        """Return the problems of an element and its ancestors, and clear all.

        Ranking an element reads others of its list, whose problems are not its own.
        """
        messages = [found.message for found in self._found if contains(found.element, element)]
        self._found = []
        return "; ".join(messages)


class Mark:
    """An annotated element: its box, a text, and the problem with it, if any."""

    def __init__(self, box: JSObject, text: str, problem: str) -> None:
        self.box = box
        self.text = text
        self.problem = problem


class Pair:
    """The elements that show a mark: a frame with its label, and a list entry with its button."""

    def __init__(self, frame: JSObject, label: JSObject, entry: JSObject, button: JSObject) -> None:
        self.frame = frame
        self.label = label
        self.entry = entry
        self.button = button


def make(parent: JSObject, name: str, text: str) -> JSObject:
    """Append a new element with a text, and return it."""
    made = create_element(name)
    put(made, "textContent", text)
    call(parent, "append", made)
    return made


def set_text(element: JSObject, text: str) -> None:
    """Set an element's text if it differs: screen readers announce changes."""
    if get(element, "textContent") != text:
        put(element, "textContent", text)


def describe(fields: JSObject) -> str:
    """Format rank, page and query of an event or an item, with their sources."""
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


def ids_of(event: JSObject) -> list[str]:
    """Return the ids of an event's items; an invalid event may have none."""
    return [get(item, "id") for item in elements(get(event, "items") or []) if get(item, "id")]


def describe_line(event: JSObject) -> str:
    """Format an event on one line: ``VIEW_PRODUCT AV768 #3 SEARCH_RESULT_PAGE "oak chair"``."""
    parts = [str(get(event, "event"))]
    ids = ids_of(event)
    if len(ids) > 0:
        parts.append(",".join(ids))
    if get(event, "index") is not None:
        parts.append("#" + str(get(event, "index")))
    if get(event, "page"):
        parts.append(get(event, "page"))
    if get(event, "query"):
        parts.append(dump(get(event, "query")))
    return " ".join(parts)


def describe_start(given: Fields, settings: Settings, refused: bool) -> str:
    """Format the state in which the tracker started; ``refused`` by Global Privacy Control.

    ``given`` are the keys of tag and configuration; those that are no settings are named.
    """
    signal = "on" if refused else "on, not respected" if has_privacy_signal() else "off"
    parts = [
        VERSION + " started: app id " + (settings["appId"] or "missing"),
        "endpoint " + settings["endpoint"],
        "consent " + (DENIED if refused else settings["consent"]),
        "GPC " + signal,
    ]
    for name in list(given.keys()):
        if name not in list(settings.keys()) and name not in OTHERS:
            parts.append("unknown setting " + name)
    return ", ".join(parts)


def find_misspelt(element: JSObject) -> str:
    """Return the name of an attribute with the tracker's prefix that it does not have, or ""."""
    for name in elements(call(element, "getAttributeNames")):
        if name.startswith("data-nl-") and name not in CONTEXT and name not in ITEMS:
            return name
    return ""


class Overlay:
    """The panel and the frames around items."""

    def __init__(
        self, items: Items, problems: Problems, context: PageContext, refused: bool
    ) -> None:
        self._items = items
        self._problems = problems
        self._context = context
        # Whether Global Privacy Control denies consent.
        self._refused = refused
        self._host: JSObject = create_element("neuralens-overlay")
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
        self._event_count: JSObject = make(events, "summary", "Events: 0")
        self._events: JSObject = make(events, "ol", "")
        listing = make(panel, "details", "")
        self._item_count: JSObject = make(listing, "summary", "")
        self._list: JSObject = make(listing, "ol", "")
        self._marks: list[Mark] = []
        self._pairs: list[Pair] = []
        # The index of the selected mark.
        self._selected: int | None = None
        # The status line of each event, by PREFIX + eid.
        self._lines: dict[str, JSObject] = {}
        self._count = 0

    def start(self, history: JSObject) -> None:
        """Show the overlay; ``history`` is the tag's ``log``, None without one."""
        call(self._host, "setAttribute", IGNORE, "")
        call(document_property("documentElement"), "append", self._host)
        # With any, elements are looked for in all open shadow trees.
        shadow_roots.append(self._root)
        call(self._outlines, "addEventListener", "click", callback(self._toggle))
        call(self._close, "addEventListener", "click", callback(self._end))
        put(self._outlines, "ariaPressed", "true")
        call(self._root, "addEventListener", "keydown", callback(self._press_key))
        if history:
            earlier = elements(history)
            for i in range(0, len(earlier), 2):
                self._handle(earlier[i], earlier[i + 1])
            put(history, "push", callback(self._handle))
        else:
            for name in ("event", "suppressed", "delivered", "error"):
                self._listen(name)
        listen("scroll", self._position_frames)
        self._refresh()

    def _listen(self, name: str) -> None:
        """Handle the events of a name from now on."""

        def on_detail(detail: JSObject, *_: JSObject) -> None:
            self._handle(name, detail)

        tell("on", name, callback(on_detail))

    def _handle(self, name: str, detail: JSObject, *_: JSObject) -> None:
        if name == "event":
            self._add_event(detail)
        elif name == "held":
            self._add_unsent(detail, WAITING, "")
        elif name == "suppressed":
            self._add_suppressed(detail)
        elif name == "delivered":
            self._mark_delivered(detail)
        else:
            self._add_error(detail)

    def _toggle(self, *_: JSObject) -> None:
        """Show or hide the frames."""
        hidden = not get(self._frames, "hidden")
        put(self._frames, "hidden", hidden)
        put(self._outlines, "ariaPressed", "false" if hidden else "true")

    def _press_key(self, event: JSObject) -> None:
        if get(event, "key") == "Escape":
            self._end()

    def _end(self, *_: JSObject) -> None:
        call(self._host, "remove")

    def _refresh(self) -> None:
        """Read the page again, periodically."""
        self._items.forget_ranks()
        marks: list[Mark] = []
        for element in find_everywhere("*"):
            misspelt = find_misspelt(element)
            if len(marks) < MAX_SHOWN and (misspelt != "" or matches(element, SHOWN)):
                mark = self._read(element, misspelt)
                if mark:
                    marks.append(mark)
        self._marks = marks
        wrong = len([mark for mark in marks if mark.problem != ""])
        set_text(self._item_count, str(len(marks)) + " items, " + str(wrong) + " wrong")
        while len(self._pairs) < len(marks):
            self._pairs.append(self._make_pair(len(self._pairs)))
        for i in range(len(marks)):
            pair = self._pairs[i]
            mark = marks[i]
            text = "\n".join([part for part in (mark.text, mark.problem) if part != ""])
            set_text(pair.label, text)
            set_text(pair.button, text)
            kind = "wrong" if mark.problem != "" else "right"
            put(pair.button, "className", kind)
            chosen = " chosen" if i == self._selected else ""
            put(pair.frame, "className", "frame " + kind + chosen)
        self._position_frames()
        if is_connected(self._host):
            wait(REFRESH_MS, self._refresh)

    def _read(self, element: JSObject, misspelt: str) -> Mark | None:
        """Return the mark of an element, or None if there is nothing to show.

        ``misspelt`` is the name of an attribute of it that does not exist, or "".
        """
        box = box_of(element)
        if not box or closest(element, "[" + IGNORE + "]"):
            return None
        if misspelt != "":
            return Mark(box, "", "unknown attribute " + misspelt)
        kind = ACTION
        for name in (PRODUCT, SUGGESTION, LANDING, PURCHASE_ORDER):
            if attribute(element, name) is not None:
                kind = name
        item = self._items.read(element)
        if kind == PURCHASE_ORDER:
            item = self._items.read_purchase(element)
        elif kind == ACTION and not item:
            # Otherwise an option without ``data-nl-suggestions``.
            if attribute(element, ACTION) is not None:
                self._items.read_subject(element)
            problem = self._problems.pop(element)
            return Mark(box, "", problem) if problem != "" else None
        text = attribute(element, kind) or ""
        if item:
            context = describe(self._items.context(item))
            text = item.id + ("\n" + context if context != "" else "")
        reason = "" if is_opaque(box) else "not visible"
        if not item:
            reason = "an order line: no views"
        return Mark(box, text, self._problems.pop(element) or reason)

    def _make_pair(self, index: int) -> Pair:
        """Make the frame and the list entry for the mark with an index."""
        frame = make(self._frames, "div", "")
        entry = make(self._list, "li", "")
        button = make(entry, "button", "")

        def on_click(*_: JSObject) -> None:
            self._select(index)

        call(button, "addEventListener", "click", callback(on_click))
        return Pair(frame, make(frame, "span", ""), entry, button)

    def _select(self, index: int) -> None:
        """Scroll an item into view and highlight it."""
        self._selected = index
        scroll_into_view(self._marks[index].box, record({"block": "center"}))

    def _position_frames(self, *_: JSObject) -> None:
        """Move the frames to their items."""
        for i in range(len(self._pairs)):
            pair = self._pairs[i]
            shown = i < len(self._marks)
            put(pair.entry, "hidden", not shown)
            put(pair.frame, "hidden", not shown)
            if shown:
                mark = self._marks[i]
                edges = bounds(mark.box)
                style = f"left:{get(edges, 'left')}px;top:{get(edges, 'top')}px;"
                style += f"width:{get(edges, 'width')}px;height:{get(edges, 'height')}px"
                put(pair.frame, "style", style)

    def _add(self, event: JSObject, outcome: str, kind: str) -> None:
        """Add an event to the list, or update the one that is held."""
        key = PREFIX + str(get(event, "eid"))
        line = self._lines.get(key)
        if not line or get(line, "textContent") != WAITING:
            line = self._prepend(event)
            self._lines[key] = line
        put(line, "textContent", outcome)
        put(line, "className", kind)

    def _prepend(self, event: JSObject) -> JSObject:
        """Prepend an event to the list, and return its empty status line."""
        entry = create_element("li")
        call(self._events, "prepend", entry)
        make(entry, "b", str(get(event, "event")) + " " + ", ".join(ids_of(event)))
        make(entry, "div", describe(event))
        line = make(entry, "div", "")
        self._count += 1
        set_text(self._event_count, "Events: " + str(self._count))
        if get(get(self._events, "children"), "length") > MAX_SHOWN:
            call(get(self._events, "lastElementChild"), "remove")
        return line

    def _add_event(self, event: JSObject) -> None:
        self._context.learn(event)
        name = get(event, "event")
        cause = "the shopper acted"
        if get(event, "source") == "call":
            cause = "the page called"
        elif name in list(CAUSES.keys()):
            cause = CAUSES[name]
        log(describe_line(event), event)
        self._add(event, "sent: " + cause + " · not delivered yet", "")

    def _add_suppressed(self, detail: JSObject) -> None:
        reason = get(detail, "reason")
        if reason == "consent" and self._refused:
            reason = PRIVACY_SIGNAL
        elif reason in list(REASONS.keys()):
            reason = REASONS[reason]
        self._add_unsent(get(detail, "event"), "suppressed: " + reason, "wrong")

    def _add_unsent(self, event: JSObject, outcome: str, kind: str) -> None:
        log(describe_line(event) + " " + outcome, event)
        self._add(event, outcome, kind)

    def _mark_delivered(self, batch: JSObject) -> None:
        for event in elements(get(batch, "events")):
            line = self._lines.get(PREFIX + get(event, "eid"))
            if line:
                text = get(line, "textContent").replace("not delivered yet", "delivered")
                put(line, "textContent", text)
                put(line, "className", "right")
            else:
                self._add(event, "from an earlier page · delivered", "right")

    def _add_error(self, detail: JSObject) -> None:
        self._add(record({"event": "Error"}), get(detail, "message"), "wrong")


def ignore(*_: JSObject) -> None:
    """Leave warnings about the settings to the tracker."""
    return


def start(tag: JSObject) -> None:
    """Start the overlay, with a tag as ``load_overlay`` makes it, or an add-on's own."""
    given = read_configuration(find_tag(get(tag, "tag") if tag else None), ignore)
    # Prints to the console.
    on_caught(None)
    settings = resolve(given, ignore)
    context = PageContext(settings)
    problems = Problems()
    box = SearchBox()
    items = Items(context, box.typed_for, problems.add)
    refused = settings["respectGpc"] and has_privacy_signal()
    overlay = Overlay(items, problems, context, refused)
    box.start()
    log(describe_start(given, settings, refused), record(settings))
    overlay.start(get(tag, "log") if tag else None)
