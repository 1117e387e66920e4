"""Prepares a process that has an outbox for forks.

A child must not inherit an outbox in use: SQLite would believe that it holds the locks of its
parent, and wait for them forever, or go on writing to a log that others have deleted.
"""

import os
import threading
from typing import Protocol
from weakref import WeakSet


class Forking(Protocol):
    """What prepares itself for forks. Each method is called in the thread that forks."""

    def before_fork(self) -> None:
        """Stop using the outbox until one of the other methods is called."""

    def after_fork(self) -> None:
        """Go on, in the parent."""

    def after_fork_in_child(self) -> None:
        """Go on in the child, without what is the parent's.

        Some servers, such as uWSGI, fork without notice: then ``before_fork`` was not called.
        """


class Forks:
    """Notifies of the forks of this process."""

    def __init__(self) -> None:
        self._notified: WeakSet[Forking] = WeakSet()
        self._prepared: list[Forking] = []
        # One fork at a time.
        self._lock = threading.Lock()
        # Windows has no forks.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._prepare, after_in_parent=self._go_on, after_in_child=self._begin_child
            )

    def notify(self, each: Forking) -> None:
        """Notify an object for as long as it exists."""
        self._notified.add(each)

    def _prepare(self) -> None:
        self._lock.acquire()
        for each in list(self._notified):
            self._prepared.append(each)
            each.before_fork()

    def _go_on(self) -> None:
        while self._prepared:
            self._prepared.pop().after_fork()
        self._lock.release()

    def _begin_child(self) -> None:
        self._lock = threading.Lock()
        self._prepared.clear()
        for each in self._notified:
            each.after_fork_in_child()


FORKS = Forks()
