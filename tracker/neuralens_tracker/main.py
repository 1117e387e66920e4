"""Puts the tracker together and starts it: the one place where everything meets."""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.acts import ACT, VIEW, Acts
from neuralens_tracker.attribution import Attribution
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
from neuralens_tracker.capture.routes import Routes
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.capture.suggestions import Suggestions
from neuralens_tracker.capture.views import Views
from neuralens_tracker.commands import Commands
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.delivery import Delivery
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.outbox import Outbox
from neuralens_tracker.page_view import CALL, PageView, told_key
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.settings import resolve
from neuralens_tracker.types import Event, Fields, JSObject, ValueType
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import GRANTED, VERSION
from neuralens_tracker.web.configuration import find_tag, read_configuration
from neuralens_tracker.web.console import complaint, warn
from neuralens_tracker.web.dom import listen
from neuralens_tracker.web.ffi import (
    callback,
    dump,
    elements,
    get,
    invoke,
    on_caught,
    put,
    window,
)
from neuralens_tracker.web.overlay import is_debugged, load_overlay
from neuralens_tracker.web.platform import has_privacy_signal, now, wait
from neuralens_tracker.web.storage import Storage
from neuralens_tracker.web.tabs import Tabs
from neuralens_tracker.web.transport import Transport
from neuralens_tracker.web.values import from_browser, to_browser

# Milliseconds after the shop's own call in which the document may follow it.
SETTLE_MS = 1000


