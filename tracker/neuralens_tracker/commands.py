"""Executes the page's calls: ``neuralens(command, ...)``."""

from collections.abc import Callable

from neuralens_tracker.acts import CALL, CONFIRMED, GA4
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.events import named_ids
from neuralens_tracker.hooks import LISTENED, Hooks
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import TEXT, read, requirement
from neuralens_tracker.visit import Visit


class Commands:
    """Validates calls and dispatches them.

    ``set_consent(state)`` applies the shopper's decision, ``begin_page_view()`` starts a page view,
    ``flush()`` sends what waits, and ``from_browser(object)`` converts to a dict (None for anything
    but an object).
    """

    def __init__(
        self,
        visit: Visit,
        pipeline: Pipeline,
        hooks: Hooks,
        confirmations: Confirmations,
        set_consent: Callable[..., None],
        begin_page_view: Callable[[], None],
        flush: Callable[..., None],
        now: Callable[[], float],
        from_browser: Callable[[JSObject], Fields | None],
    ) -> None:
        self._visit = visit
        self._pipeline = pipeline
        self._hooks = hooks
        self._confirmations = confirmations
        self._set_consent = set_consent
        self._begin_page_view = begin_page_view
        self._flush = flush
        self._now = now
        self._from_browser = from_browser
        self._commands = {
            "track": self._track,
            "identify": self._identify,
            "consent": self._set_consent,
            "geo": self._geo,
            "page": self._page,
            "confirm": self._confirm,
            "before": self._hooks.before,
            "on": self._on,
            "flush": self._flush,
        }

    def run(
        self, name: object = None, first: object = None, second: object = None, *_: object
    ) -> None:
        """Execute one call; an unknown command is reported and ignored."""
        names = list(self._commands.keys())
        if name in names:
            self._commands[name](first, second)
        else:
            self._hooks.report(requirement("a call", names))

    def _identify(self, uid: object, _: object) -> None:
        self._visit.set_uid(uid)

    def _geo(self, geo: object, _: object) -> None:
        # null clears it. Anything invalid is reported with the next event.
        self._visit.set_geo(None if geo is None else self._from_browser(geo) or {})

    def _page(self, fields: object, _: object) -> None:
        self._visit.set_context(self._from_browser(fields) or {})
        self._begin_page_view()

    def _on(self, name: object, handler: object) -> None:
        if name in LISTENED:
            self._hooks.on(name, handler)
        else:
            self._hooks.report(requirement("on", LISTENED))

    def _track(self, event: JSObject, given: object) -> None:
        fields = self._visit.add_context(self._from_browser(given) or {})
        ids = named_ids(fields)
        if not self._confirm(event, ids):
            source = GA4 if fields.get("source") == GA4 else CALL
            self._pipeline.track(event, ids, fields, read(TEXT, fields.get("order")), source)

    def _confirm(self, event: JSObject, item_id: object) -> bool:
        """Track the pending action that this confirms, in its own context; False if none does."""
        item_id = read(TEXT, item_id)
        fields = self._confirmations.take(event, item_id, self._now())
        if fields is None:
            return False
        self._pipeline.track(event, item_id, fields, None, CONFIRMED)
        return True
