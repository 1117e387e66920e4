"""Opens an outbox, which may take long, for callers that do not wait forever."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from math import inf
from time import monotonic

from neuralens_relay.daemon_threads import run_in_daemon_thread
from neuralens_relay.outbox import Outbox
from neuralens_relay.store import OutboxError, Store


def explain_silence(place: str, seconds: float) -> str:
    """Return the message for an outbox that has not responded for ``seconds``."""
    return (
        f"the outbox {place} has not responded for {seconds:g} s: check its disk, and what else"
        " writes to it"
    )


class Opener:
    """Opens an outbox, for one caller at a time: callers share a lock.

    An attempt takes as long as another process writes, or forever if the disk hangs. When a caller
    times out, so do those that were already waiting; later ones wait for the same attempt.
    """

    def __init__(self, open_store: Callable[[], Store], place: str) -> None:
        """``place`` names the outbox in errors."""
        self._open_store = open_store
        self._place = place
        self._attempt: Future[Store] | None = None
        # When an attempt last failed or timed out, and why.
        self._failed = -inf
        self._reason = ""

    @property
    def is_busy(self) -> bool:
        """Whether there is an attempt whose outcome no caller has received yet."""
        return self._attempt is not None

    def open(self, asked: float, patience: float | None = None) -> "Outbox":
        """Open it for a caller that asked at ``asked`` (monotonic seconds).

        Raises OutboxError, after ``patience`` seconds at the latest.
        """
        if asked < self._failed:
            raise OutboxError(self._reason)
        if self._attempt is None:
            self._attempt = run_in_daemon_thread(self._open_store, "opener")
        attempt = self._attempt
        try:
            if not wait([attempt], patience).done:
                raise OutboxError(explain_silence(self._place, patience or 0))
            self._attempt = None
            return Outbox(attempt.result())
        except OutboxError as error:
            self._failed, self._reason = monotonic(), str(error)
            raise

    def abandon(self, patience: float = 0.0) -> None:
        """Close what was opened for callers that no longer wait; wait ``patience`` seconds for it.

        An attempt that hangs longer remains.
        """
        attempt = self._attempt
        if attempt is not None and wait([attempt], patience).done:
            self._attempt = None
            if attempt.exception() is None:
                attempt.result().close()
