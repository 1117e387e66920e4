"""The page's own calls: ``neuralens(command, ...)``."""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.delivery import Delivery
from neuralens_tracker.events import named_ids
from neuralens_tracker.hooks import LISTENED, Hooks
from neuralens_tracker.pipeline import Pipeline
from neuralens_tracker.types import JSObject
from neuralens_tracker.value_types import demand
from neuralens_tracker.visit import Visit


class Commands:
    """Checks and carries out the calls.

    ``decide(state)`` follows the shopper's consent, ``begin_page_view()`` begins a page view, and
    ``from_browser(object)`` returns a dict, or None for what is no object.
    """

    def __init__(
        self,
        visit: Visit,
        pipeline: Pipeline,
        delivery: Delivery,
        hooks: Hooks,
        decide: Callable[..., None],
        begin_page_view: Callable[[], None],
        from_browser: Callable[[JSObject], Any],
    ) -> None:
        self._visit = visit
        self._pipeline = pipeline
        self._delivery = delivery
        self._hooks = hooks
        self._decide = decide
        self._begin_page_view = begin_page_view
        self._from_browser = from_browser
        self._commands = {
            "track": self._track,
            "identify": self._identify,
            "consent": self._decide,
            "geo": self._geo,
            "page": self._page,
            "before": self._hooks.before,
            "on": self._on,
            "flush": self._flush,
        }

    def run(self, name: Any = None, first: Any = None, second: Any = None, *_: Any) -> None:
        """Carry out one call; what is wrong with it is said, and nothing else happens."""
        names = list(self._commands.keys())
        if name in names:
            self._commands[name](first, second)
        else:
            self._hooks.say(demand("a call", names))

    def _identify(self, uid: Any, _: Any) -> None:
        self._visit.set_uid(uid)

    def _geo(self, geo: Any, _: Any) -> None:
        # Nothing at all takes it back; what is wrong with it is said with the next event.
        self._visit.set_geo(None if geo is None else self._from_browser(geo) or {})

    def _page(self, fields: Any, _: Any) -> None:
        self._visit.set_context(self._from_browser(fields) or {})
        self._begin_page_view()

    def _on(self, name: Any, handler: Any) -> None:
        if name in LISTENED:
            self._hooks.on(name, handler)
        else:
            self._hooks.say(demand("on", LISTENED))

    def _flush(self, *_: Any) -> None:
        self._delivery.flush(False)

    def _track(self, event: Any, given: Any) -> None:
        fields = self._visit.add_context(self._from_browser(given) or {})
        self._pipeline.track(event, named_ids(fields), fields, None)
