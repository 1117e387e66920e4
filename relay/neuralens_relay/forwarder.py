"""Takes events from the outbox and sends them to the API."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any

from neuralens_relay.answers import Answer, Fate
from neuralens_relay.backoff import Backoff
from neuralens_relay.breaker import Breaker, State
from neuralens_relay.clock import Clock
from neuralens_relay.limiter import Limiter
from neuralens_relay.metrics import Metrics
from neuralens_relay.notices import Notices
from neuralens_relay.outbox import Outbox, OutboxError, Outcome, Settlement, Store, Taken

# Seconds after which the outbox is looked into unasked: another process may have added to it.
POLL = 0.5
# Seconds between looks for what nobody sends, and other housekeeping.
HOUSEKEEPING = 1.0
# Seconds by which to wake after an event is due, so that the clocks agree that it is.
MARGIN = 0.002
# Seconds that the outbox gets to write down what was sent last.
LAST_WRITE = 2.0
# Events taken from the outbox, sent or about to be, as a multiple of the requests in flight; and
# the part of them that is worth a write.
AHEAD = 2
PART = 8
# Seconds between looks at how late this process is with what it means to do.
LAG_INTERVAL = 0.05
# Tries of an event of which the API, while it takes others, says nothing that is documented.
MAX_BOUNDED = 8
# Reasons of dead letters told apart.
MAX_REASONS = 20
OTHER_REASONS = "other reasons"

log = logging.getLogger(__name__)


class Forwarder:
    """Sends what is due, many at once, and writes down what became of it.

    ``send`` sends a body and judges the answer. Everything happens in the loop that runs ``run``;
    what tells others how it goes may be read from any thread.
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
        """``grace``: seconds that sends in flight get at the end."""
        self._outbox = outbox
        self._send = send
        self._breaker = breaker
        self._limiter = limiter
        self._backoff = backoff
        self._metrics = metrics
        self._clock = clock
        self._grace = grace
        self._notices = Notices(log, clock.ticks)
        # Taken from the outbox, so that a send need not wait for a write to the disk.
        self._ready: deque[Taken] = deque()
        # By the key of what each sends.
        self._sending: dict[Any, asyncio.Task[None]] = {}
        self._settlements: list[Settlement] = []
        self._wake = asyncio.Event()
        self._stopping = False
        # None before the outbox has been asked.
        self._leading: bool | None = None
        self._trouble = ""
        self._failures = 0
        # Seconds by which this process is late, for want of the processor.
        self._lag = 0.0
        self._housekeeping = 0.0
        # Unix time of the last look into the outbox for what is due, and of the last delivery.
        self.taken: float | None = None
        self.delivered: float | None = None
        # Dead letters of this process by reason.
        self.refused: Counter[str] = Counter()

    def wake(self) -> None:
        """Look into the outbox now."""
        self._wake.set()

    def stop(self) -> None:
        """Take nothing more, and let ``run`` end."""
        self._stopping = True
        self._wake.set()

    @property
    def state(self) -> tuple[State, str]:
        """Whether events are forwarded, and if not, why."""
        if self._trouble:
            return State.STOPPED, self._trouble
        if self._leading is False:
            return State.FOLLOWING, "another relay forwards what is in this outbox"
        reason = self._breaker.reason
        if self._breaker.state.open:
            reason += f"; the next try is in {self._breaker.wait():.0f} s"
        return self._breaker.state, reason

    @property
    def in_flight(self) -> int:
        """Requests to the API that have no answer yet."""
        return len(self._sending)

    @property
    def limit(self) -> int:
        """Requests to the API that there may be at once now."""
        return 1 if self._breaker.state.open else self._limiter.limit

    async def run(self) -> None:
        """Forward until stopped; what is in flight then gets ``grace`` seconds.

        What has no answer by then stays in the outbox, to be sent again.
        """
        watching = [asyncio.create_task(each) for each in (self._watch(), self._measure_lag())]
        while not self._stopping:
            self._wake.clear()
            try:
                busy = await self._turn()
            except OutboxError as error:
                await self._bear(error)
            else:
                self._recovered()
                if not busy:
                    await self._rest()
        await self._finish()
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)

    async def _turn(self) -> bool:
        """Do what there is to do; tell whether there may be more at once."""
        if not self._leading:
            self._leading = await self._outbox.call(lambda store: store.lead())
            if not self._leading:
                return False
            log.info("this relay forwards what is in the outbox")
        await self._keep_house()
        if self._breaker.state.open:
            self._give_back()
        settlements = list(self._settlements)
        room = self._room()
        if not settlements and room == 0:
            return False
        taken = await self._exchange(settlements, room)
        self._settled(settlements)
        self._ready.extend(taken)
        self._launch()
        return bool(settlements or taken)

    def _launch(self) -> None:
        """Send what was taken, as far as there may be requests."""
        while self._ready and not self._stopping and len(self._sending) < self.limit:
            if self._breaker.wait() > 0:
                return
            event = self._ready.popleft()
            self._sending[event.key] = asyncio.create_task(self._forward(event))

    def _give_back(self) -> None:
        """Let what was taken and not sent wait in the outbox."""
        now = self._clock.now()
        while self._ready:
            event = self._ready.popleft()
            self._settlements.append(Settlement(event.key, Outcome.UNSENT, due=now))

    async def _keep_house(self) -> None:
        """Now and then, give back what nobody sends, and let the outbox tidy up."""
        ticks = self._clock.ticks()
        if ticks < self._housekeeping:
            return
        self._housekeeping = ticks + HOUSEKEEPING
        # What was sent and is not yet written down is not to be sent again either.
        known = {event.key for event in self._ready} | self._sending.keys()
        known |= {each.key for each in self._settlements}
        recovered = await self._outbox.call(lambda store: store.recover(known))
        if recovered:
            # Whoever took them may have sent them before it ended.
            self._metrics.ambiguous.inc(recovered)
            log.warning("%d events may have been sent before: sending again", recovered)
        # What waits longer than anything should was put there by a clock that was ahead.
        longest = 0.0 if self._clock.look() else self._backoff.longest
        now, steady = self._clock.now(), self._clock.steady
        try:
            await self._outbox.call(lambda store: store.tidy(now, longest, steady))
        except OutboxError as error:
            # What is sent is more important, and may well be possible.
            self._notices.say(logging.ERROR, f"tidy: {error}", "cannot tidy up: %s", error)

    def _room(self) -> int:
        """Return how many events may be taken now."""
        if self._breaker.wait() > 0:
            return 0
        # As many again are taken as may be sent: the next send is there when one has ended.
        most = 1 if self._breaker.state.open else AHEAD * self.limit
        room = max(0, most - len(self._sending) - len(self._ready))
        # Not for a few, while there are many: each time is a write to the disk.
        return room if room >= most // PART else 0

    async def _exchange(self, settlements: list[Settlement], room: int) -> list[Taken]:
        """Write down what became of events, and take others."""
        now = self._clock.now()
        # While the API takes nothing, one event at a time finds out whether it does again.
        probing = self._breaker.state.open

        def exchange(store: Store) -> list[Taken]:
            store.settle(settlements)
            if room == 0:
                return []
            return store.probe(now) if probing else store.take(room, now)

        taken = await self._outbox.write(
            exchange, lambda taken: bool(settlements or taken), proof=False
        )
        if room > 0:
            self.taken = now
        return taken

    async def _forward(self, event: Taken) -> None:
        began = self._clock.ticks()
        try:
            answer = await self._send(event.body)
        except Exception as error:
            self._notices.exception(type(error).__name__, "a send ended in an unexpected way")
            answer = Answer(Fate.RETRY, type(error).__name__, ambiguous=True)
        seconds = self._clock.ticks() - began
        self._metrics.seconds.observe(seconds)
        failed = answer.fate in (Fate.RETRY, Fate.PAUSE)
        # Being late to send and late to read is not the API's slowness.
        self._limiter.note(max(0.0, seconds - 2 * self._lag), failed, len(self._sending))
        if answer.ambiguous:
            self._metrics.ambiguous.inc()
        fate = self._judge(event, answer, began)
        self._metrics.forwarded.labels(fate.value).inc()
        self._settlements.append(self._settle(event, fate, answer))
        del self._sending[event.key]
        self._launch()
        self._wake.set()

    def _judge(self, event: Taken, answer: Answer, sent: float) -> Fate:
        """Return what becomes of an event; tell the breaker, and say when it changes its mind."""
        breaker = self._breaker
        before, trusted, first = breaker.state, breaker.trusted, event.attempts == 1
        # The API takes others and not this one: it is the event after all.
        own = trusted and answer.bounded and not first
        fate = answer.fate
        if own and event.attempts >= MAX_BOUNDED:
            fate = Fate.DEAD
        elif fate is Fate.RETRY or own:
            fate = Fate.RETRY
            breaker.fail(event.key, sent, answer.reason, answer.wait, first)
        elif fate is Fate.PAUSE:
            breaker.pause(event.key, sent, answer.reason, first)
        else:
            breaker.succeed(sent)
        if breaker.state is not before:
            self._say(breaker.state)
        return fate

    def _say(self, state: State) -> None:
        reason = self._breaker.reason
        if state is State.PAUSED:
            kind = "the API refuses the key, or is not at its address"
            log.error("forwarding is paused: %s (%s); events wait", kind, reason)
        elif state is State.HOLDING:
            log.warning("the API takes nothing (%s): events wait", reason)
        elif state is State.FAILING:
            log.warning("sends to the API fail (%s): they are tried again", reason)
        else:
            log.warning("the API takes events again")

    def _settle(self, event: Taken, fate: Fate, answer: Answer) -> Settlement:
        """Return what is to be written down about an event that was sent."""
        if fate is Fate.DELIVERED:
            self.delivered = self._clock.now()
            return Settlement(event.key, Outcome.DELIVERED)
        if fate is Fate.DEAD:
            return Settlement(event.key, Outcome.DEAD, answer.reason)
        delay = self._backoff.delay(event.attempts, answer.wait)
        if self._breaker.state.open:
            # All wait for the breaker; then there must be one to try.
            delay = min(delay, self._breaker.wait())
        if delay < POLL:
            asyncio.get_running_loop().call_later(delay + MARGIN, self.wake)
        return Settlement(event.key, Outcome.AGAIN, answer.reason, self._clock.now() + delay)

    def _settled(self, settlements: list[Settlement]) -> None:
        """Go on to the next ones: these are on disk."""
        del self._settlements[: len(settlements)]
        for each in settlements:
            if each.outcome is Outcome.DEAD:
                self._note_refusal(each.reason)

    def _note_refusal(self, reason: str) -> None:
        if reason not in self.refused and len(self.refused) >= MAX_REASONS:
            reason = OTHER_REASONS
        if reason not in self.refused:
            log.error("the API refuses an event (%s): see relay --dead for all of them", reason)
        self.refused[reason] += 1

    async def _watch(self) -> None:
        """Check now and then whether events can be kept, and soon after a write failed.

        Also while many are: a Redis may be told to forget them while it keeps them.
        """
        checked = -inf
        while True:
            await asyncio.sleep(HOUSEKEEPING)
            ticks = self._clock.ticks()
            if self._outbox.written.fault or ticks - checked >= self._outbox.idle:
                checked = ticks
                await self._check()

    async def _measure_lag(self) -> None:
        while True:
            began = self._clock.ticks()
            await asyncio.sleep(LAG_INTERVAL)
            late = self._clock.ticks() - began - LAG_INTERVAL
            # Quick to rise and slow to fall: answers that were late may come a little later.
            self._lag = max(late, 0.8 * self._lag)

    async def _check(self) -> None:
        now = self._clock.now()
        try:
            await self._outbox.write(lambda store: store.check(now))
        except OutboxError as error:
            self._notices.say(logging.ERROR, str(error), "%s", error)

    async def _bear(self, error: OutboxError) -> None:
        """Say that the outbox cannot be used, and wait a little."""
        self._failures += 1
        self._trouble = str(error)
        self._notices.say(logging.ERROR, str(error), "%s", error)
        if not self._stopping:
            pause = min(self._backoff.delay(self._failures), POLL * 10)
            await asyncio.sleep(max(pause, MARGIN))

    def _recovered(self) -> None:
        if self._trouble:
            log.warning("the outbox can be used again")
        self._failures = 0
        self._trouble = ""

    async def _rest(self) -> None:
        """Sleep until woken, or something may be due."""
        try:
            async with asyncio.timeout(min(POLL, self._breaker.wait() or POLL)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _finish(self) -> None:
        """Write down what becomes of what is in flight, as long as ``grace`` lasts."""
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
                        await self._outbox.write(lambda store: store.settle(settlements))  # noqa: B023
                except (OutboxError, TimeoutError) as error:
                    reason = str(error) or "the outbox does not answer"
                    log.error("what was sent last may be sent again: %s", reason)
                    break
                self._settled(settlements)
            if not self._sending or left <= 0:
                break
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
