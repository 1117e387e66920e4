"""From the outbox to the relay: batches, what became of them, and when to try again."""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.hooks import Hooks
from neuralens_tracker.outbox import REASONS, REFUSED, Entry, Outbox
from neuralens_tracker.types import Batch, Sender, Settings, Store, Tabs
from neuralens_tracker.value_types import is_number
from neuralens_tracker.visit import Visit
from neuralens_tracker.vocabulary import DENIED, GRANTED, WIRE_VERSION

# Milliseconds from an event to its beacon, so that what happens together travels together.
FLUSH_MS = 1000
# Milliseconds from the start of a page until it adopts what others left: by then the relay has
# confirmed what the page before has sent when it was left.
ADOPT_MS = 1200
# Milliseconds between looks for tabs that have ended.
LOOK_MS = 30000
ACCEPTED = 202
FORBIDDEN = 403
# What only the relay itself may say for good, in its own words: no batch; of no known type.
FINAL = [400, 415]
TOO_MANY = 429
MIN_BACKOFF_MS = 1000
MAX_BACKOFF_MS = 300000
# A character is at most three bytes of UTF-8, and the frame around the events less than 1 KiB:
# together at most MAX_BATCH_BYTES.
MAX_BATCH_CHARACTERS = 16000
# Under the 64 KiB that keepalive requests and beacons of a page share.
MAX_CHARACTERS_IN_FLIGHT = 60000
# Refusals of an event that is alone, while others get through, after which it is given up.
MAX_REFUSALS = 8
# Failures in a row after which the console says so, and after which a request that never gets an
# answer is taken as refused: a firewall may cut the connection instead.
MANY_FAILURES = 4
# What the site and browser were found to need: {most, json, blind}, as in ``Delivery``.
NEEDS_KEY = "w"


def backoff(attempt: int, random: Callable[[], float]) -> float:
    """Return the milliseconds before try ``attempt`` (from 1): doubling, capped, half of it random.

    Without the random part all pages of a shop would come back at the same moment.
    """
    longest = min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2**attempt)
    return longest / 2 * (1 + random())


def total(losses: dict[str, int]) -> int:
    """Return how many events were lost, for whatever reason."""
    count = 0
    for reason in REASONS:
        count += losses[reason]
    return count


