"""The page's own calls: ``neuralens(command, ...)``."""

from typing import Any

from neuralens_tracker.hooks import LISTENED
from neuralens_tracker.settings import choose
from neuralens_tracker.value_types import demand


class Commands:
    """Checks and carries out the calls; ``from_browser`` turns a browser object into a dict.

    ``decide(state)`` takes the shopper's consent, ``begin_page_view()`` begins a new page view.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        pipeline: Any,
        delivery: Any,
        hooks: Any,
        from_browser: Any,
        decide: Any,
        begin_page_view: Any,
        say: Any,
    ) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._delivery = delivery
        self._hooks = hooks
        self._from_browser = from_browser
        self._decide = decide
        self._begin_page_view = begin_page_view
        self._say = say
        self._commands = {
            "track": self._track,
            "identify": self._identify,
            "consent": self._consent,
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
            self._say(demand("a call", names))

    def _identify(self, uid: Any, _: Any) -> None:
        self._settings["uid"] = choose("uid", uid, None, self._say)

    def _consent(self, state: Any, _: Any) -> None:
        self._decide(choose("consent", state, self._settings["consent"], self._say))

    def _geo(self, geo: Any, _: Any) -> None:
        # Nothing at all takes it back; what is wrong with it is said with the next event.
        self._pipeline.set_geo(None if geo is None else self._from_browser(geo) or {})

    def _page(self, fields: Any, _: Any) -> None:
        given = self._from_browser(fields) or {}
        self._settings["page"] = choose("page", given.get("page"), None, self._say)
        self._settings["query"] = choose("query", given.get("query"), None, self._say)
        self._begin_page_view()

    def _on(self, name: Any, handler: Any) -> None:
        if name in LISTENED:
            self._hooks.on(name, handler)
        else:
            self._say(demand("on", LISTENED))

    def _flush(self, *_: Any) -> None:
        self._delivery.flush(False)

    def _track(self, event: Any, given: Any) -> None:
        fields = self._from_browser(given) or {}
        fields["page"] = fields.get("page") or self._settings["page"]
        fields["query"] = fields.get("query") or self._settings["query"]
        self._pipeline.track(event, fields.get("ids") or fields.get("id"), fields, None)
