"""Delivers events from the outbox to the relay: batching, outcomes, retries and backoff."""

from collections.abc import Callable

from neuralens_tracker.constraints import Constraints
from neuralens_tracker.hooks import Hooks
from neuralens_tracker.outbox import REASONS, REFUSED, Entry, Outbox
from neuralens_tracker.types import Batch, Sender, Settings
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import ACCEPTED, GRANTED, WIRE_VERSION

# Milliseconds from an event to its beacon, so that concurrent events share a batch.
FLUSH_MS = 1000
# Final if the relay itself answered so: a body that cannot be read, an unsupported content type.
FINAL = [400, 415]
# In refusals that are not for good: of an unknown application, of a media type or a body that a
# proxy has changed, and, by a relay of 0.1.0, of an unknown field, which later versions have added.
UNKNOWN = "unknown"
TOO_MANY = 429
MIN_BACKOFF_MS = 1000
MAX_BACKOFF_MS = 300000
# Milliseconds before an event is retried that was refused alone while others succeeded: a backoff
# would hold up those that come meanwhile.
ALONE_MS = 8000
# Below the 64 KiB that all keepalive requests and beacons of a page share:
# https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
MAX_CHARACTERS_IN_FLIGHT = 60000
# An event is discarded when it was refused this often in a batch of its own while others succeed.
MAX_REFUSALS = 8
# Consecutive failures after which a warning is reported, and a request without a response counts as
# refused: a firewall may drop the connection instead of responding.
MANY_FAILURES = 4


def backoff(attempt: int, random: Callable[[], float]) -> float:
    """Return the milliseconds before retry ``attempt`` (from 1): exponential, capped, half jitter.

    Without jitter all pages of a shop would retry at the same moment.
    """
    longest = min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2**attempt)
    return longest / 2 * (1 + random())


class Request:
    """A batch on its way, with its entries, their ``size`` in characters, and how it was sent."""

    def __init__(self, batch: Batch, entries: list[Entry], size: int, as_beacon: bool) -> None:
        self.batch = batch
        self.entries = entries
        self.size = size
        self.as_beacon = as_beacon


def total(losses: dict[str, int]) -> int:
    """Return how many events were lost, for any reason."""
    count = 0
    for reason in REASONS:
        count += losses[reason]
    return count


