"""From the outbox to the relay: batches, what became of them, and when to try again."""

from typing import Any

from neuralens_tracker.vocabulary import DENIED, GRANTED, WIRE_VERSION

# Milliseconds from an event to its beacon, so that what happens together travels together.
FLUSH_MS = 1000
ACCEPTED = 202
MIN_BACKOFF_MS = 1000
MAX_BACKOFF_MS = 300000
# A character is at most three bytes of UTF-8, and the frame around the events less than 1 KiB:
# together at most MAX_BATCH_BYTES.
MAX_BATCH_CHARACTERS = 16000


def backoff(attempt: int, random: Any) -> float:
    """Return the milliseconds before try ``attempt`` (from 1): doubling, capped, half of it random.

    Without the random part all pages of a shop would come back at the same moment.
    """
    longest = min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2**attempt)
    return longest / 2 * (1 + random())


class Delivery:
    """Sends batches and follows what becomes of them.

    ``transport`` is a ``neuralens_tracker.web.transport.Transport``.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        visit: Any,
        identity: Any,
        outbox: Any,
        transport: Any,
        hooks: Any,
    ) -> None:
        self._settings = settings
        self._visit = visit
        self._identity = identity
        self._outbox = outbox
        self._transport = transport
        self._hooks = hooks
        # Batches in a row that failed.
        self._attempt = 0
        self._due = False
        # Whether this browser, or a relay on another site, hides what became of a beacon.
        self._blind = False

    def schedule(self, milliseconds: float) -> None:
        """Send what waits before long; when that is about to happen, nothing changes."""
        if not self._due:
            self._due = True
            self._transport.wait(milliseconds, self._run)

    def _run(self) -> None:
        self._due = False
        self.flush(False)

    def flush(self, leaving: bool) -> None:
        """Send everything that waits, as long as the shopper consents.

        A page that is left cannot wait for an answer.
        """
        while self._outbox.count() > 0 and self._visit.consent() == GRANTED:
            self._send(self._outbox.pop_batch(MAX_BATCH_CHARACTERS), leaving)

    def _send(self, events: list[Any], leaving: bool) -> None:
        batch = {
            "v": WIRE_VERSION,
            "app": self._settings["appId"],
            "batch": self._identity.make_uuid(),
            "sent": self._transport.now(),
            "lost": self._outbox.pop_lost(),
            "events": events,
        }

        def report(status: int) -> None:
            self._finish(batch, status)

        as_beacon = leaving or (self._attempt == 0 and not self._blind)
        self._transport.send(batch, as_beacon, report)

    def _finish(self, batch: dict[str, Any], status: int) -> None:
        """Close a batch by the relay's answer; 0 when the answer cannot be known."""
        events = batch["events"]
        if status == ACCEPTED:
            self._attempt = 0
            self._outbox.erase(events)
            self._hooks.emit("delivered", batch)
            return
        self._outbox.count_lost(batch["lost"])
        if status in [400, 413, 415]:
            # No valid batch, or too large, or of no known version: the relay will never take it.
            # What it holds is lost, and is said to be. After any other answer it is sent again,
            # unless the shopper has refused in between.
            self._outbox.count_lost(len(events))
            self._outbox.erase(events)
            self._hooks.say("relay answered " + str(status))
        elif self._visit.consent() != DENIED:
            self._blind = self._blind or status == 0
            self._attempt += 1
            self._outbox.requeue(events)
            self.schedule(backoff(self._attempt, self._transport.random))
