"""Forwards events from the outbox to the API, and records the outcomes."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import Any, TypeVar

from neuralens_relay.answers import Answer, Fate
from neuralens_relay.backoff import Backoff
from neuralens_relay.breaker import Breaker, State, Status
from neuralens_relay.clock import Clock
from neuralens_relay.limiter import Limiter
from neuralens_relay.metrics import Metrics
from neuralens_relay.notices import Notices
from neuralens_relay.outbox import Outbox
from neuralens_relay.portions import Portion, rest
from neuralens_relay.settings import variable
from neuralens_relay.store import Lease, OutboxError, Outcome, Settlement, Store

# Seconds between polls of the outbox, to which other processes may add.
POLL = 0.5
# Seconds between rounds of housekeeping.
HOUSEKEEPING = 1.0
# Seconds to wake up after an event is due, to allow for the clocks' resolution.
MARGIN = 0.002
# Seconds for writing the last outcomes on shutdown.
LAST_WRITE = 2.0
# Events leased at most, as a multiple of the limit of requests in flight; a lease for fewer than
# 1/PART of them is not worth a write.
AHEAD = 2
PART = 8
# Seconds between measurements of the event loop's lag.
LAG_INTERVAL = 0.05
# Attempts at an event with ``Answer.bounded`` while others are delivered.
MAX_BOUNDED = 8
# Distinct reasons of dead letters that are counted.
MAX_REASONS = 20
OTHER_REASONS = "other reasons"
# Dead letters from before the start that are counted by reason.
MAX_EARLIER = 1000

log = logging.getLogger(__name__)

T = TypeVar("T")


class SupersededError(Exception):
    """Another relay has become the leader."""


def as_leader(operation: Callable[[Store], T]) -> Callable[[Store], T]:
    """Return an operation that raises SupersededError unless this process is the leader."""

    def operate(store: Store) -> T:
        if not store.lead():
            raise SupersededError("another relay forwards the events of this outbox")
        return operation(store)

    return operate


class Forwarder:
    """Sends due events concurrently and settles them in the outbox.

    ``send`` sends a body and classifies the response. Runs in the event loop of ``run``; public
    attributes may be read from any thread.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[bytes], Awaitable[Answer]],
        breaker: Breaker,
        limiter: Limiter,
        backoff: Backoff,
        metrics: Metrics,
        clock: Clock,
        grace: float,
    ) -> None:
        """``grace``: seconds for requests in flight to finish on shutdown."""
        self._outbox = outbox
        self._send = send
        self._breaker = breaker
        self._limiter = limiter
        self._backoff = backoff
        self._metrics = metrics
        self._clock = clock
        self._grace = grace
        self._notices = Notices(log, clock.ticks)
        # Leased in advance, so that a request need not wait for a write to the disk.
        self._ready: deque[Lease] = deque()
        # By the key of the lease.
        self._sending: dict[Any, asyncio.Task[None]] = {}
        self._settlements: list[Settlement] = []
        self._wake = asyncio.Event()
        self._stopping = False
        # None: not known yet.
        self._leading: bool | None = None
        self._trouble = ""
        self._failures = 0
        # The event loop's lag in seconds, for lack of CPU time.
        self._lag = 0.0
        self._housekeeping = 0.0
        self._portion = Portion()
        # Unix time of the last lease, of any number of events, and of the last delivery.
        self.leased: float | None = None
        self.delivered: float | None = None
        # Dead letters by reason: the latest from before the start, and those since. Cleared once
        # there are none any more.
        self.refused: Counter[str] = Counter()

    def wake(self) -> None:
        """Poll the outbox now."""
        self._wake.set()

    def stop(self) -> None:
        """Lease no more events, and let ``run`` end."""
        self._stopping = True
        self._wake.set()

    @property
    def status(self) -> Status:
        """Whether events are forwarded, and if not, why."""
        # Each is read once, because the forwarder's thread may change it meanwhile.
        trouble = self._trouble
        if trouble:
            return Status(State.STOPPED, trouble)
        if self._leading is False:
            return Status(State.FOLLOWING, "another relay forwards the events of this outbox")
        status = self._breaker.status
        if not status.state.open:
            return status
        wait = self._breaker.wait()
        return Status(status.state, f"{status.reason}; next attempt in {wait:.0f} s")

    @property
    def in_flight(self) -> int:
        """The number of requests in flight to the API."""
        return len(self._sending)

    @property
    def limit(self) -> int:
        """The current limit of requests in flight to the API."""
        return 1 if self._breaker.state.open else self._limiter.limit

    async def run(self) -> None:
        """Forward until stopped, then wait up to ``grace`` seconds for requests in flight.

        Events without a response by then stay in the outbox and are sent again.
        """
        watching = [
            asyncio.create_task(each) for each in (self._check_periodically(), self._measure_lag())
        ]
        while not self._stopping:
            self._wake.clear()
            try:
                busy = await self._step()
            except SupersededError as error:
                log.warning("%s", error)
                self._step_down()
            except OutboxError as error:
                await self._on_error(str(error))
            except Exception as error:
                # Forwarding must not end, whatever the store or the server behind it returns.
                self._notices.exception(type(error).__name__, "unexpected error in forwarding")
                await self._on_error(f"unexpected error: {type(error).__name__}")
            else:
                self._recovered()
                if not busy:
                    await self._sleep()
        await self._drain()
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)

    async def _step(self) -> bool:
        """Settle, lease and send once; return whether there may be more to do."""
        if not self._leading:
            self._leading = await self._outbox.call(lambda store: store.lead())
            if not self._leading:
                return False
            log.info("this relay forwards the events of the outbox")
            await self._count_dead()
        await self._housekeep()
        if self._breaker.state.open:
            self._give_back()
        settlements = list(self._settlements)
        room = self._capacity()
        if not settlements and room == 0:
            return False
        leases = await self._settle_and_lease(settlements, room)
        self._on_settled(settlements)
        self._ready.extend(leases)
        self._launch()
        return bool(settlements or leases)

    def _step_down(self) -> None:
        """Abandon all leases, as at the end of the process: the new leader recovers them."""
        self._leading = False
        self._ready.clear()
        self._settlements.clear()
        for task in self._sending.values():
            task.cancel()

    def _launch(self) -> None:
        """Send leased events, up to the limit."""
        while self._ready and not self._stopping and len(self._sending) < self.limit:
            if self._breaker.wait() > 0:
                return
            event = self._ready.popleft()
            task = asyncio.create_task(self._forward(event))
            self._sending[event.key] = task
            task.add_done_callback(partial(self._on_sent, event.key))

    def _on_sent(self, key: object, task: "asyncio.Task[None]") -> None:
        """Send the next events; if an event has no settlement, its lease is abandoned."""
        # Absent if the same event was leased again, after another relay had been the leader.
        self._sending.pop(key, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            kind = type(error).__name__
            self._notices.log(logging.ERROR, kind, "unexpected error in forwarding: %s", kind)
        self._launch()
        self._wake.set()

    def _give_back(self) -> None:
        """Return leased events that were not sent to the outbox."""
        now = self._clock.now()
        while self._ready:
            event = self._ready.popleft()
            self._settlements.append(Settlement(event.key, Outcome.UNSENT, due=now))

    async def _housekeep(self) -> None:
        """Recover abandoned leases and tidy the outbox, periodically."""
        ticks = self._clock.ticks()
        if ticks < self._housekeeping:
            return
        self._housekeeping = ticks + HOUSEKEEPING
        # Includes events that were sent but are not settled yet.
        known = {event.key for event in self._ready} | self._sending.keys()
        known |= {each.key for each in self._settlements}
        recovered = await self._outbox.call(as_leader(lambda store: store.recover(known)))
        if recovered:
            # The relay that had leased them may have sent them before it died.
            self._metrics.ambiguous.inc(recovered)
            log.warning("%d events may have been sent before: sending again", recovered)
        # A longer wait than any backoff comes from a clock that was ahead.
        longest = 0.0 if self._clock.check() else self._backoff.longest
        now, steady = self._clock.now(), self._clock.steady

        def tidy(store: Store) -> tuple[float, bool, int]:
            began = self._clock.ticks()
            more = store.tidy(now, longest, steady, self._portion.rows)
            return self._clock.ticks() - began, more, store.depth().dead

        try:
            seconds, more, dead = await self._outbox.call(tidy)
            self._portion.note(seconds, more)
            if not dead:
                self.refused.clear()
            if more:
                self._housekeeping = self._clock.ticks() + rest(seconds)
        except OutboxError as error:
            # Not fatal: forwarding may still be possible.
            self._notices.log(logging.ERROR, f"tidy: {error}", "housekeeping failed: %s", error)

    def _capacity(self) -> int:
        """Return how many events to lease now."""
        if self._breaker.wait() > 0:
            return 0
        most = 1 if self._breaker.state.open else AHEAD * self.limit
        room = max(0, most - len(self._sending) - len(self._ready))
        # Each lease costs a write to the disk, so it must be for enough events.
        return room if room >= most // PART else 0

    async def _settle_and_lease(self, settlements: list[Settlement], room: int) -> list[Lease]:
        """Settle events and lease others, in one transaction."""
        now = self._clock.now()
        # While the breaker is open, single events probe the API.
        probing = self._breaker.state.open

        def operate(store: Store) -> list[Lease]:
            store.settle(settlements)
            if room == 0:
                return []
            return store.probe(now) if probing else store.lease(room, now)

        leases = await self._outbox.write(
            as_leader(operate), lambda leases: bool(settlements or leases), proof=False
        )
        if room > 0:
            self.leased = now
        return leases

    async def _forward(self, event: Lease) -> None:
        began = self._clock.ticks()
        try:
            answer = await self._send(event.body)
        except Exception as error:
            self._notices.exception(type(error).__name__, "unexpected error in a request")
            answer = Answer(Fate.RETRY, type(error).__name__, ambiguous=True)
        seconds = self._clock.ticks() - began
        self._metrics.seconds.observe(seconds)
        failed = answer.fate in (Fate.RETRY, Fate.PAUSE)
        # The event loop's own lag, before and after the request, is not the API's latency.
        self._limiter.record(max(0.0, seconds - 2 * self._lag), failed, len(self._sending))
        if answer.ambiguous:
            self._metrics.ambiguous.inc()
        fate = self._decide(event, answer, began)
        self._metrics.forwarded.labels(fate.value).inc()
        self._settlements.append(self._make_settlement(event, fate, answer))

    def _decide(self, event: Lease, answer: Answer, sent: float) -> Fate:
        """Return the fate of an event; update the breaker, and log a change of its state."""
        breaker = self._breaker
        before, trusted, first = breaker.state, breaker.trusted, event.attempts == 1
        # The API accepts other events, so this one may be the cause.
        own = trusted and answer.bounded and not first
        fate = answer.fate
        if own and event.attempts >= MAX_BOUNDED:
            fate = Fate.DEAD
        elif fate is Fate.RETRY or own:
            fate = Fate.RETRY
            breaker.fail(event.key, sent, answer.reason, answer.wait, first)
        elif fate is Fate.PAUSE:
            breaker.pause(event.key, sent, answer.reason)
        else:
            breaker.succeed(sent)
        if breaker.state is not before:
            self._log_state(before)
        return fate

    def _log_state(self, before: State) -> None:
        """Log a change of state, throttled: if many requests fail, it may change all the time."""
        state, reason = self._breaker.status
        level, text = logging.WARNING, "the API accepts events again"
        if state is State.PAUSED:
            check = ", ".join(map(variable, ("api_key", "application_id", "api_url")))
            kind = f"the API refuses the key, or its URL is wrong ({reason}): check {check}"
            level, text = logging.ERROR, f"forwarding is paused: {kind}; events are queued"
        elif state is State.HOLDING:
            text = f"the API is unavailable ({reason}); events are queued"
        elif state is State.FAILING:
            text = f"requests to the API fail ({reason}) and are retried"
        self._notices.log(level, (before, state), "%s", text)

    def _make_settlement(self, event: Lease, fate: Fate, answer: Answer) -> Settlement:
        """Return the settlement of an event that was sent."""
        if fate is Fate.DELIVERED:
            self.delivered = self._clock.now()
            return Settlement(event.key, Outcome.DELIVERED)
        if fate is Fate.DEAD:
            return Settlement(event.key, Outcome.DEAD, answer.reason)
        delay = self._backoff.delay(event.attempts, answer.wait)
        if self._breaker.state.open:
            # There must be a due event when the breaker allows the next probe.
            delay = min(delay, self._breaker.wait())
        if delay < POLL:
            asyncio.get_running_loop().call_later(delay + MARGIN, self.wake)
        return Settlement(event.key, Outcome.AGAIN, answer.reason, self._clock.now() + delay)

    def _on_settled(self, settlements: list[Settlement]) -> None:
        """Remove settlements that are on disk, and report new dead letters."""
        del self._settlements[: len(settlements)]
        for each in settlements:
            if each.outcome is Outcome.DEAD:
                self._report_dead(each.reason)

    async def _count_dead(self) -> None:
        """Count and log the latest dead letters from before the start."""
        letters = await self._outbox.call(lambda store: store.dead(MAX_EARLIER))
        for letter in letters:
            self.refused[self._group(letter.reason)] += 1
        if letters:
            reasons = "; ".join(f"{count} x {reason}" for reason, count in self.refused.items())
            log.warning("the outbox has dead letters (%s): list them by relay --dead", reasons)

    def _report_dead(self, reason: str) -> None:
        """Count a dead letter, and log the first of each reason."""
        reason = self._group(reason)
        if reason not in self.refused:
            log.error("the API refuses an event (%s): list dead letters by relay --dead", reason)
        self.refused[reason] += 1

    def _group(self, reason: str) -> str:
        """Return the reason by which a dead letter is counted."""
        known = reason in self.refused or len(self.refused) < MAX_REASONS
        return reason if known else OTHER_REASONS

    async def _check_periodically(self) -> None:
        """Check whether the outbox is durable: periodically, and soon after a failed write.

        Successful writes do not show it: Redis may be reconfigured at runtime.
        """
        checked = -inf
        while True:
            await asyncio.sleep(HOUSEKEEPING)
            ticks = self._clock.ticks()
            if self._outbox.write_status.fault or ticks - checked >= self._outbox.idle:
                checked = ticks
                await self._check()

    async def _measure_lag(self) -> None:
        while True:
            began = self._clock.ticks()
            await asyncio.sleep(LAG_INTERVAL)
            late = self._clock.ticks() - began - LAG_INTERVAL
            # Decays slowly, because delayed responses may still be arriving.
            self._lag = max(late, 0.8 * self._lag)

    async def _check(self) -> None:
        now = self._clock.now()
        try:
            await self._outbox.write(lambda store: store.check(now))
        except OutboxError as error:
            self._notices.log(logging.ERROR, str(error), "%s", error)

    async def _on_error(self, reason: str) -> None:
        """Log why the outbox cannot be used, and back off."""
        self._failures += 1
        self._trouble = reason
        self._notices.log(logging.ERROR, reason, "%s", reason)
        if not self._stopping:
            pause = min(self._backoff.delay(self._failures), POLL * 10)
            await asyncio.sleep(max(pause, MARGIN))

    def _recovered(self) -> None:
        if self._trouble:
            log.warning("the outbox can be used again")
        self._failures = 0
        self._trouble = ""

    async def _sleep(self) -> None:
        """Sleep until woken, or until an event may be due."""
        try:
            async with asyncio.timeout(min(POLL, self._breaker.wait() or POLL)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _drain(self) -> None:
        """Wait for requests in flight and settle them, for at most ``grace`` seconds."""
        self._give_back()
        end = self._clock.ticks() + self._grace
        while True:
            left = end - self._clock.ticks()
            if self._sending and left > 0 and not self._settlements:
                await asyncio.wait(
                    self._sending.values(), timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
            if self._settlements:
                settlements = list(self._settlements)
                try:
                    async with asyncio.timeout(max(left, LAST_WRITE)):
                        await self._outbox.write(
                            as_leader(lambda store: store.settle(settlements))  # noqa: B023
                        )
                except (OutboxError, SupersededError, TimeoutError) as error:
                    reason = str(error) or "the outbox does not answer"
                    log.error("the last events sent may be sent again: %s", reason)
                    break
                self._on_settled(settlements)
            if not self._sending or left <= 0:
                break
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
