"""Puts the tracker together and starts it: the one place where everything meets."""

from typing import Any

from neuralens_tracker.attributes import SUGGESTION
from neuralens_tracker.capture.clicks import Clicks
from neuralens_tracker.capture.discovery import Discovery
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.lifecycle import when_left, when_read, when_shown
from neuralens_tracker.capture.suggestions import Suggestions
from neuralens_tracker.capture.views import Views
from neuralens_tracker.commands import Commands
from neuralens_tracker.delivery import Delivery
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.identity import Identity
from neuralens_tracker.outbox import Outbox
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.privacy import decide
from neuralens_tracker.settings import resolve
from neuralens_tracker.vocabulary import GRANTED, PREFIX, VERSION
from neuralens_tracker.web.console import Console
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
    record,
    window,
)
from neuralens_tracker.web.storage import Storage
from neuralens_tracker.web.transport import Transport
from neuralens_tracker.web.values import from_browser, to_browser


class Tracker:
    """The tracker of one page: every part, made with the parts that it needs."""

    def __init__(self, tag: Any) -> None:
        self._hooks = Hooks(to_browser, from_browser, invoke)
        self._console = Console(self._hooks.emit)
        # A configuration that throws is said to be wrong, not what it throws.
        on_caught(self._misconfigured)
        given = from_browser(get(window, "neuralensConfig") or record({}))
        if given is None:
            given = {}
            self._misconfigured()
        on_caught(self._console.say)
        if tag:
            given.update(from_browser(get(tag, "dataset")))
        self._settings = resolve(given, self._console.say)
        if self._settings["debug"]:
            self._hooks.on("event", get(get(window, "console"), "log"))
        self._storage = Storage()
        self._transport = Transport(self._settings)
        self._identity = Identity(self._storage, self._transport.random)
        self._outbox = Outbox(self._storage, parse, dump)
        self._delivery = Delivery(
            self._settings,
            self._identity,
            self._outbox,
            self._transport,
            self._hooks,
            self._console.say,
        )
        self._pipeline = Pipeline(
            self._settings,
            self._storage,
            self._identity,
            self._outbox,
            self._delivery,
            self._transport,
            self._hooks,
            self._console.say,
        )
        self._items = Items(self._settings, self._console.complain)
        self._suggestions = Suggestions(self._items, self._settings, self.emit)
        self._views = Views(self._items, self._settings, self.emit)
        self._discovery = Discovery(self._items, self._views, self._suggestions, self.emit)
        self._clicks = Clicks(self._items, self.emit)
        self._commands = Commands(
            self._settings,
            self._pipeline,
            self._delivery,
            self._hooks,
            from_browser,
            self.consent,
            self.begin_page_view,
            self._console.say,
        )
        # What this page view has told of already.
        self._told: dict[str, bool] = {}
        self._queue: Any = None
        self._decided: Any = None

    def _misconfigured(self, *_: Any) -> None:
        self._console.say("neuralensConfig must be an object")

    def take_over(self, stub: Any) -> None:
        """Take the place of the stub: calls that were made before, and those from now on."""
        self._queue = (get(stub, "q") if stub else None) or []
        neuralens = callback(self._commands.run)
        put(neuralens, "version", VERSION)
        put(window, "neuralens", neuralens)
        when_shown(self.open)

    def open(self, *_: Any) -> None:
        """Begin once the page is shown: consent, the calls made so far, then the captures."""
        self.consent(self._settings["consent"])
        for values in elements(self._queue):
            invoke(self._commands.run, None, *elements(values))
        self._clicks.start()
        self._suggestions.start()
        self._views.start()
        self._transport.start()
        when_left(self.leave)
        when_read(self._discovery.start)
        listen("pageshow", self._restored)

    def restore(self, event: dict[str, Any], once: Any) -> None:
        """Track an event that was kept before this tracker was there."""
        self._pipeline.restore(event, once)

    def may_send(self) -> bool:
        """Tell whether the shopper has consented."""
        return self._settings["consent"] == GRANTED

    def recall(self, told: list[str], typed: Any) -> None:
        """Take over what this page view has told of, and what the shopper has typed.

        Each event that was told is its name, a line feed, and its ``once``.
        """
        for key in told:
            self._told[PREFIX + key] = True
        self._suggestions.recall(typed)

    def finish(self, *_: Any) -> None:
        """Tell of what the page itself stands for, for a slow runtime may not have come to it."""
        self._discovery.finish()

    def when_decided(self, act: Any) -> None:
        """Act at each decision on consent from now on."""
        self._decided = act

    def begin_page_view(self) -> None:
        """Begin a new page view: in a single-page shop, or out of the back/forward cache."""
        self._told = {}
        self._suggestions.forget()
        self._discovery.scan()

    def _restored(self, event: Any) -> None:
        """Begin a new page view when the page comes back from the back/forward cache."""
        if get(event, "persisted"):
            self.begin_page_view()

    def leave(self, *_: Any) -> None:
        """Send what waits, for the page may be seen for the last time."""
        self._delivery.flush(True)

    def consent(self, state: str) -> None:
        """Follow the shopper's decision, or the browser's."""
        signal = get(get(window, "navigator"), "globalPrivacyControl")
        self._pipeline.set_consent(decide(state, self._settings["respectGpc"], signal))
        if self._decided:
            self._decided()

    def emit(self, event: str, item: list[Any], once: Any) -> None:
        """Track an event on an item [element, kind, id], a purchase on [element, kind, ids].

        With a text for ``once``, no second one of this page view; of a purchase, for good.
        """
        if once:
            key = PREFIX + event + "\n" + once
            if self._told.get(key):
                return
            self._told[key] = True
        fields = self._items.context(item)
        if item[1] == SUGGESTION:
            fields["query"] = self._suggestions.query(fields["query"])
        self._pipeline.track(event, item[2], fields, once)


def start(tag: Any) -> None:
    """Start the tracker with the settings of its script tag and of ``neuralensConfig``.

    A second start on the same page does nothing: two tags must not double the events.
    """
    stub = get(window, "neuralens")
    if not stub or not get(stub, "version"):
        tracker = Tracker(tag)
        tracker.take_over(stub)
