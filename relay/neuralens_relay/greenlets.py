"""Refuses greenlets in place of threads, which gevent and others patch in.

All greenlets run in one thread: no event loop can run in one of them beside that of another, and a
queue of real threads blocks all of them.
"""

import inspect
import queue
import threading

from neuralens_relay.store import OutboxError

# As it was when this module was imported.
SimpleQueue = queue.SimpleQueue

LATE = (
    "threads have been patched (gevent) after neuralens_relay was imported: patch them first"
    " (gunicorn: without --preload)"
)
GREENLETS = (
    "threads have been replaced by greenlets (gevent), in which the relay cannot forward: run it as"
    " a process of its own (neuralens-tracker relay), or use threads (gunicorn: -k gthread)"
)


def check_queues() -> None:
    """Raise OutboxError if queues have been replaced since this module was imported."""
    if queue.SimpleQueue is not SimpleQueue:
        raise OutboxError(LATE)


def check_threads() -> None:
    """Raise OutboxError if threads have been replaced by greenlets."""
    if not inspect.isbuiltin(threading.get_ident):
        raise OutboxError(GREENLETS)
