"""Runs what may hang in a thread of its own, so that nobody need wait for its end."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def run_aside(function: Callable[[], T], name: str) -> Future[T]:
    """Run a function in a daemon thread, so that a process can exit while it hangs."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, name=name, daemon=True).start()
    return future
