"""The composition root: wires the tracker's parts together and starts them."""

from collections.abc import Callable, Sequence

from neuralens_tracker.acts import ACT, VIEW, Acts
from neuralens_tracker.attribution import Attribution
from neuralens_tracker.capture.clicks import Clicks
from neuralens_tracker.capture.discovery import Discovery
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.lifecycle import (
    on_activation,
    on_dom_ready,
    on_navigation,
    on_page_hide,
)
from neuralens_tracker.capture.markup import SEEN, Item
from neuralens_tracker.capture.page_items import PageItems
from neuralens_tracker.capture.popups import Popups
from neuralens_tracker.capture.routes import Routes
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.capture.views import Views
from neuralens_tracker.commands import Commands
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.constraints import Constraints
from neuralens_tracker.delivery import Delivery
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.outbox import JOURNAL_KEY, Outbox
from neuralens_tracker.page_view import CALL, PageView, deduplication_key
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.recovery import BEGIN_MS, Recovery
from neuralens_tracker.settings import resolve
from neuralens_tracker.types import Event, Fields, JSObject, ValueType
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import DENIED, GRANTED, PREFIX, VERSION
from neuralens_tracker.web.configuration import find_tag, read_configuration
from neuralens_tracker.web.console import describe_invalid, warn
from neuralens_tracker.web.dom import check_visibility, listen
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
from neuralens_tracker.web.platform import has_keepalive, has_privacy_signal, is_foreign, now, wait
from neuralens_tracker.web.storage import Storage
from neuralens_tracker.web.tabs import Tabs
from neuralens_tracker.web.transport import Transport
from neuralens_tracker.web.values import from_browser, to_browser

# Milliseconds that a page may take to render after its call of ``page``.
RENDER_MS = 1000


