"""Recovers the events that earlier pages and closed tabs left in the journal.

Every tab holds its events under a name of its own. When it is closed, another page adopts those
whose outcome it cannot learn from the relay's cookie, and sends them again.
"""

from neuralens_tracker.delivery import Delivery
from neuralens_tracker.outbox import Outbox
from neuralens_tracker.types import Sender, Tabs
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import ACCEPTED, DENIED, GRANTED

# Milliseconds until storage and cookies are first accessed, unless the page is left before: the
# browser blocks the page meanwhile, and by then most have rendered.
BEGIN_MS = 300
# Milliseconds between checks for orphaned events of closed tabs: at first, and later. By the first
# one, most relays have acknowledged what earlier pages sent when they were unloaded: by the cookie,
# or by the response to the first events of this page.
EARLY_CHECK_MS = 2000
CHECK_MS = 30000
# The early checks leave the events alone whose acknowledgement is due.
EARLY_CHECKS = 4
# Milliseconds by which the relay has responded to what the previous page sent.
LATE_MS = 5000


class Recovery:
    """Reads acknowledgements, and adopts orphaned events."""

    def __init__(
        self, visit: Visit, outbox: Outbox, delivery: Delivery, transport: Sender, tabs: Tabs
    ) -> None:
        self._visit = visit
        self._outbox = outbox
        self._delivery = delivery
        self._transport = transport
        self._tabs = tabs
        # Whether this tab's events are claimed, and what earlier pages left has been read.
        self._started = False
        self._begun = False
        # Checks for orphaned events so far.
        self._checks = 0

    def apply_consent(self) -> None:
        """Start once the shopper has consented; forget the earlier pages' batches when denied."""
        consent = self._visit.consent()
        if consent == DENIED:
            self._forget()
        elif consent == GRANTED and not self._started:
            self._started = True
            self._tabs.hold(self._outbox.tab())
            self._transport.wait(BEGIN_MS, self.begin)

    def begin(self) -> None:
        """Read what earlier pages left, acknowledgements first, so that batches can be sent."""
        if not self._begun and self._visit.consent() == GRANTED:
            self._begun = True
            self.acknowledge()
            self._delivery.begin()
            self._outbox.refresh()
            self._transport.wait(EARLY_CHECK_MS, self._adopt_orphans)

    def resume(self) -> None:
        """Claim this tab's events again, on return from the back/forward cache."""
        self._tabs.hold(self._outbox.tab())
        self._outbox.refresh()

    def leave(self) -> None:
        """Let other tabs adopt the events of a page that has ended."""
        self._tabs.release()

    def acknowledge(self) -> None:
        """Close the batches, of any page, that the relay's cookie acknowledges; clear the cookie.

        The cookie is left alone while responses are due, since clearing it could race with them.
        """
        for batch_id in self._transport.read_acknowledged():
            self._outbox.acknowledge(batch_id)
            self._transport.resolve(batch_id, ACCEPTED)
        if not self._outbox.is_due(""):
            self._transport.erase_acknowledged()

    def _forget(self) -> None:
        """Clear the cookie, now and after a response to the last page."""
        self.acknowledge()
        self._transport.wait(LATE_MS, self.acknowledge)

    def _adopt_orphans(self) -> None:
        """Adopt journaled events of closed tabs, now and periodically."""
        self._checks += 1
        is_early = self._checks <= EARLY_CHECKS
        if self._visit.consent() == GRANTED:
            self.acknowledge()
            for tab in self._outbox.other_tabs():
                if not is_early or not self._outbox.is_due(tab):
                    self._tabs.if_gone(tab, self._adopt)
        self._transport.wait(EARLY_CHECK_MS if is_early else CHECK_MS, self._adopt_orphans)

    def _adopt(self, tab: str) -> None:
        if self._visit.consent() == GRANTED:
            if self._outbox.adopt(tab):
                # A batch of the previous page has no known outcome: beacons are blind here.
                self._delivery.suspect_beacons()
            self._delivery.flush(False)
