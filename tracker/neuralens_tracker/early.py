"""What stands in for a heavy runtime while it loads: ``neuralens.early.js``.

It queues the page's calls, keeps what the shopper does, with its context as it is at that moment,
and loads the runtime when the page is idle. The runtime takes over (``late``): on this page or,
where the shopper was quicker, on the next one.
"""

from typing import Any

from neuralens_tracker.acts import ACT, Acts
from neuralens_tracker.capture.clicks import Clicks
from neuralens_tracker.capture.items import Item, Items
from neuralens_tracker.capture.lifecycle import when_idle, when_left, when_loaded
from neuralens_tracker.capture.page_items import PageItems
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.events import make_event, named_ids
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.page_view import PageView, told_key
from neuralens_tracker.personal_data import scrub_query
from neuralens_tracker.settings import resolve
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import TEXT, read
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import DENIED, GRANTED, KEPT_KEY
from neuralens_tracker.web.configuration import find_tag, read_configuration
from neuralens_tracker.web.console import warn
from neuralens_tracker.web.dom import attribute, document, listen
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
from neuralens_tracker.web.platform import has_privacy_signal, now, random
from neuralens_tracker.web.storage import Storage
from neuralens_tracker.web.stub import install_stub
from neuralens_tracker.web.values import from_browser, to_browser


class Early:
    """Keeps what happens until ``hand_over`` is called."""

    def __init__(self, tag: JSObject) -> None:
        self._hooks = Hooks(to_browser, from_browser, invoke, warn)
        given = read_configuration(tag, self.ignore)
        on_caught(self._hooks.say)
        self._settings = resolve(given, self.ignore)
        self._storage = Storage()
        self._identity = Identity(self._storage, random)
        self._visit = Visit(self._settings, self._identity.find, has_privacy_signal, self.ignore)
        self._search_box = SearchBox()
        self._items = Items(self._visit, self._search_box.typed_for, self.ignore)
        self._page_view = PageView(self._items.stands)
        self._acts = Acts()
        self._confirmations = Confirmations()
        self._clicks = Clicks(
            self._items, self._search_box, self._acts, self._confirmations, self.act
        )
        self._page_items = PageItems(self._items, self.keep)
        self._tag = tag
        self._queue = get(get(window, "neuralens"), "q")
        # The entries that are not in storage.
        self._held: list[Fields] = []

    def ignore(self, *_: JSObject) -> None:
        """Leave it to the runtime to say what is wrong."""
        return

    def start(self) -> None:
        """Listen, and have the runtime loaded."""
        self._visit.set_consent(self._settings["consent"])
        put(get(window, "neuralens"), "early", callback(self.hand_over))
        # Before the clicks, which read the context at once.
        for name in ("pointerdown", "keydown", "click", "submit"):
            listen(name, self._follow_calls)
        self._clicks.start()
        self._search_box.start()
        when_left(self._leave)
        when_loaded(self._wait)

    def keep(self, event: str, item: Item, key: str) -> None:
        """Keep an event on an item, or a purchase, as ``Items`` reads them."""
        self._follow(False)
        # Nobody watches the page for changes yet.
        self._items.forget_ranks()
        fields = self._items.context(item)
        told = told_key(event, key, fields)
        if self._page_view.is_new(told, item.id, item.element, now()):
            self._hold(event, item.ids, fields, key)
            self._save()

    def act(self, event: str, item: Item, fields: dict[str, Any]) -> None:
        """Keep what a shopper does with an item."""
        if not self._acts.is_repeated(event, item.ids, ACT, now()):
            self._hold(event, item.ids, fields, None)
            self._save()

    def hand_over(self) -> str:
        """End, and return as JSON text what storage does not hold, what was told and typed."""
        handed = dump(
            {"held": self._held, "told": self._page_view.keys(), "typed": self._search_box.typed()}
        )
        # From now on nothing is kept.
        self._queue = []
        self._visit.set_consent(DENIED)
        return handed

    def _follow_calls(self, *_: JSObject) -> None:
        self._follow(False)

    def _follow(self, leaving: bool) -> None:
        """Follow the page's calls so far; of a page that is left, keep the events, too."""
        # The runtime, if it comes after all, runs the calls that are left: the queue is the stub's.
        for _ in range(len(self._queue)):
            values = self._queue.pop(0)
            if not invoke(self._follow_call, None, leaving, *elements(values)):
                self._queue.append(values)

    def _follow_call(
        self, leaving: bool, name: Any = None, first: Any = None, second: Any = None, *_: JSObject
    ) -> bool:
        """Follow one call, and tell whether it was kept as an event."""
        if name == "consent":
            self._visit.set_consent(first)
        elif name == "page":
            self._visit.set_context(from_browser(first) or {})
        elif name == "track" and leaving:
            fields = self._visit.add_context(from_browser(second) or {})
            self._hold(first, named_ids(fields), fields, read(TEXT, fields.get("order")))
            return True
        return False

    def _hold(self, event: Any, ids: Any, fields: Fields, key: str | None) -> None:
        """Hold an event as ``late.restore`` takes it."""
        made = make_event(event, ids, fields, self._identity.make_uuid(), int(now()))
        scrub_query(made)
        self._held.append({"event": made, "key": key})

    def _save(self) -> None:
        """Write what is held to storage, if the shopper has consented; forget it if not."""
        consent = self._visit.consent()
        held = self._held
        self._held = []
        for entry in held:
            if consent != DENIED and (
                consent != GRANTED
                or not self._storage.write(KEPT_KEY + entry["event"]["eid"], dump(entry))
            ):
                self._held.append(entry)

    def _leave(self, *_: JSObject) -> None:
        """Keep the page's own events and calls, too, before the runtime could tell of them."""
        self._page_items.capture_all()
        self._follow(True)
        self._save()

    def _wait(self, *_: JSObject) -> None:
        when_idle(self._load)

    def _load(self, *_: JSObject) -> None:
        """Insert the runtime's script, which reads the settings of this one's tag."""
        script = call(document, "createElement", "script")
        put(script, "integrity", attribute(self._tag, "data-integrity") or "")
        put(script, "nonce", get(self._tag, "nonce"))
        put(script, "crossOrigin", "")
        put(script, "src", attribute(self._tag, "data-src"))
        call(get(document, "head"), "appendChild", script)


def start(tag: JSObject) -> None:
    """Stand in for the runtime that the tag names in ``data-src``; a second start does nothing."""
    install_stub()
    neuralens = get(window, "neuralens")
    if not get(neuralens, "version") and not get(neuralens, "early"):
        early = Early(find_tag(tag))
        early.start()
