"""A relay's life: its outbox, and the thread that forwards."""

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
from neuralens_relay.breaker import Breaker, State
from neuralens_relay.clock import Clock
from neuralens_relay.forwarder import Forwarder
from neuralens_relay.health import Health
from neuralens_relay.limiter import Limiter
from neuralens_relay.metrics import Metrics
from neuralens_relay.outbox import CLOSING, Depth, Event, Outbox, OutboxError, Written
from neuralens_relay.settings import Settings
from neuralens_relay.stores import store_opener

# Seconds that the outbox gets to say what it holds, and to keep events: a page that gets no
# answer does not know that it should come back.
PATIENCE = 2.0
KEEPING = 10.0

log = logging.getLogger(__name__)


class Relay:
    """Keeps events and forwards them, from ``start`` to ``close``; both may be called often.

    Forwarding has a thread and an event loop of its own, so it does not depend on the
    application that the relay is mounted in: not on its loop, nor on whether it passes its
    lifespan on. A relay that nobody closes is closed when the process ends.
    """

    def __init__(self, settings: Settings) -> None:
        """Raise SettingsError when ``settings.outbox`` names nothing that can be opened."""
        self.settings = settings
        self.metrics = Metrics()
        self._open_store = store_opener(settings)
        self._changing = threading.Lock()
        self._outbox: Outbox | None = None
        self._forwarding: Forwarding | None = None
        self._closed = False

    def start(self) -> None:
        """Open the outbox and begin to forward; raises OutboxError when it cannot be opened."""
        with self._changing:
            self._closed = False
            self._start()

    def ensure_started(self) -> Outbox:
        """Start unless that has happened or the relay is closed; raises OutboxError."""
        with self._changing:
            if self._closed:
                raise OutboxError("the relay is closed")
            return self._start()

    def close(self) -> None:
        """Let sends in flight finish, within ``settings.grace``, and close the outbox."""
        with self._changing:
            self._closed = True
            outbox, forwarding = self._outbox, self._forwarding
            self._outbox = self._forwarding = None
        if forwarding is not None:
            forwarding.close()
        if outbox is not None:
            outbox.close()
            atexit.unregister(self.close)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Start and close with an application: ``Starlette(..., lifespan=relay.lifespan)``."""
        await asyncio.to_thread(self.start)
        try:
            yield
        finally:
            await asyncio.to_thread(self.close)

    async def add(self, events: Sequence[Event], report: Report | None = None) -> list[bool]:
        """Keep events; for each tell, once all are on disk, whether it is new.

        ``report``: what their batch says, for the books.
        """
        outbox = await self._started()
        now = time.time()
        try:
            async with asyncio.timeout(KEEPING):
                fresh = await outbox.write(lambda store: store.add(events, now, report), any)
        except TimeoutError:
            # Whether it keeps them after all does not matter: they are known when they come again.
            raise OutboxError(f"the outbox has kept nothing for {KEEPING:g} s") from None
        if self._forwarding is not None:
            self._forwarding.wake()
        return fresh

    async def health(self) -> Health:
        """Say how the relay is; does not wait long for an outbox that does not answer."""
        fault = ""
        depth = None
        try:
            depth = await self.depth()
        except OutboxError as error:
            fault = str(error)
        outbox, forwarding = self._outbox, self._forwarding
        written = outbox.written if outbox is not None else Written()
        last = {"write": written.at, "take": None, "delivery": None}
        state, reason = State.STOPPED, "the forwarder does not run"
        if forwarding is not None:
            forwarder = forwarding.forwarder
            last |= {"take": forwarder.taken, "delivery": forwarder.delivered}
            if forwarding.alive:
                state, reason = forwarder.state
            if depth is not None and not depth.dead:
                forwarder.refused.clear()
        return Health(
            now=time.time(),
            depth=depth,
            fault=fault or written.fault,
            state=state,
            reason=reason,
            limit=forwarding.forwarder.limit if forwarding else 0,
            in_flight=forwarding.forwarder.in_flight if forwarding else 0,
            last=last,
            refused=dict(forwarding.forwarder.refused) if forwarding else {},
        )

    async def depth(self) -> Depth:
        """Say what the outbox holds; raises OutboxError, soon where it does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                outbox = await self._started()
                return await outbox.call(lambda store: store.depth())
        except TimeoutError:
            raise OutboxError(f"the outbox has not answered for {PATIENCE:g} s") from None

    async def balances(self, days: int) -> list[Balance]:
        """Return the balance of the last days; raises OutboxError."""
        first = int(time.time() // DAY) - days + 1
        try:
            async with asyncio.timeout(PATIENCE):
                outbox = await self._started()
                return balances(await outbox.call(lambda store: store.tallies(first)))
        except TimeoutError:
            raise OutboxError(f"the outbox has not answered for {PATIENCE:g} s") from None

    async def _started(self) -> Outbox:
        # Opening a file may take a while: not in the loop that answers requests.
        outbox = self._outbox
        return await asyncio.to_thread(self.ensure_started) if outbox is None else outbox

    def _start(self) -> Outbox:
        if self._outbox is None:
            outbox = Outbox(self._open_store())
            self._forwarding = Forwarding(self.settings, outbox, self.metrics)
            self._outbox = outbox
            atexit.register(self.close)
        return self._outbox


class Forwarding:
    """A forwarder in a thread of its own."""

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
        """Tell the forwarder that there are events."""
        self._tell(self.forwarder.wake)

    def close(self) -> None:
        """Stop, and wait until what is in flight has ended."""
        self._tell(self.forwarder.stop)
        # More than the grace only when the outbox hangs: it has what was acknowledged.
        self._thread.join(self._settings.grace + CLOSING)

    def _tell(self, message: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(message)
        except RuntimeError:
            # The loop is closed: the forwarder has ended, and says in the log why.
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
