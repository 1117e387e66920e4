"""Puts the tracker together and starts it: the one place where everything meets."""

from typing import Any

from neuralens_tracker.capture.clicks import Clicks
from neuralens_tracker.capture.discovery import Discovery
from neuralens_tracker.capture.items import Item, Items
from neuralens_tracker.capture.lifecycle import (
    when_left,
    when_navigating,
    when_read,
    when_shown,
)
from neuralens_tracker.capture.page_items import PageItems
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.capture.suggestions import Suggestions
from neuralens_tracker.capture.views import Views
from neuralens_tracker.commands import Commands
from neuralens_tracker.delivery import Delivery
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.outbox import Outbox
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.settings import resolve
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import GRANTED, VERSION
from neuralens_tracker.web.configuration import read_configuration
from neuralens_tracker.web.console import complaint, warn
from neuralens_tracker.web.dom import listen
from neuralens_tracker.web.ffi import (
    callback,
    dump,
    elements,
    get,
    invoke,
    on_caught,
    parse,
    put,
    window,
)
from neuralens_tracker.web.platform import has_privacy_signal
from neuralens_tracker.web.storage import Storage
from neuralens_tracker.web.tabs import Tabs
from neuralens_tracker.web.transport import Transport
from neuralens_tracker.web.values import from_browser, to_browser


class Tracker:
    """The tracker of one page: every part, made with the parts that it needs."""

    def __init__(self, tag: Any) -> None:
        self._hooks = Hooks(to_browser, from_browser, invoke, warn)
        given = read_configuration(tag, self._hooks.say)
        on_caught(self._hooks.say)
        self._settings = resolve(given, self._hooks.say)
        if self._settings["debug"]:
            self._hooks.on("event", get(get(window, "console"), "log"))
        self._storage = Storage()
        self._transport = Transport(self._settings)
        self._identity = Identity(self._storage, self._transport.random)
        self._visit = Visit(
            self._settings, self._identity.find, has_privacy_signal, self._hooks.say
        )
        self._outbox = Outbox(self._storage, self._identity, parse, dump, self._hooks.say)
        self._tabs = Tabs()
        self._delivery = Delivery(
            self._settings,
            self._visit,
            self._storage,
            self._outbox,
            self._transport,
            self._tabs,
            parse,
            dump,
            self._hooks,
        )
        self._pipeline = Pipeline(
            self._visit,
            self._storage,
            self._identity,
            self._outbox,
            self._delivery,
            self._transport,
            self._hooks,
        )
        self._items = Items(self._visit, self.complain)
        self._suggestions = Suggestions(self._items, self._settings, self._visit, self.emit)
        self._search_box = SearchBox(self._visit, self._suggestions.schedule)
        self._views = Views(self._items, self._settings, self.emit)
        self._page_items = PageItems(self._items, self.emit)
        self._discovery = Discovery(self._items, self._views, self._suggestions, self._page_items)
        self._clicks = Clicks(self._items, self.emit)
        self._commands = Commands(
            self._visit,
            self._pipeline,
            self._delivery,
            self._hooks,
            self.set_consent,
            self.begin_page_view,
            from_browser,
        )
        self._queue: Any = None
        self._decided: Any = None

    def take_over(self, stub: Any) -> None:
        """Take over from the stub: calls that were made before, and those from now on."""
        self._queue = (get(stub, "q") if stub else None) or []
        neuralens = callback(self._commands.run)
        put(neuralens, "version", VERSION)
        put(window, "neuralens", neuralens)
        when_shown(self.open)

    def open(self, *_: Any) -> None:
        """Begin once the page is shown: consent, the calls made so far, then the captures."""
        self._transport.start(self._delivery.confirm)
        self.set_consent(self._settings["consent"])
        for values in elements(self._queue):
            invoke(self._commands.run, None, *elements(values))
        self._clicks.start()
        self._search_box.start()
        self._suggestions.start()
        self._views.start()
        when_left(self.leave)
        when_navigating(self.hasten)
        listen("online", self.hasten)
        when_read(self._discovery.start)
        listen("pageshow", self._restored)

    def receive(self, event: dict[str, Any], key: Any) -> None:
        """Track an event that was kept before this tracker was there."""
        self._pipeline.receive(event, key)

    def may_store(self) -> bool:
        """Tell whether the shopper has consented."""
        return self._visit.consent() == GRANTED

    def recall(self, told: list[str], typed: Any) -> None:
        """Take over what this page view has told of, and what the shopper has typed."""
        self._visit.recall(told, typed)

    def finish(self, *_: Any) -> None:
        """Tell of what the page itself stands for, for a slow runtime may not have come to it."""
        self._page_items.capture_all()

    def when_decided(self, act: Any) -> None:
        """Act at each decision on consent from now on."""
        self._decided = act

    def begin_page_view(self) -> None:
        """Begin a new page view: in a single-page shop, or out of the back/forward cache."""
        self._visit.begin_page_view()
        self._suggestions.forget()
        self._discovery.scan()

    def _restored(self, event: Any) -> None:
        """Begin a new page view when the page comes back from the back/forward cache."""
        if get(event, "persisted"):
            if self.may_store():
                self._delivery.resume()
            self.begin_page_view()

    def leave(self, event: Any, *_: Any) -> None:
        """Send what waits, for the page may be seen for the last time."""
        self._delivery.leave(get(event, "type") == "pagehide")

    def hasten(self, *_: Any) -> None:
        """Send what waits at once."""
        self._delivery.flush(False)

    def set_consent(self, state: Any, *_: Any) -> None:
        """Follow the shopper's decision."""
        self._pipeline.set_consent(state)
        if self._decided:
            self._decided()

    def complain(self, element: Any, name: str, value_type: Any) -> None:
        """Say that an element's attribute must be of a type."""
        self._hooks.say(complaint(element, name, value_type))

    def emit(self, event: str, item: Item, key: Any) -> None:
        """Track an event on an item, or a purchase, as ``Items`` reads them.

        With a deduplication key, no second one of this page view; of a purchase, for good.
        """
        if self._visit.is_new(event, key):
            self._pipeline.track(event, item.ids, self._items.context(item), key)


def start(tag: Any) -> None:
    """Start the tracker with the settings of its script tag and of ``neuralensConfig``.

    A second start on the same page does nothing: two tags must not double the events.
    """
    stub = get(window, "neuralens")
    if not stub or not get(stub, "version"):
        tracker = Tracker(tag)
        tracker.take_over(stub)