class Delivery:
    """Sends batches and handles their outcomes."""

    def __init__(
        self,
        settings: Settings,
        visit: Visit,
        constraints: Constraints,
        outbox: Outbox,
        transport: Sender,
        hooks: Hooks,
    ) -> None:
        self._settings = settings
        self._visit = visit
        self._constraints = constraints
        self._outbox = outbox
        self._transport = transport
        self._hooks = hooks
        self._begun = False
        # Consecutive failed batches, and whether one succeeded since the first refusal of an event.
        self._attempt = 0
        # Whether the last fetch got no response: something may block it, but not beacons.
        self._unanswered = False
        self._passed = False
        self._scheduled = False
        # Losses already reported to the relay.
        self._reported_losses = 0
        # Characters of events in flight.
        self._in_flight = 0

    def begin(self) -> None:
        """Allow batches to be sent, with consent, once what earlier pages left has been read."""
        self._begun = True
        self._constraints.load()
        self._reported_losses = total(self._outbox.losses())
        self.schedule(FLUSH_MS)

    def suspect_beacons(self) -> None:
        """Send by fetch, on other pages too, until a beacon has had an outcome."""
        self._constraints.set_blind(True)
        self._constraints.save()

    def schedule(self, milliseconds: float) -> None:
        """Flush after a delay, unless a flush is already scheduled."""
        if not self._scheduled:
            self._scheduled = True
            self._transport.wait(milliseconds, self._run)

    def _run(self) -> None:
        self._scheduled = False
        self.flush(False)

    def _send(self, entries: list[Entry], leaving: bool) -> None:
        losses = self._outbox.losses()
        batch: Batch = {
            "v": WIRE_VERSION,
            "app": self._settings["appId"],
            "token": self._settings["token"],
            "batch": self._outbox.open_batch(entries),
            "sent": self._transport.now(),
            "journal": self._outbox.journal(),
            "lost": max(0, total(losses) - self._reported_losses),
            "losses": losses,
            "events": [entry.event for entry in entries],
        }
        size = 0
        for entry in entries:
            size += entry.size
        self._in_flight += size
        as_beacon = self._unanswered or (
            not self._constraints.blind() and (leaving or self._attempt == 0)
        )
        # An event in a batch of its own alternates between the content types.
        as_json = self._constraints.json() != (entries[0].refusals % 2 == 1)
        request = Request(batch, entries, size, as_beacon)

        def on_outcome(status: int, error: str) -> None:
            self._handle_outcome(request, status, error)

        self._transport.send(batch, as_beacon, as_json, leaving, on_outcome)

    def flush(self, leaving: bool) -> None:
        """Send queued events, if the shopper consents, up to the in-flight limit.

        After a failure there is one batch in flight at a time. ``leaving``: the page is hidden.
        """
        while (
            self._begun
            and self._outbox.count() > 0
            and self._visit.consent() == GRANTED
            and self._in_flight < MAX_CHARACTERS_IN_FLIGHT
        ):
            if self._attempt > 0 and self._in_flight > 0 and not leaving:
                break
            self._send(self._outbox.pop_batch(self._constraints.most()), leaving)

    def _handle_outcome(self, request: Request, status: int, error: str) -> None:
        """Erase, requeue or discard a batch. Status 0: unknown; ``error``: the relay's, or ""."""
        self._in_flight -= request.size
        if status == 0 and len(self._outbox.remaining(request.entries)) == 0:
            # Another page has read the acknowledgement.
            status = ACCEPTED
        if status != 0:
            self._outbox.close_batch(request.batch["batch"])
        # Another journal has begun if consent was withdrawn, even if it was granted again since.
        if request.batch["journal"] == self._outbox.journal():
            if status == ACCEPTED:
                self._succeed(request)
            else:
                self._fail(request, status, error)

    def _succeed(self, request: Request) -> None:
        """Erase a batch that the relay has accepted, and send what waits."""
        if request.as_beacon:
            self._constraints.set_blind(False)
        if self._attempt > 0:
            # The failures may have taught something.
            self._constraints.save()
        self._attempt = 0
        self._passed = True
        self._reported_losses = max(self._reported_losses, total(request.batch["losses"]))
        self._outbox.erase(request.entries)
        self._hooks.emit("delivered", request.batch)
        self._run()

    def _fail(self, request: Request, status: int, error: str) -> None:
        """Discard a batch that was refused for good; retry any other, as its failure suggests."""
        entries = request.entries
        is_fetch = not request.as_beacon
        self._unanswered = is_fetch and status == 0
        self._attempt += 1
        if status in FINAL and error != "" and UNKNOWN not in error:
            self._discard(entries, error)
            self.schedule(FLUSH_MS)
            return
        refused = (status > 299 and status < 500 and status != TOO_MANY) or (
            status == 0 and self._attempt >= MANY_FAILURES and is_fetch
        )
        # A beacon's refusal has no reason: that of the fetch follows.
        if (refused and is_fetch) or self._attempt == MANY_FAILURES:
            self._hooks.report(
                error
                or self._settings["endpoint"]
                + " answers "
                + str(status)
                + ": check its proxy and NEURALENS_ALLOWED_ORIGINS"
            )
        if refused and is_fetch and len(entries) == 1:
            pause = self._retry_alone(entries[0], status)
        else:
            if is_fetch and refused:
                self._constraints.halve(request.size, status == 0)
            elif status == 0 and not is_fetch:
                # Retry by fetch, whose response can be read.
                self._constraints.set_blind(True)
            self._outbox.requeue(entries)
            pause = 0 if refused else self._backoff()
        self.schedule(pause)

    def _backoff(self) -> float:
        return backoff(self._attempt, self._transport.random)

    def _retry_alone(self, entry: Entry, status: int) -> float:
        """Retry an event that was refused in a batch of its own; limited if others succeed.

        Returns the milliseconds until then. After the first refusal, further ones count once
        another batch has succeeded: until then the network may be at fault.
        """
        if self._passed:
            self._passed = entry.refusals > 0
            entry.refusals += 1
            # It was the content, not the size: no constraint for other pages.
            self._constraints.withhold()
        else:
            # Not the size, then, but the content type.
            self._constraints.switch_type()
        if entry.refusals < MAX_REFUSALS:
            self._outbox.postpone(entry)
        else:
            self._discard([entry], "it was answered " + str(status))
        if entry.refusals > 0:
            return ALONE_MS
        # At once as JSON, because a backoff takes minutes after the halving of a backlog.
        return 0 if self._constraints.json() else self._backoff()

    def _discard(self, entries: list[Entry], reason: str) -> None:
        self._outbox.count_lost(REFUSED, len(entries))
        self._outbox.erase(entries)
        self._hooks.report("events were refused: " + reason)
