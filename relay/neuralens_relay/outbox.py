"""The outbox: stores events durably from their acknowledgement until the API has accepted them.

A ``Store`` is synchronous. ``Outbox`` runs its operations in threads, with group commit: operations
submitted while one commit is being written share the next one, so that concurrent requests cost one
write to the disk.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from time import monotonic, time
from typing import Any, TypeVar

from neuralens_relay.store import OutboxError, OutboxRefusalError, Store

T = TypeVar("T")
Operation = Callable[[Store], Any]

# Operations that may be queued.
MAX_BACKLOG = 10_000
# Seconds to finish them on close.
CLOSING = 5.0
# Seconds for which a caller waits until an event is stored.
WRITE_TIMEOUT = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WriteStatus:
    """The outcome of recent writes.

    ``at``: Unix time of the last successful one, or None. ``fault``: why one failed since the last
    success that proves that events can be stored, or "".
    """

    at: float | None = None
    fault: str = ""


class Outbox:
    """Runs a store's operations, from any thread or event loop, with group commit."""

    def __init__(self, store: Store) -> None:
        """Start the threads; ``close`` also closes the store."""
        self._store = store
        # Seconds between checks.
        self.idle = store.idle
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._closed = False
        self.write_status = WriteStatus()
        # Writers of several threads must not overwrite each other's faults.
        self._noting = threading.Lock()
        # Guards the sentinel at the end of the queue: an operation after it would never run.
        self._closing = threading.Lock()
        # Each is held while its thread runs operations, or is paused.
        self._working = [threading.Lock() for _ in range(store.threads)]
        self._paused: list[threading.Lock] = []
        # Daemons, so that an application that never closes the relay can exit. Acknowledged events
        # are on disk.
        self._threads = [
            threading.Thread(target=self._run, args=(working,), name="outbox", daemon=True)
            for working in self._working
        ]
        self._running = len(self._threads)
        for thread in self._threads:
            thread.start()

    def submit(self, operation: Callable[[Store], T]) -> Future[T]:
        """Queue an operation; the future has its result once it is durable.

        Raises OutboxError if the outbox is closed or the queue is full.
        """
        entry = Entry(operation)
        with self._closing:
            if self._closed:
                raise OutboxError("the outbox is closed")
            if self._queue.qsize() >= MAX_BACKLOG:
                raise OutboxError("the outbox cannot keep up")
            self._queue.put(entry)
        return entry.future

    async def call(self, operation: Callable[[Store], T]) -> T:
        """Run an operation and return its result once it is durable; raises OutboxError."""
        return await asyncio.wrap_future(self.submit(operation))

    async def write(
        self,
        operation: Callable[[Store], T],
        wrote: Callable[[T], bool] = lambda _: True,
        proof: bool = True,
    ) -> T:
        """Run an operation as ``call`` does, and update the write status.

        ``wrote(result)`` is whether anything was written. ``proof``: success proves that events can
        be stored; a full Redis, say, still deletes them.
        """
        try:
            result = await self.call(operation)
        except OutboxRefusalError:
            # Not a failed write: ``depth`` reports why it is full.
            raise
        except OutboxError as error:
            self._note(fault=str(error))
            raise
        if wrote(result):
            fault = {"fault": ""} if proof else {}
            self._note(at=time(), **fault)
        return result

    def _note(self, **changes: Any) -> None:
        """Change the write status."""
        with self._noting:
            self.write_status = replace(self.write_status, **changes)

    def responds(self, patience: float) -> bool:
        """Return whether operations end within ``patience`` seconds."""
        try:
            return bool(wait([self.submit(lambda store: None)], patience).done)
        except OutboxError:
            return False

    def close(self, patience: float = CLOSING) -> None:
        """Finish the queued operations, then close the store.

        A store that hangs, such as on an unresponsive disk, is abandoned after ``patience``
        seconds; acknowledged events are in it.
        """
        self.release()
        deadline = monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            log.error("the outbox has not responded: abandoning it")

    def release(self) -> None:
        """Close without waiting for it."""
        with self._closing:
            self._closed = True
            self._queue.put(None)

    def pause(self, patience: float = CLOSING) -> None:
        """Wait for the operations that are running, and run no others until ``resume``.

        One that hangs is not waited for after ``patience`` seconds.
        """
        deadline = monotonic() + patience
        for working in self._working:
            if working.acquire(timeout=max(0.0, deadline - monotonic())):
                self._paused.append(working)

    def resume(self) -> None:
        """Run operations again."""
        while self._paused:
            self._paused.pop().release()

    def drop(self) -> bool:
        """Close the store in a forked child, if it was paused at the fork; return whether it was.

        Locks and connections of the parent are not affected.
        """
        if len(self._paused) < len(self._working):
            return False
        self._store.close()
        return True

    def _run(self, working: threading.Lock) -> None:
        while group := self._next_group():
            with working:
                commit(self._store, group)
        with self._closing:
            self._running -= 1
            if self._running == 0:
                self._store.close()

    def _next_group(self) -> list["Entry"]:
        """Wait for operations and return them; none if the outbox is being closed."""
        group = []
        entry = self._queue.get()
        while entry is not None:
            if entry.future.set_running_or_notify_cancel():
                group.append(entry)
            if len(group) >= self._store.group:
                return group
            try:
                entry = self._queue.get(block=not group)
            except Empty:
                return group
        # Put the sentinel back, for the next call and the other threads.
        self._queue.put(None)
        return group


class Entry:
    """A queued operation.

    It is dropped with its events as soon as the future is done: a cancelled entry stays queued
    until a hanging store responds.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.future: Future[Any] = Future()
        self.future.add_done_callback(self._drop)

    def _drop(self, _: Future[Any]) -> None:
        del self.operation


def commit(store: Store, group: Sequence[Entry]) -> None:
    """Run a group of operations in one transaction and set their results."""
    begun = False
    try:
        with store.transaction():
            begun = True
            results = [attempt(store, entry.operation) for entry in group]
    except Exception as error:
        if len(group) == 1 or not begun:
            # None of them is the cause: each would wait for another process's lock as long again.
            for entry in group:
                entry.future.set_exception(error)
            return
        # Rolled back. Retry one by one, so that a failing operation does not affect the others.
        for entry in group:
            commit(store, [entry])
    else:
        for entry, result in zip(group, results, strict=True):
            if isinstance(result, OutboxRefusalError):
                entry.future.set_exception(result)
            else:
                entry.future.set_result(result)


def attempt(store: Store, operation: Operation) -> Any:
    """Return an operation's result, or OutboxRefusalError, which does not roll back the others."""
    try:
        return operation(store)
    except OutboxRefusalError as error:
        return error
