"""A log that says each thing once in a while, and how often it happened meanwhile."""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass

# Seconds between two lines about the same thing.
INTERVAL = 60.0
# Things told apart; more of them share one line.
MAX_KINDS = 100
REST = object()


@dataclass
class Notice:
    """When a thing was last said, and how often it was passed over since."""

    said: float
    omitted: int = 0


class Notices:
    """Writes to a log at most one line a minute about each thing.

    ``clock`` gives seconds that never go back. May be used from several threads: what two of
    them say at once may then stand there twice.
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._notices: dict[Hashable, Notice] = {}

    def say(self, level: int, kind: Hashable, message: str, *values: object) -> None:
        """Write a line about ``kind``, unless there was one lately; ``values`` as in logging."""
        self._say(level, kind, message, values, trace=False)

    def exception(self, kind: Hashable, message: str, *values: object) -> None:
        """Write an error with the exception being handled, unless there was one lately."""
        self._say(logging.ERROR, kind, message, values, trace=True)

    def _say(
        self, level: int, kind: Hashable, message: str, values: tuple[object, ...], trace: bool
    ) -> None:
        if kind not in self._notices and len(self._notices) >= MAX_KINDS:
            kind = REST
        now = self._clock()
        notice = self._notices.get(kind)
        if notice is not None and now - notice.said < INTERVAL:
            notice.omitted += 1
            return
        self._notices[kind] = Notice(now)
        if notice is not None and notice.omitted:
            message += " (and %d times more since it was last said)"
            values = (*values, notice.omitted)
        self._log.log(level, message, *values, exc_info=trace)
