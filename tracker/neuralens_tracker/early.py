"""Captures events while a heavy runtime loads: ``neuralens.early.js``.

It queues the page's calls, records interactions with their context at that moment, and loads the
runtime when the page is idle. The runtime then takes over (``late``): on this page or, if the
shopper leaves first, on the next one.
"""

from neuralens_tracker.acts import ACT, Acts
from neuralens_tracker.capture.clicks import Clicks
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.lifecycle import on_idle, on_load, on_page_hide
from neuralens_tracker.capture.markup import SEEN, Item
from neuralens_tracker.capture.page_items import PageItems
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.events import make_event, named_ids
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.page_view import PageView, deduplication_key
from neuralens_tracker.personal_data import scrub_query
from neuralens_tracker.settings import resolve
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import TEXT, read
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import DENIED, EARLY_KEY, GRANTED
from neuralens_tracker.web.configuration import find_tag, read_configuration
from neuralens_tracker.web.console import warn
from neuralens_tracker.web.dom import attribute, create_element, document_property, listen
from neuralens_tracker.web.ffi import (
    call,
    callback,
    dump,
    elements,
    get,
    invoke,
    on_caught,
    put,
    window,
)
from neuralens_tracker.web.platform import has_privacy_signal, now, random, resolve_address
from neuralens_tracker.web.storage import Storage
from neuralens_tracker.web.stub import install_stub
from neuralens_tracker.web.values import from_browser, to_browser


def is_rendered(_: JSObject) -> bool:
    """Return True for any element: until ``hand_over`` no page is kept for later."""
    return True


class Early:
    """Records events until ``hand_over`` is called."""

    def __init__(self, tag: JSObject) -> None:
        self._hooks = Hooks(to_browser, from_browser, invoke, callback(warn))
        given = read_configuration(tag, self.ignore)
        on_caught(self._hooks.report)
        self._settings = resolve(given, self.ignore)
        self._storage = Storage()
        self._identity = Identity(self._storage, random)
        self._visit = Visit(self._settings, self._identity.find, has_privacy_signal, self.ignore)
        self._search_box = SearchBox()
        self._items = Items(self._visit, self._search_box.typed_for, self.ignore)
        self._page_view = PageView(self._items.is_present, is_rendered)
        self._acts = Acts()
        self._confirmations = Confirmations()
        self._clicks = Clicks(
            self._items, self._search_box, self._acts, self._confirmations, self.record_act
        )
        self._page_items = PageItems(self._items, self.record_item)
        self._tag = tag
        self._queue = get(get(window, "neuralens"), "q")
        # The entries that are not in storage.
        self._held: list[Fields] = []

    def ignore(self, *_: JSObject) -> None:
        """Ignore a problem, because the runtime will report it."""
        return

    def start(self) -> None:
        """Register the listeners and schedule loading the runtime."""
        self._visit.set_consent(self._settings["consent"])
        put(get(window, "neuralens"), "early", callback(self.hand_over))
        # Registered before the clicks, which read the context that queued calls may change.
        listen("pointerdown keydown click submit", self._apply_queued_calls)
        self._clicks.start()
        self._search_box.start()
        on_page_hide(self._leave)
        on_load(self._wait)

    def record_item(self, item: Item) -> None:
        """Record a landing or a purchase."""
        self._apply_calls(False)
        # No mutation observer invalidates the ranks yet.
        self._items.forget_ranks()
        event = SEEN[item.kind]
        key = self._items.key_of(item)
        fields = self._items.context(item)
        full_key = deduplication_key(event, key, fields)
        if self._page_view.admit(full_key, item.id, item.element, now()):
            self._hold(event, item.ids, fields, key)
            self._save()

    def record_act(self, event: str, item: Item, fields: dict[str, object]) -> None:
        """Record an interaction with an item."""
        if self._acts.admit(event, item.ids, ACT, now()):
            self._hold(event, item.ids, fields, None)
            self._save()

    def hand_over(self) -> str:
        """Stop, and return the state as JSON: unsaved events, deduplication keys, typed query."""
        handed = dump(
            {"held": self._held, "told": self._page_view.keys(), "typed": self._search_box.typed()}
        )
        # With consent denied nothing is recorded any more.
        self._queue = []
        self._visit.set_consent(DENIED)
        return handed

    def _apply_queued_calls(self, *_: JSObject) -> None:
        self._apply_calls(False)

    def _apply_calls(self, leaving: bool) -> None:
        """Apply the queued calls for consent and context; when leaving, record ``track`` too."""
        # The rest stays queued for the runtime, should it still load: the queue is the stub's.
        for _ in range(len(self._queue)):
            values = self._queue.pop(0)
            if not invoke(self._apply_call, None, leaving, *elements(values)):
                self._queue.append(values)

    def _apply_call(
        self,
        leaving: bool,
        name: object = None,
        first: object = None,
        second: object = None,
        *_: JSObject,
    ) -> bool:
        """Apply one call; return whether it was recorded as an event."""
        if name == "consent":
            self._visit.set_consent(first)
        elif name == "page":
            self._visit.set_context(from_browser(first) or {})
        elif name == "track" and leaving:
            fields = self._visit.add_context(from_browser(second) or {})
            self._hold(first, named_ids(fields), fields, read(TEXT, fields.get("order")))
            return True
        return False

    def _hold(self, event: object, ids: object, fields: Fields, key: str | None) -> None:
        """Hold an event in the form that ``late.replay`` expects."""
        made = make_event(event, ids, fields, self._identity.make_uuid(), int(now()))
        scrub_query(made)
        self._held.append({"event": made, "key": key})

    def _save(self) -> None:
        """Move held events to storage if the shopper has consented; drop them if refused."""
        consent = self._visit.consent()
        held = self._held
        self._held = []
        for entry in held:
            if consent != DENIED and (
                consent != GRANTED
                or not self._storage.write(EARLY_KEY + entry["event"]["eid"], dump(entry))
            ):
                self._held.append(entry)

    def _leave(self, *_: JSObject) -> None:
        """Record the page's landings, purchases and calls, which the runtime would come to late."""
        self._page_items.capture_all()
        self._apply_calls(True)
        self._save()

    def _wait(self, *_: JSObject) -> None:
        on_idle(self._load)

    def _load(self, *_: JSObject) -> None:
        """Insert the runtime's script, which reads its settings from this script's tag."""
        script = create_element("script")
        put(script, "integrity", attribute(self._tag, "data-integrity") or "")
        put(script, "nonce", get(self._tag, "nonce"))
        put(script, "crossOrigin", "")
        put(script, "src", resolve_address(attribute(self._tag, "data-src") or ""))
        call(document_property("head"), "append", script)


def start(tag: JSObject) -> None:
    """Start recording until the runtime in the tag's ``data-src`` has loaded. Idempotent."""
    install_stub()
    neuralens = get(window, "neuralens")
    # An element of that id may have fields of any name.
    if not isinstance(get(neuralens, "version"), str) and not get(neuralens, "early"):
        early = Early(find_tag(tag))
        early.start()
