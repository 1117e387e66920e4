"""Takes events from the outbox and sends them to the API."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeVar

from neuralens_relay.answers import Answer, Fate
from neuralens_relay.backoff import Backoff
from neuralens_relay.breaker import Breaker, State
from neuralens_relay.metrics import Metrics
from neuralens_relay.outbox import Outbox, OutboxError, Store, Taken

T = TypeVar("T")

# Seconds after which the outbox is looked into unasked: another process may have added to it.
POLL = 0.5
# Seconds between looks for what forwarders that are gone have left.
RECOVERY = 1.0
# Seconds by which to wake after an event is due, so that the clocks agree that it is.
MARGIN = 0.002
# Tries of an event to which the API gave an undocumented answer. It may have taken each one.
MAX_BOUNDED = 8

log = logging.getLogger(__name__)


class Forwarder:
    """Sends what is due, many at once, and writes down what became of it.

    ``send`` sends a body and judges the answer; ``clock`` gives Unix time. Everything happens in
    the loop that runs ``run``.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[bytes], Awaitable[Answer]],
        breaker: Breaker,
        backoff: Backoff,
        metrics: Metrics,
        clock: Callable[[], float],
        concurrency: int,
        grace: float,
    ) -> None:
        """``concurrency``: requests in flight; ``grace``: seconds they get at the end."""
        self._outbox = outbox
        self._send = send
        self._breaker = breaker
        self._backoff = backoff
        self._metrics = metrics
        self._clock = clock
        self._concurrency = concurrency
        self._grace = grace
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._recovery = 0.0
        self._stopping = False

    def wake(self) -> None:
        """Look into the outbox now."""
        self._wake.set()

    def stop(self) -> None:
        """Take nothing more, and let ``run`` end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Forward until stopped; what is in flight then gets ``grace`` seconds.

        What has no answer by then stays in the outbox, to be sent again.
        """
        if await self._lead():
            while not self._stopping:
                self._wake.clear()
                await self._recover()
                if not await self._fill():
                    await self._rest()
        if self._sending:
            await asyncio.wait(self._sending, timeout=self._grace)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _lead(self) -> bool:
        """Wait until this process is one that forwards; False when it never was."""
        while not self._stopping:
            if await self._keep_trying(lambda store: store.lead()):
                return True
            self._wake.clear()
            await self._rest()
        return False

    async def _recover(self) -> None:
        """Now and then, take over what forwarders that are gone have left."""
        now = self._clock()
        if now < self._recovery:
            return
        self._recovery = now + RECOVERY
        recovered = await self._keep_trying(lambda store: store.recover())
        if recovered:
            # Whoever took them may have sent them before it ended.
            self._metrics.ambiguous.inc(recovered)
            log.warning("%d events may have been sent before: sending again", recovered)

    async def _fill(self) -> bool:
        """Start to send what is due and has room; tell whether there was anything."""
        if self._breaker.wait() > 0:
            return False
        # While the API takes nothing, one event at a time finds out whether it does again.
        most = self._concurrency if self._breaker.state is State.RUNNING else 1
        room = most - len(self._sending)
        if room <= 0:
            return False
        now = self._clock()
        taken = await self._keep_trying(lambda store: store.take(room, now))
        for event in taken or ():
            task = asyncio.create_task(self._forward(event))
            self._sending.add(task)
            task.add_done_callback(self._sent)
        return bool(taken)

    async def _rest(self) -> None:
        """Sleep until woken, or something may be due."""
        try:
            async with asyncio.timeout(min(POLL, self._breaker.wait() or POLL)):
                await self._wake.wait()
        except TimeoutError:
            return

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("an event could not be forwarded", exc_info=task.exception())

    async def _forward(self, event: Taken) -> None:
        began = perf_counter()
        answer = await self._send(event.body)
        self._metrics.seconds.observe(perf_counter() - began)
        if answer.ambiguous:
            self._metrics.ambiguous.inc()
        fate = answer.fate
        if answer.bounded and event.attempts >= MAX_BOUNDED:
            fate = Fate.DEAD
        self._metrics.forwarded.labels(fate.value).inc()
        self._judge(answer, event.attempts == 1)
        await self._keep_trying(self._settle(event, fate, answer))

    def _judge(self, answer: Answer, first: bool) -> None:
        """Tell the breaker, and say in the log when it changes its mind."""
        before = self._breaker.state
        if answer.fate is Fate.PAUSE:
            self._breaker.pause(answer.reason)
        elif answer.fate is Fate.RETRY:
            self._breaker.fail(answer.reason, answer.wait, first)
        else:
            self._breaker.succeed()
        after = self._breaker.state
        if after is before:
            return
        if after is State.PAUSED:
            log.error("forwarding is paused: the API refuses the key (%s)", self._breaker.reason)
        elif after is State.HOLDING:
            log.warning("the API takes nothing (%s): events wait", self._breaker.reason)
        else:
            log.warning("the API takes events again")

    def _settle(self, event: Taken, fate: Fate, answer: Answer) -> Callable[[Store], None]:
        """Return what is to be written down about an event that was sent."""
        if fate is Fate.DELIVERED:
            return lambda store: store.deliver(event.key)
        if fate is Fate.DEAD:
            return lambda store: store.park(event.key, answer.reason)
        delay = 0.0
        if fate is Fate.RETRY:
            delay = self._backoff.delay(event.attempts, answer.wait)
            asyncio.get_running_loop().call_later(delay + MARGIN, self.wake)
        due = self._clock() + delay
        return lambda store: store.retry(event.key, due, answer.reason)

    async def _keep_trying(self, operation: Callable[[Store], T]) -> T | None:
        """Do an operation on the outbox until it succeeds; None when stopped before."""
        failures = 0
        while True:
            try:
                return await self._outbox.call(operation)
            except OutboxError as error:
                failures += 1
                if failures == 1:
                    log.error("%s", error)
                if self._stopping:
                    return None
                await asyncio.sleep(min(self._backoff.delay(failures), POLL * 10))
