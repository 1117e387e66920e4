"""Throttled logging: each kind of message at most once a minute, with a count of the rest."""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass

# Seconds between two messages of a kind.
INTERVAL = 60.0
# Further kinds are throttled together.
MAX_KINDS = 100
REST = object()


@dataclass
class Notice:
    """When a kind was last logged, and how many messages were suppressed since."""

    logged: float
    suppressed: int = 0


class Notices:
    """A throttled logger.

    ``clock`` returns monotonic seconds. May be used from several threads, in which case concurrent
    messages of a kind may both be logged.
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._notices: dict[Hashable, Notice] = {}

    def log(self, level: int, kind: Hashable, message: str, *values: object) -> None:
        """Log a message of a kind, unless throttled; ``values`` as in logging."""
        self._write(level, kind, message, values, trace=False)

    def exception(self, kind: Hashable, message: str, *values: object) -> None:
        """Log an error with the exception being handled, unless throttled."""
        self._write(logging.ERROR, kind, message, values, trace=True)

    def _write(
        self, level: int, kind: Hashable, message: str, values: tuple[object, ...], trace: bool
    ) -> None:
        if kind not in self._notices and len(self._notices) >= MAX_KINDS:
            kind = REST
        now = self._clock()
        notice = self._notices.get(kind)
        if notice is not None and now - notice.logged < INTERVAL:
            notice.suppressed += 1
            return
        self._notices[kind] = Notice(now)
        if notice is not None and notice.suppressed:
            message += " (%d similar messages suppressed)"
            values = (*values, notice.suppressed)
        self._log.log(level, message, *values, exc_info=trace)