class Tracker:
    """The tracker of one page."""

    def __init__(self, tag: JSObject) -> None:
        self._hooks = Hooks(to_browser, from_browser, invoke, callback(warn))
        given = read_configuration(tag, self._hooks.report)
        on_caught(self._hooks.report)
        self._settings = resolve(given, self._hooks.report)
        if is_debugged(self._settings):
            load_overlay(tag, self._settings, self._hooks.on)
        self._storage = Storage()
        self._transport = Transport(self._settings)
        self._identity = Identity(self._storage, self._transport.random)
        self._visit = Visit(
            self._settings, self._identity.find, has_privacy_signal, self._hooks.report
        )
        self._outbox = Outbox(
            self._storage, self._identity, self._transport, dump, self._hooks.report
        )
        self._tabs = Tabs()
        self._constraints = Constraints(
            self._storage,
            now(),
            is_foreign(self._settings["endpoint"]) and has_keepalive(),
        )
        self._delivery = Delivery(
            self._settings,
            self._visit,
            self._constraints,
            self._outbox,
            self._transport,
            self._hooks,
        )
        self._recovery = Recovery(
            self._visit, self._outbox, self._delivery, self._transport, self._tabs
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
        self._items = Items(self._visit, self._search_box.typed_for, self.report_invalid)
        self._page_view = PageView(self._items.is_present, check_visibility)
        self._routes = Routes(self._page_view, self._restart_capture)
        self._popups = Popups(self._items, self._settings, self.track_item)
        self._views = Views(self._items, self._settings, self.track_item)
        self._page_items = PageItems(self._items, self.track_item)
        self._discovery = Discovery(
            self._items, self._views, self._popups, self._page_items, self._routes
        )
        self._clicks = Clicks(
            self._items, self._search_box, self._acts, self._confirmations, self.track_act
        )
        self._commands = Commands(
            self._visit,
            self._pipeline,
            self._hooks,
            self._confirmations,
            self.set_consent,
            self.begin_page_view,
            self.flush,
            now,
            from_browser,
        )
        # The page's calls before ``open``.
        self._calls: list[Sequence[JSObject]] = []
        self._is_open = False
        # The journal in storage when the page was last unloaded, if the page might read it.
        self._left: object = None
        self._consent_handler: Callable[[], None] | None = None

    def has_application(self) -> bool:
        """Return whether an application id is configured; report it if not."""
        if self._settings["appId"] != "":
            return True
        self._hooks.report("data-app-id is missing: nothing is tracked")
        return False

    def replace_stub(self, stub: JSObject) -> None:
        """Install ``window.neuralens`` in place of the stub, whose queued calls are run first."""
        if stub and get(stub, "q"):
            for values in elements(get(stub, "q")):
                self._calls.append(elements(values))
        neuralens = callback(self.run)
        put(neuralens, "version", VERSION)
        put(window, "neuralens", neuralens)
        on_activation(self.open)

    def open(self, *_: JSObject) -> None:
        """Start: apply consent and the queued calls, then begin to capture."""
        self._transport.start(self._recovery.acknowledge)
        self.set_consent(self._settings["consent"])
        self._is_open = True
        for values in self._calls:
            invoke(self._commands.run, None, *values)
        self._routes.start()
        self._clicks.start()
        self._search_box.start()
        self._popups.start()
        invoke(self._views.start, None)
        on_page_hide(self.leave)
        on_navigation("navigate", self.flush)
        listen("online", self.flush)
        listen("pageshow", self._on_pageshow)
        # A listener of that event lets Chromium load the storage.
        wait(BEGIN_MS, listen, "storage", self._on_storage)
        # Last, because it throws where the page has removed an observer.
        on_dom_ready(self._discovery.start)

    def run(self, *values: JSObject) -> None:
        """Run a call of the page; a prerendered page's calls are queued until it is activated."""
        if self._is_open:
            self._commands.run(*values)
        else:
            self._calls.append(values)

    def receive(self, event: Event, key: str | None) -> None:
        """Track an event that was recorded before the tracker started."""
        self._pipeline.receive(event, key)

    def may_store(self) -> bool:
        """Return whether the shopper has consented."""
        return self._visit.consent() == GRANTED

    def restore(self, keys: list[str], typed: str | None) -> None:
        """Restore the deduplication keys of this page view and the typed query."""
        self._page_view.restore(keys)
        self._search_box.restore(typed)

    def on_consent(self, handler: Callable[[], None]) -> None:
        """Call a handler after each change of consent."""
        self._consent_handler = handler

    def begin_page_view(self) -> None:
        """Begin a page view at the page's call, unless a route change just began the same one."""
        if self._page_view.record_signal(CALL, now()):
            self._items.begin_page_view()
        # The old page's elements may be about to be replaced.
        wait(RENDER_MS, self._after_render)

    def _after_render(self) -> None:
        self._page_view.release_carried_over()
        self._discovery.scan()

    def _restart_capture(self) -> None:
        """Scan the whole document again for a new page view."""
        # A press that has navigated comes before what it has led to.
        self._clicks.resolve()
        self._items.begin_page_view()
        self._discovery.scan()

    def _on_pageshow(self, event: JSObject) -> None:
        """Begin a page view when the page returns from the back/forward cache."""
        if get(event, "persisted"):
            if self._left:
                self._follow_refusal()
            if self.may_store():
                self._recovery.resume()
            self._page_view.restart()
            self._restart_capture()

    def _on_storage(self, event: JSObject) -> None:
        """Follow a refusal in another tab."""
        if get(event, "key") == PREFIX + JOURNAL_KEY:
            self._follow_refusal()

    def _follow_refusal(self) -> None:
        """Deny consent if another page has erased the journal, as a refusal does."""
        if not self._storage.read(JOURNAL_KEY):
            self.set_consent(DENIED)

    def leave(self, event: JSObject, *_: JSObject) -> None:
        """Flush when the page is hidden, which may be the last chance to send."""
        self._discovery.catch_up()
        ended = get(event, "type") == "pagehide"
        # The page may be left before the task that was to do so.
        self._recovery.begin()
        self._delivery.flush(True)
        if ended:
            self._recovery.leave()
            self._left = self.may_store() and self._storage.read(JOURNAL_KEY)

    def flush(self, *_: JSObject) -> None:
        """Send everything now: a navigation begins, the browser is online again, or at a call."""
        self._discovery.catch_up()
        self._recovery.begin()
        self._delivery.flush(False)

    def set_consent(self, state: object, *_: JSObject) -> None:
        """Apply the shopper's decision."""
        self._pipeline.set_consent(state)
        self._recovery.apply_consent()
        if self._consent_handler:
            self._consent_handler()

    def report_invalid(self, element: JSObject, name: str, value_type: ValueType) -> None:
        """Report an invalid attribute of an element."""
        self._hooks.report(describe_invalid(element, name, value_type))

    def track_item(self, item: Item) -> None:
        """Track a view, landing or purchase, once per page view and context."""
        # Suggestions for an empty box are not those for a text that a button has removed.
        self._search_box.forget_emptied()
        event = SEEN[item.kind]
        key = self._items.key_of(item)
        fields = self._items.context(item)
        full_key = deduplication_key(event, key, fields)
        if self._page_view.admit(full_key, item.id, item.element, now()):
            self._pipeline.track(event, item.ids, fields, key, VIEW)

    def track_act(self, event: str, item: Item, fields: Fields) -> None:
        """Track an interaction with an item, in the context at the time of the interaction."""
        self._pipeline.track(event, item.ids, fields, None, ACT)


def start(tag: JSObject) -> None:
    """Start the tracker with the settings of its script tag and of ``neuralensConfig``.

    Idempotent, so that two tags on a page do not duplicate events.
    """
    stub = get(window, "neuralens")
    # An element of that id may have a field named "version".
    if not stub or not isinstance(get(stub, "version"), str):
        tracker = Tracker(find_tag(tag))
        if tracker.has_application():
            tracker.replace_stub(stub)