class Delivery:
    """Sends batches and follows what becomes of them."""

    def __init__(
        self,
        settings: Settings,
        visit: Visit,
        storage: Store,
        outbox: Outbox,
        transport: Sender,
        tabs: Tabs,
        hooks: Hooks,
    ) -> None:
        self._settings = settings
        self._visit = visit
        self._storage = storage
        self._outbox = outbox
        self._transport = transport
        self._tabs = tabs
        self._hooks = hooks
        self._started = False
        # Batches in a row that failed, and whether one got through since a type was chosen.
        self._attempt = 0
        self._passed = False
        self._due = False
        # Losses that the relay has been told of.
        self._told = 0
        # Characters of events on their way.
        self._in_flight = 0
        # What batches need here: their size, JSON or text, and a request as a beacon says nothing.
        self._needs: dict[str, Any] = {"most": MAX_BATCH_CHARACTERS, "json": False, "blind": False}

    def start(self) -> None:
        """Begin, once there is consent: what was sent before is confirmed before any is adopted."""
        if not self._started:
            self._started = True
            self.confirm(False)
            needs = self._storage.load(NEEDS_KEY)
            if isinstance(needs, dict) and is_number(needs.get("most"), 1, MAX_BATCH_CHARACTERS):
                self._needs.update(needs)
            self._told = total(self._outbox.losses())
            self.resume()
            self._transport.wait(ADOPT_MS, self._look)

    def resume(self) -> None:
        """Be alive, to other tabs; out of the back/forward cache, too."""
        self._tabs.hold(self._outbox.tab())
        self._outbox.refresh()

    def leave(self, ended: bool) -> None:
        """Send what waits, for the page may be seen for the last time; let go of it at the end."""
        self.flush(True)
        if ended:
            self._tabs.release()

    def _learn(self) -> None:
        """Keep what batches need for the next page."""
        needs = self._needs
        if needs["blind"] or needs["json"] or needs["most"] < MAX_BATCH_CHARACTERS:
            self._storage.save(NEEDS_KEY, needs)

    def confirm(self, is_final: bool) -> None:
        """Take note of the batches, of whatever page, that the relay says it has taken.

        Its cookie is erased, but not while the answer to a batch may come in between, unless this
        is the final look for a while.
        """
        for batch_id in self._transport.read_confirmed():
            self._outbox.confirm(batch_id)
            self._transport.resolve(batch_id, ACCEPTED)
        if is_final or not self._outbox.has_open_batches():
            self._transport.erase_confirmed()
        for batch_id in self._outbox.confirmed():
            self._transport.resolve(batch_id, ACCEPTED)

    def _look(self) -> None:
        """Adopt what tabs that have ended left in the journal, now and from time to time."""
        if self._visit.consent() == GRANTED:
            self.confirm(True)
            for tab in self._outbox.other_tabs():
                self._tabs.when_gone(tab, self._adopt)
        self._transport.wait(LOOK_MS, self._look)

    def _adopt(self, tab: str) -> None:
        if self._visit.consent() == GRANTED:
            if self._outbox.adopt(tab):
                # The page before was left without a word of what it sent, and so was the relay.
                self._needs["blind"] = True
                self._learn()
            self.flush(False)

    def schedule(self, milliseconds: float) -> None:
        """Send what waits before long; when that is about to happen, nothing changes."""
        if not self._due:
            self._due = True
            self._transport.wait(milliseconds, self._run)

    def _run(self) -> None:
        self._due = False
        self.flush(False)

    def flush(self, leaving: bool) -> None:
        """Send what waits, as long as the shopper consents.

        That is as much as may be on its way at once, and one batch at a time where they fail.
        """
        while (
            self._outbox.count() > 0
            and self._visit.consent() == GRANTED
            and self._in_flight < MAX_CHARACTERS_IN_FLIGHT
        ):
            if self._attempt > 0 and self._in_flight > 0 and not leaving:
                break
            self._send(self._outbox.pop_batch(self._needs["most"]), leaving)

    def _send(self, entries: list[Entry], leaving: bool) -> None:
        losses = self._outbox.losses()
        batch = {
            "v": WIRE_VERSION,
            "app": self._settings["appId"],
            "token": self._settings["token"],
            "batch": self._outbox.open_batch(entries),
            "sent": self._transport.now(),
            "journal": self._outbox.journal(),
            "lost": max(0, total(losses) - self._told),
            "losses": losses,
            "events": [entry.event for entry in entries],
        }
        size = 0
        for entry in entries:
            size += entry.size
        self._in_flight += size
        as_beacon = not self._needs["blind"] and (leaving or self._attempt == 0)
        # An event that is alone tries the one type and the other.
        as_json = self._needs["json"] != (entries[0].refusals % 2 == 1)

        def report(status: int, error: str) -> None:
            self._in_flight -= size
            self._outbox.close_batch(batch["batch"])
            self._finish(batch, entries, size, as_beacon, status, error)

        self._transport.send(batch, as_beacon, as_json, leaving, report)

    def _finish(
        self,
        batch: Batch,
        entries: list[Entry],
        size: int,
        as_beacon: bool,
        status: int,
        error: str,
    ) -> None:
        """Close a batch by the answer; status 0 when none is known, error the relay's own word."""
        if status == ACCEPTED:
            self._attempt = 0
            self._passed = True
            self._told = max(self._told, total(batch["losses"]))
            self._outbox.erase(entries)
            self._learn()
            self._hooks.emit("delivered", batch)
            self._run()
            return
        if self._visit.consent() == DENIED:
            return
        self._attempt += 1
        pause = backoff(self._attempt, self._transport.random)
        refused = (status > 299 and status < 500 and status != TOO_MANY) or (
            status == 0 and self._attempt >= MANY_FAILURES and not as_beacon
        )
        if status == FORBIDDEN:
            self._hooks.say(
                self._settings["endpoint"] + " answers 403: see NEURALENS_ALLOWED_ORIGINS"
            )
        elif self._attempt == MANY_FAILURES:
            self._hooks.say("nothing gets through to " + self._settings["endpoint"])
        if status in FINAL and error != "":
            self._give_up(entries, error)
            pause = FLUSH_MS
        elif refused and not as_beacon and len(entries) == 1:
            self._refuse(entries[0], status)
        else:
            if as_beacon:
                # Ask by a request whose answer can be read.
                self._needs["blind"] = self._needs["blind"] or status == 0
            elif refused:
                self._needs["most"] = max(1, int(size / 2))
            if refused:
                pause = 0
            self._outbox.requeue(entries)
        self.schedule(pause)

    def _refuse(self, entry: Entry, status: int) -> None:
        """Keep an event that was refused alone; where others get through, not for ever."""
        if self._passed:
            entry.refusals += 1
        else:
            # So it is the type, and not the size.
            self._needs["json"] = not self._needs["json"]
            self._needs["most"] = MAX_BATCH_CHARACTERS
        if entry.refusals < MAX_REFUSALS:
            self._outbox.postpone(entry)
        else:
            self._give_up([entry], "it was answered " + str(status))

    def _give_up(self, entries: list[Entry], reason: str) -> None:
        self._outbox.count_lost(REFUSED, len(entries))
        self._outbox.erase(entries)
        self._hooks.say("events were refused: " + reason)
