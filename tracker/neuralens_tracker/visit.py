"""Holds the state of a visit: consent, shopper, context and location."""

from collections.abc import Callable

from neuralens_tracker.personal_data import round_location
from neuralens_tracker.settings import validate
from neuralens_tracker.types import Fields, JSObject, Report, Settings
from neuralens_tracker.vocabulary import DENIED, PENDING


class Visit:
    """The mutable state of a page, whereas settings are constant.

    ``find_uid(given)`` returns the shopper's id, ``has_signal()`` whether the browser sends Global
    Privacy Control; ``report(message)`` reports an invalid value.
    """

    def __init__(
        self,
        settings: Settings,
        find_uid: Callable[[str | None], str | None],
        has_signal: Callable[[], JSObject],
        report: Report,
    ) -> None:
        self._settings = settings
        self._find_uid = find_uid
        self._has_signal = has_signal
        self._report = report
        # Nothing is stored or sent before ``set_consent``.
        self._consent = PENDING
        self._uid: str | None = settings["uid"]
        self._page: str | None = settings["page"]
        self._query: str | None = settings["query"]
        self._geo: Fields | None = None

    def consent(self) -> str:
        """Return the current consent: granted, pending or denied."""
        return self._consent

    def set_consent(self, state: object) -> None:
        """Apply the shopper's decision; Global Privacy Control means denied, if respected.

        Source: https://w3c.github.io/gpc/, "navigator.globalPrivacyControl".
        """
        self._consent = validate("consent", state, self._report)
        if self._settings["respectGpc"] and self._has_signal():
            self._consent = DENIED

    def uid(self) -> str | None:
        """Return the shopper's id, given or anonymous; None if storage is unavailable."""
        return self._find_uid(self._uid)

    def set_uid(self, uid: object) -> None:
        """Set the shopper's id; None for an anonymous one."""
        self._uid = validate("uid", uid, self._report)

    def page(self) -> str | None:
        """Return the page of items whose markup names none, or None."""
        return self._page

    def query(self) -> str | None:
        """Return the query of items whose markup names none, or None."""
        return self._query

    def set_context(self, fields: Fields) -> None:
        """Set {page, query} for items whose markup names none; absent fields are cleared."""
        self._page = validate("page", fields.get("page"), self._report)
        self._query = validate("query", fields.get("query"), self._report)

    def add_context(self, fields: Fields) -> Fields:
        """Fill in page and query of a call of ``track`` where it has none; return its fields."""
        fields["page"] = fields.get("page") or self._page
        fields["query"] = fields.get("query") or self._query
        return fields

    def geo(self) -> Fields | None:
        """Return the location of subsequent events, or None."""
        return self._geo

    def set_geo(self, geo: Fields | None) -> None:
        """Set the location of subsequent events, without validation; None clears it."""
        self._geo = round_location(geo, self._settings["geoDecimals"])
