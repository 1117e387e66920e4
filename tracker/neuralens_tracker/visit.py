"""The state of a visit: consent, shopper, page and location."""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.personal_data import round_location
from neuralens_tracker.settings import choose
from neuralens_tracker.types import Fields, JSObject, Say, Settings
from neuralens_tracker.vocabulary import DENIED, PENDING


class Visit:
    """Everything that may change while a page is open; settings never do.

    ``find_uid(given)`` returns the shopper's id, ``has_signal()`` tells whether the browser sends
    Global Privacy Control, ``say(sentence)`` reports a wrong value.
    """

    def __init__(
        self,
        settings: Settings,
        find_uid: Callable[[str | None], str | None],
        has_signal: Callable[[], JSObject],
        say: Say,
    ) -> None:
        self._settings = settings
        self._find_uid = find_uid
        self._has_signal = has_signal
        self._say = say
        # Nothing is stored or sent before ``set_consent``.
        self._consent = PENDING
        self._uid: str | None = settings["uid"]
        self._page: str | None = settings["page"]
        self._query: str | None = settings["query"]
        self._geo: Fields | None = None

    def consent(self) -> str:
        """Return the consent that holds now: granted, pending or denied."""
        return self._consent

    def set_consent(self, state: Any) -> None:
        """Follow the shopper's decision; Global Privacy Control is a refusal, where respected.

        Source: https://w3c.github.io/gpc/, "navigator.globalPrivacyControl".
        """
        state = choose("consent", state, self._say)
        refused = self._settings["respectGpc"] and self._has_signal()
        self._consent = DENIED if refused else state

    def uid(self) -> str | None:
        """Return the shopper's id, given or anonymous; None when none can be kept."""
        return self._find_uid(self._uid)

    def set_uid(self, uid: Any) -> None:
        """Take the shopper's id; None for an anonymous one."""
        self._uid = choose("uid", uid, self._say)

    def page(self) -> str | None:
        """Return the page of what says none in the markup, or None."""
        return self._page

    def query(self) -> str | None:
        """Return the query of what says none in the markup, or None."""
        return self._query

    def set_context(self, fields: Fields) -> None:
        """Take {page, query} for what says none in the markup; what is absent is none."""
        self._page = choose("page", fields.get("page"), self._say)
        self._query = choose("query", fields.get("query"), self._say)

    def add_context(self, fields: Fields) -> Fields:
        """Return the fields of a call of ``track``, with page and query where it says none."""
        fields["page"] = fields.get("page") or self._page
        fields["query"] = fields.get("query") or self._query
        return fields

    def geo(self) -> Fields | None:
        """Return the location of the events from now on, or None."""
        return self._geo

    def set_geo(self, geo: Fields | None) -> None:
        """Take the location of the events from now on, unchecked; None takes it back."""
        self._geo = round_location(geo, self._settings["geoDecimals"])
