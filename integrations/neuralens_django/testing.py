"""Assertions on what a page tracks, for Django's tests: no browser, no relay.

    class SearchTest(TrackingAssertions, TestCase):
        def test_results(self):
            response = self.client.get("/search/?q=chair")
            self.assertTracks(response, "VIEW_PRODUCT", ids=["AV768", "AV879"], query="chair")

What a page tracks is decided by the audit, which needs ``neuralens-tracker[audit]``.
"""

from collections.abc import Iterable
from typing import Any

from neuralens_embed.audit import Event, audit
from neuralens_embed.notation import describe
from neuralens_tracker.vocabulary import EVENTS


class TrackingAssertions:
    """A mixin for test cases."""

    def assertTracks(  # noqa: N802 - as Django names its assertions
        self,
        response: object,
        event: str,
        *,
        ids: Iterable[Any] | None = None,
        page: str | None = None,
        query: str | None = None,
    ) -> None:
        """Assert that a page tracks an event on exactly these items, in this order.

        ``page`` and ``query`` leave out what has others; without ``ids`` any item will do. Fails,
        too, where an attribute of the page is wrong.
        """
        if event not in EVENTS:
            raise ValueError(f"there is no event {event}: there are {', '.join(EVENTS)}")
        tracked = read_events(response)
        found = [
            each
            for each in tracked
            if each.event == event and page in (None, each.page) and query in (None, each.query)
        ]
        got = [item for each in found for item in each.ids]
        wanted = None if ids is None else [str(item) for item in ids]
        if not found or wanted not in (None, got):
            expected = event if wanted is None else f"{event} of {', '.join(wanted)}"
            raise AssertionError(f"the page does not track {expected}; it does:\n{listed(tracked)}")

    def assertTracksNothing(self, response: object) -> None:  # noqa: N802 - as Django names its own
        """Assert that a page tracks nothing."""
        tracked = read_events(response)
        if tracked:
            raise AssertionError(f"the page tracks:\n{listed(tracked)}")


def read_events(response: Any) -> list[Event]:
    """Return what a page would track; raises AssertionError if an attribute is wrong."""
    report = audit(response.content.decode(response.charset))
    if report.problems:
        wrong = "\n".join(f"line {each.line}: {each.message}" for each in report.problems)
        raise AssertionError(f"attributes of the page are wrong:\n{wrong}")
    return report.events


def listed(events: list[Event]) -> str:
    """Format events, one per line."""
    lines = [describe(e.event, e.ids, e.index, e.page, e.query) for e in events]
    return "\n".join(lines) or "nothing"