class Tracker:
    """The tracker of one page: every part, made with the parts that it needs."""

    def __init__(self, tag: JSObject) -> None:
        self._hooks = Hooks(to_browser, from_browser, invoke, warn)
        given = read_configuration(tag, self._hooks.say)
        on_caught(self._hooks.say)
        self._settings = resolve(given, self._hooks.say)
        if is_debugged(self._settings):
            self._hooks.on("event", get(get(window, "console"), "log"))
            load_overlay(tag, self._settings, self._hooks.on)
        self._storage = Storage()
        self._transport = Transport(self._settings)
        self._identity = Identity(self._storage, self._transport.random)
        self._visit = Visit(
            self._settings, self._identity.find, has_privacy_signal, self._hooks.say
        )
        self._outbox = Outbox(self._storage, self._identity, self._transport, dump, self._hooks.say)
        self._tabs = Tabs()
        self._delivery = Delivery(
            self._settings,
            self._visit,
            self._storage,
            self._outbox,
            self._transport,
            self._tabs,
            self._hooks,
        )
        self._acts = Acts()
        self._confirmations = Confirmations()
        self._attribution = Attribution(self._settings, self._storage)
        self._pipeline = Pipeline(
            self._visit,
            self._acts,
            self._attribution,
            self._storage,
            self._identity,
            self._outbox,
            self._delivery,
            self._transport,
            self._hooks,
        )
        self._search_box = SearchBox()
        self._items = Items(self._visit, self._search_box.typed_for, self.complain)
        self._page_view = PageView(self._items.stands)
        self._routes = Routes(self._page_view, self._turn)
        self._suggestions = Suggestions(self._items, self._settings, self.emit)
        self._views = Views(self._items, self._settings, self.emit)
        self._page_items = PageItems(self._items, self.emit)
        self._discovery = Discovery(
            self._items, self._views, self._suggestions, self._page_items, self._routes
        )
        self._clicks = Clicks(
            self._items, self._search_box, self._acts, self._confirmations, self.act
        )
        self._commands = Commands(
            self._visit,
            self._pipeline,
            self._delivery,
            self._hooks,
            self._confirmations,
            self.set_consent,
            self.begin_page_view,
            now,
            from_browser,
        )
        self._queue: JSObject = None
        self._decided: Callable[[], None] | None = None

    def has_application(self) -> bool:
        """Tell whether there is an application to track for; say what is missing if not."""
        if self._settings["appId"] == "":
            self._hooks.say("data-app-id is missing: nothing is tracked")
        return self._settings["appId"] != ""

    def take_over(self, stub: JSObject) -> None:
        """Take over from the stub: calls that were made before, and those from now on."""
        self._queue = (get(stub, "q") if stub else None) or []
        neuralens = callback(self._commands.run)
        put(neuralens, "version", VERSION)
        put(window, "neuralens", neuralens)
        when_shown(self.open)

    def open(self, *_: JSObject) -> None:
        """Begin once the page is shown: consent, the calls made so far, then the captures."""
        self._transport.start(self._delivery.confirm)
        self.set_consent(self._settings["consent"])
        for values in elements(self._queue):
            invoke(self._commands.run, None, *elements(values))
        self._routes.start()
        self._clicks.start()
        self._search_box.start()
        self._suggestions.start()
        self._views.start()
        when_left(self.leave)
        when_navigating(self.hasten)
        listen("online", self.hasten)
        when_read(self._discovery.start)
        listen("pageshow", self._restored)

    def receive(self, event: Event, key: str | None) -> None:
        """Track an event that was kept before this tracker was there."""
        self._pipeline.receive(event, key)

    def may_store(self) -> bool:
        """Tell whether the shopper has consented."""
        return self._visit.consent() == GRANTED

    def recall(self, told: list[str], typed: str | None) -> None:
        """Take over what this page view has told of, and what the shopper has typed."""
        self._page_view.recall(told)
        self._search_box.recall(typed)

    def finish(self, *_: JSObject) -> None:
        """Tell of what the page itself stands for, for a slow runtime may not have come to it."""
        self._page_items.capture_all()

    def when_decided(self, act: Callable[[], None]) -> None:
        """Act at each decision on consent from now on."""
        self._decided = act

    def begin_page_view(self) -> None:
        """Begin a new page view at the shop's call, unless address or document did so before."""
        if self._page_view.notice(CALL, now()):
            self._items.begin_page_view()
        # What stands there may be about to go.
        wait(SETTLE_MS, self._settle)

    def _settle(self) -> None:
        self._page_view.settle()
        self._discovery.scan()

    def _turn(self) -> None:
        """Take in everything anew: address or document have begun a page view."""
        self._items.begin_page_view()
        self._discovery.scan()

    def _restored(self, event: JSObject) -> None:
        """Begin a new page view when the page comes back from the back/forward cache."""
        if get(event, "persisted"):
            if self.may_store():
                self._delivery.resume()
            self._page_view.restart()
            self._turn()

    def leave(self, event: JSObject, *_: JSObject) -> None:
        """Send what waits, for the page may be seen for the last time."""
        self._delivery.leave(get(event, "type") == "pagehide")

    def hasten(self, *_: JSObject) -> None:
        """Send what waits at once."""
        self._delivery.flush(False)

    def set_consent(self, state: Any, *_: JSObject) -> None:
        """Follow the shopper's decision."""
        self._pipeline.set_consent(state)
        if self._decided:
            self._decided()

    def complain(self, element: JSObject, name: str, value_type: ValueType) -> None:
        """Say that an element's attribute must be of a type."""
        self._hooks.say(complaint(element, name, value_type))

    def emit(self, event: str, item: Item, key: str) -> None:
        """Track what is seen of an item, or a purchase, as ``Items`` reads them.

        No second one of this page view in the same context; of a purchase, for good.
        """
        fields = self._items.context(item)
        told = told_key(event, key, fields)
        if self._page_view.is_new(told, item.id, item.element, now()):
            self._pipeline.track(event, item.ids, fields, key, VIEW)

    def act(self, event: str, item: Item, fields: Fields) -> None:
        """Track what a shopper does with an item, in the context of that moment."""
        self._pipeline.track(event, item.ids, fields, None, ACT)


def start(tag: JSObject) -> None:
    """Start the tracker with the settings of its script tag and of ``neuralensConfig``.

    A second start on the same page does nothing: two tags must not double the events.
    """
    stub = get(window, "neuralens")
    if not stub or not get(stub, "version"):
        tracker = Tracker(find_tag(tag))
        if tracker.has_application():
            tracker.take_over(stub)
