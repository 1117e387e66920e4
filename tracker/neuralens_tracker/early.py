"""What stands in for a heavy runtime while it loads: ``neuralens.early.js``.

It queues the page's calls, keeps what the shopper does, with its context as it is at that moment,
and loads the runtime when the page is idle. The runtime takes over (``late``): on this page or,
where the shopper was quicker, on the next one.
"""

from typing import Any

from neuralens_tracker.attributes import IGNORE, LANDING, PURCHASE_ORDER, SUGGESTION
from neuralens_tracker.capture.clicks import Clicks
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.lifecycle import when_idle, when_left, when_loaded
from neuralens_tracker.capture.suggestions import SEARCH_BOX
from neuralens_tracker.identity import Identity
from neuralens_tracker.privacy import decide
from neuralens_tracker.value_types import FLAG, TEXT, read
from neuralens_tracker.vocabulary import (
    DENIED,
    GRANTED,
    KEPT_KEY,
    LAND_PRODUCT_PAGE,
    PAGES,
    PURCHASE,
)
from neuralens_tracker.web.console import Console
from neuralens_tracker.web.dom import attribute, closest, document, find_all, listen
from neuralens_tracker.web.ffi import call, callback, dump, get, on_caught, put, window
from neuralens_tracker.web.storage import Storage
from neuralens_tracker.web.stub import install_stub
from neuralens_tracker.web.values import from_browser


class Early:
    """Keeps what happens until ``hand_over`` is called."""

    def __init__(self, tag: Any) -> None:
        self._console = Console(self.ignore)
        on_caught(self._console.say)
        given = from_browser(get(window, "neuralensConfig")) or {}
        given.update(from_browser(get(tag, "dataset")))
        self._settings: dict[str, Any] = {
            # A word that is none of the three keeps everything out of storage.
            "consent": given.get("consent") or GRANTED,
            "respectGpc": read(FLAG, given.get("respectGpc")) is not False,
        }
        self._read_context(given)
        self._storage = Storage()
        self._identity = Identity(self._storage, self.random)
        self._items = Items(self._settings, self.ignore)
        self._clicks = Clicks(self._items, self.keep)
        self._tag = tag
        self._queue = get(get(window, "neuralens"), "q")
        # What is not in storage, and what was told of the page itself, as Tracker.recall takes it.
        self._held: list[Any] = []
        self._told: list[Any] = []
        self._typed: Any = None

    def ignore(self, *_: Any) -> None:
        """Leave it to the runtime to say what is wrong."""
        return

    def random(self) -> float:
        """Return a random number from 0 below 1."""
        return call(get(window, "Math"), "random")

    def start(self) -> None:
        """Listen, and have the runtime loaded."""
        put(get(window, "neuralens"), "early", callback(self.hand_over))
        self._clicks.start()
        listen("input", self._type)
        listen("focusin", self._type)
        when_left(self._leave)
        when_loaded(self._wait)

    def keep(self, event: str, item: list[Any], once: Any) -> None:
        """Keep an event on an item."""
        self._follow(False)
        # Nobody watches the page for changes yet.
        self._items.forget_ranks()
        fields = self._items.context(item)
        if item[1] == SUGGESTION and self._typed is not None:
            fields["query"] = self._typed
        fields["ids"] = item[2]
        self._store(event, fields, once)
        self._save()

    def hand_over(self) -> str:
        """End, and return as JSON text what storage does not hold, what was told and typed."""
        handed = dump([self._held, self._told, self._typed])
        # From now on nothing is kept.
        self._queue = []
        self._settings["consent"] = DENIED
        return handed

    def _read_context(self, given: dict[str, Any]) -> None:
        """Take the page and the query of settings, or of a call."""
        self._settings["page"] = read(PAGES, given.get("page"))
        self._settings["query"] = read(TEXT, given.get("query"))

    def _follow(self, leaving: bool) -> None:
        """Follow the page's calls so far; of a page that is left, keep the events, too."""
        for values in self._queue:
            given = values[1] or {}
            if values[0] == "consent":
                self._settings["consent"] = given
            elif values[0] == "page":
                self._read_context(given)
            elif leaving and values[0] == "track":
                fields = from_browser(values[2]) or {}
                fields["page"] = fields.get("page") or self._settings["page"]
                fields["query"] = fields.get("query") or self._settings["query"]
                self._store(given, fields, None)
                # The runtime, if it comes after all, is told to send what waits instead.
                values[0] = "flush"

    def _store(self, event: Any, fields: dict[str, Any], once: Any) -> None:
        """Hold an entry as ``late.restore`` takes it."""
        eid = self._identity.make_uuid()
        milliseconds = call(get(window, "Date"), "now")
        self._held.append([eid, milliseconds, event, fields, once or ""])

    def _save(self) -> None:
        """Write what is held to storage, if the shopper has consented; forget it if not."""
        signal = get(get(window, "navigator"), "globalPrivacyControl")
        consent = decide(self._settings["consent"], self._settings["respectGpc"], signal)
        held = self._held
        self._held = []
        for entry in held:
            if consent != DENIED and (
                consent != GRANTED or not self._storage.write(KEPT_KEY + entry[0], dump(entry))
            ):
                self._held.append(entry)

    def _type(self, event: Any) -> None:
        target = get(event, "target")
        if call(target, "matches", SEARCH_BOX):
            self._typed = get(target, "value")

    def _leave(self, *_: Any) -> None:
        """Keep the page's own events and calls, too, before the runtime could tell of them."""
        for element in find_all(document, "[" + LANDING + "],[" + PURCHASE_ORDER + "]"):
            order = attribute(element, PURCHASE_ORDER)
            if order is None:
                item = self._items.read(element)
                self._tell(LAND_PRODUCT_PAGE, item, attribute(element, LANDING))
            else:
                self._tell(PURCHASE, self._items.read_purchase(element), order)
        self._follow(True)
        self._save()

    def _tell(self, event: str, item: Any, once: str) -> None:
        key = event + "\n" + once
        if item is not None and key not in self._told and not closest(item[0], IGNORE):
            self._told.append(key)
            self.keep(event, item, once)

    def _wait(self, *_: Any) -> None:
        when_idle(self._load)

    def _load(self, *_: Any) -> None:
        """Insert the runtime's script, which reads the settings of this one's tag."""
        script = call(document, "createElement", "script")
        put(script, "integrity", attribute(self._tag, "data-integrity") or "")
        put(script, "nonce", get(self._tag, "nonce"))
        put(script, "crossOrigin", "")
        put(script, "src", attribute(self._tag, "data-src"))
        call(get(document, "head"), "appendChild", script)


def start(tag: Any) -> None:
    """Stand in for the runtime that the tag names in ``data-src``; a second start does nothing."""
    install_stub()
    neuralens = get(window, "neuralens")
    if not get(neuralens, "version") and not get(neuralens, "early"):
        early = Early(tag)
        early.start()
