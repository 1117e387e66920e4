"""The lifecycle of a relay: its outbox, and the thread that forwards."""

import asyncio
import atexit
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from neuralens_relay.api import ApiClient
from neuralens_relay.backoff import Backoff
from neuralens_relay.balance import DAY, Balance, Report, balances
from neuralens_relay.breaker import Breaker, State, Status
from neuralens_relay.clock import Clock
from neuralens_relay.forks import FORKS
from neuralens_relay.forwarder import Forwarder
from neuralens_relay.greenlets import check_threads
from neuralens_relay.health import Health, Refusals
from neuralens_relay.limiter import Limiter
from neuralens_relay.metrics import Metrics
from neuralens_relay.opening import Opener, explain_silence
from neuralens_relay.outbox import CLOSING, WRITE_TIMEOUT, Outbox, WriteStatus
from neuralens_relay.outbox_url import describe_place, store_opener
from neuralens_relay.settings import Settings
from neuralens_relay.store import Depth, Event, OutboxError

# Seconds for reading the outbox.
READ_TIMEOUT = 2.0

log = logging.getLogger(__name__)


class Relay:
    """Stores and forwards events between ``start`` and ``close``, which are both idempotent.

    Forwarding has its own thread and event loop, independent of an application in which the relay
    is mounted, which may not even pass its lifespan on. A relay that is not closed explicitly is
    closed at the end of the process.
    """

    def __init__(self, settings: Settings) -> None:
        """Raise SettingsError if ``settings.outbox`` is invalid."""
        self.settings = settings
        self.metrics = Metrics()
        self.refusals = Refusals(time.monotonic)
        self._place = describe_place(settings.outbox)
        self._opener = Opener(store_opener(settings), self._place)
        self._changing = threading.Lock()
        self._outbox: Outbox | None = None
        self._forwarding: Forwarding | None = None
        self._closed = False
        # The parent's, if this is a child: closing it here would break the parent's event loop.
        self._inherited: list[Forwarding | None] = []
        FORKS.notify(self)

    def start(self) -> None:
        """Open the outbox, however long that takes, and start forwarding; raises OutboxError."""
        FORKS.check()
        asked = time.monotonic()
        with self._changing:
            self._closed = False
            self._start(asked, None)

    def ensure_started(self) -> Outbox:
        """Start unless started; raises OutboxError if that fails, or if the relay is closed.

        An outbox that hangs is waited for as long as a write.
        """
        FORKS.check()
        asked = time.monotonic()
        with self._changing:
            if self._closed:
                raise OutboxError("the relay is closed")
            return self._start(asked, WRITE_TIMEOUT)

    def close(self) -> None:
        """Wait up to ``settings.grace`` for requests in flight, and close the outbox.

        An outbox that hangs is abandoned after CLOSING seconds.
        """
        if FORKS.stranded:
            # They are the parent's.
            return
        with self._changing:
            self._closed = True
            self._opener.abandon()
            outbox, forwarding = self._outbox, self._forwarding
            self._outbox = self._forwarding = None
        if outbox is None or forwarding is None:
            return
        forwarding.stop()
        # One that hangs is not waited for twice, nor as long as for requests in flight.
        responds = outbox.responds(CLOSING)
        if responds:
            forwarding.join()
        outbox.close(CLOSING if responds else 0)
        atexit.unregister(self.close)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Start and close with an application: ``Starlette(..., lifespan=relay.lifespan)``."""
        await asyncio.to_thread(self.start)
        try:
            yield
        finally:
            await asyncio.to_thread(self.close)

    def is_open(self) -> bool:
        """See Forking."""
        return self._outbox is not None or self._opener.is_busy

    def before_fork(self) -> None:
        """See Forking."""
        self._changing.acquire()
        self._opener.abandon(CLOSING)
        if self._outbox is not None:
            self._outbox.pause()

    def after_fork(self) -> None:
        """See Forking."""
        if self._outbox is not None:
            self._outbox.resume()
        self._changing.release()

    def after_fork_in_child(self) -> None:
        """See Forking. Threads are not inherited, so the child's relay starts anew."""
        self._changing = threading.Lock()
        if self._outbox is not None and self._outbox.drop():
            self._inherited.append(self._forwarding)
            self._outbox = self._forwarding = None
            atexit.unregister(self.close)

    async def add(self, events: Sequence[Event], report: Report | None = None) -> list[bool]:
        """Store events; return for each, once all are on disk, whether it is new.

        ``report``: their batch's contribution to the balance. Raises OutboxError.
        """
        now = time.time()
        try:
            # So that a page gets a Retry-After and not a hanging request.
            async with asyncio.timeout(WRITE_TIMEOUT):
                outbox = await self._started()
                fresh = await outbox.write(lambda store: store.add(events, now, report), any)
        except TimeoutError:
            raise OutboxError(explain_silence(self._place, WRITE_TIMEOUT)) from None
        # Read once, because another thread may close the relay meanwhile.
        forwarding = self._forwarding
        if forwarding is not None:
            forwarding.wake()
        return fresh

    async def health(self) -> Health:
        """Return the relay's health, within READ_TIMEOUT even if the outbox hangs."""
        fault = ""
        depth = None
        try:
            depth = await self.depth()
        except OutboxError as error:
            fault = str(error)
        outbox, forwarding = self._outbox, self._forwarding
        written = outbox.write_status if outbox is not None else WriteStatus()
        forwarder = forwarding.forwarder if forwarding is not None else None
        status = Status(State.STOPPED, "the forwarder does not run")
        if forwarding is not None and forwarding.alive:
            status = forwarding.forwarder.status
        return Health(
            now=time.time(),
            depth=depth,
            fault=fault or written.fault,
            state=status.state,
            reason=status.reason,
            limit=forwarder.limit if forwarder else 0,
            in_flight=forwarder.in_flight if forwarder else 0,
            written=written.at,
            leased=forwarder.leased if forwarder else None,
            delivered=forwarder.delivered if forwarder else None,
            refused=dict(forwarder.refused) if forwarder else {},
            refusals=self.refusals.recent(),
        )

    async def depth(self) -> Depth:
        """Return the outbox's contents; raises OutboxError, after READ_TIMEOUT at the latest."""
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                outbox = await self._started()
                return await outbox.call(lambda store: store.depth())
        except TimeoutError:
            raise OutboxError(explain_silence(self._place, READ_TIMEOUT)) from None

    async def balances(self, days: int) -> list[Balance]:
        """Return the balance of the last days; raises OutboxError."""
        first = int(time.time() // DAY) - days + 1
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                outbox = await self._started()
                return balances(await outbox.call(lambda store: store.tallies(first)))
        except TimeoutError:
            raise OutboxError(explain_silence(self._place, READ_TIMEOUT)) from None

    async def _started(self) -> Outbox:
        FORKS.check()
        # In a thread, because opening the outbox may block.
        outbox = self._outbox
        return await asyncio.to_thread(self.ensure_started) if outbox is None else outbox

    def _start(self, asked: float, patience: float | None) -> Outbox:
        if self._outbox is None:
            check_threads()
            outbox = self._opener.open(asked, patience)
            self._forwarding = Forwarding(self.settings, outbox, self.metrics)
            self._outbox = outbox
            atexit.register(self.close)
        return self._outbox


class Forwarding:
    """Runs a forwarder in its own thread."""

    def __init__(self, settings: Settings, outbox: Outbox, metrics: Metrics) -> None:
        """Start the thread."""
        self._settings = settings
        self._outbox = outbox
        self._metrics = metrics
        self._ready: Future[tuple[asyncio.AbstractEventLoop, Forwarder]] = Future()
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        self._thread.start()
        self._loop, self.forwarder = self._ready.result()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Notify the forwarder of new events."""
        self._call_soon(self.forwarder.wake)

    def stop(self) -> None:
        """Send no more events."""
        self._call_soon(self.forwarder.stop)

    def join(self) -> None:
        """Wait for requests in flight, after ``stop``."""
        # Longer than the grace only if the outbox hangs.
        self._thread.join(self._settings.grace + CLOSING)

    def _call_soon(self, function: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            # The loop is closed: the forwarder has ended, and has logged why.
            return

    def _run(self) -> None:
        try:
            asyncio.run(self._forward())
        except BaseException as error:
            log.exception("forwarding has ended; events stay in the outbox")
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _forward(self) -> None:
        settings = self._settings
        patience = settings.retry_after_cap
        backoff = Backoff(settings.backoff_base, settings.backoff_cap, patience)
        holding = Backoff(settings.backoff_base, settings.probe, patience)
        async with ApiClient(settings, time.time) as client:
            forwarder = Forwarder(
                self._outbox,
                client.send,
                Breaker(holding, time.monotonic),
                Limiter(settings.concurrency),
                backoff,
                self._metrics,
                Clock(time.time, time.monotonic),
                settings.grace,
            )
            self._ready.set_result((asyncio.get_running_loop(), forwarder))
            await forwarder.run()
