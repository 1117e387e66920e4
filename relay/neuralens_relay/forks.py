"""Prepares a process that has an outbox for forks.

A child must not inherit an outbox in use: SQLite would believe that it holds the locks of its
parent, and wait for them forever, or go on writing to a log that others have deleted.
"""

import os
import threading
from typing import Protocol
from weakref import WeakSet

from neuralens_relay.store import OutboxError

STRANDED = (
    "the server has forked this process without notice while an outbox was open: load the"
    " application after the fork (uWSGI: lazy-apps = true), or open no outbox before it"
)


class Forking(Protocol):
    """What prepares itself for forks. The other methods are called in the thread that forks."""

    def is_open(self) -> bool:
        """Return whether it has an outbox open."""

    def before_fork(self) -> None:
        """Stop using the outbox until one of the other methods is called."""

    def after_fork(self) -> None:
        """Go on, in the parent."""

    def after_fork_in_child(self) -> None:
        """Go on in the child, and close the parent's outbox there.

        It stays open if it was in use, because closing it would release locks.
        """


class Forks:
    """Notifies of the forks of this process."""

    def __init__(self) -> None:
        self._notified: WeakSet[Forking] = WeakSet()
        self._prepared: list[Forking] = []
        # The process that has begun.
        self._process = os.getpid()
        self._stranded = False
        # One fork at a time.
        self._lock = threading.Lock()
        # Windows has no forks.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._prepare,
                after_in_parent=self._go_on,
                after_in_child=self._go_on_in_child,
            )

    @property
    def stranded(self) -> bool:
        """Whether this process has inherited an outbox in use, and so cannot use one.

        Some servers, such as uWSGI, fork without notice.
        """
        if os.getpid() != self._process:
            with self._lock:
                if os.getpid() != self._process:
                    self._begin()
        return self._stranded

    def notify(self, each: Forking) -> None:
        """Notify an object for as long as it exists."""
        self._notified.add(each)

    def check(self) -> None:
        """Raise OutboxError if this process is stranded."""
        if self.stranded:
            raise OutboxError(STRANDED)

    def _prepare(self) -> None:
        self._lock.acquire()
        for each in list(self._notified):
            self._prepared.append(each)
            each.before_fork()

    def _go_on(self) -> None:
        while self._prepared:
            self._prepared.pop().after_fork()
        self._lock.release()

    def _go_on_in_child(self) -> None:
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        for each in self._notified:
            if each in self._prepared or not each.is_open():
                each.after_fork_in_child()
        self._prepared.clear()
        self._stranded = any(each.is_open() for each in self._notified)
        self._process = os.getpid()


FORKS = Forks()
