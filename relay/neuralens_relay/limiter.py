"""How many requests may be in flight: as many as the API takes without slowing down or refusing.

The limit moves once a round, which is about as many answers as the limit allows requests. It
doubles until the API first resists, and grows by its square root after that. It shrinks by the
share of sends that failed, and by how much slower than usual the API has become. Sources: TCP's
slow start (RFC 5681), and the gradient limit of Netflix's concurrency-limits.
"""

from math import inf, sqrt

# Requests in flight before anything is known of the API.
START = 32
# Answers of a round at least: one slow answer among them is no sign.
MIN_ROUND = 5
# The time of a round is that below which this part of its answers is: an API that slows does so
# for all, and a machine that has other things to do for some.
PART = 0.25
# An API is slow beyond this multiple of its usual time, and so many seconds.
TOLERANCE = 2.0
ALLOWANCE = 0.1
# The most that one round takes away.
SHARPEST = 0.5
# A share of failed sends that stops growth; fewer are single events that always fail.
RESISTANCE = 0.1
# An API that is only slow gets so many requests all the same, or it would not be known when it
# is slow for good.
SLOW_LIMIT = 8
# Rounds after which what is usual is measured anew.
EPOCH = 32
# Rounds of the measurement, at a part of the limit at which nothing of an API's queue is left; the
# first still sees what was sent before it.
MEASURED = 2
MEASURED_PART = 4


class Limiter:
    """A limit from 1 to ``most`` that follows what the API does."""

    def __init__(self, most: int) -> None:
        """``most``: requests in flight at most, whatever the API does."""
        self._most = most
        self._limit = float(min(most, START))
        self._starting = True
        # Seconds of the quickest round: of this epoch, and of the one before.
        self._quickest = inf
        self._before = inf
        self._rounds = 0
        # Whether the last round used all that was allowed.
        self._full = False
        # Of this round: seconds of each answer, failures, whether all that is allowed was used.
        self._seconds: list[float] = []
        self._failed = 0
        self._reached = False

    @property
    def limit(self) -> int:
        """The requests that may be in flight now."""
        measuring = self._rounds >= EPOCH and self._full
        return max(1, int(self._limit / MEASURED_PART if measuring else self._limit))

    def note(self, seconds: float, failed: bool, in_flight: int) -> None:
        """Note an answer, or that there was none.

        ``seconds``: the time it took; ``failed``: the API did not deal with the event, for
        reasons that are not the event's; ``in_flight``: requests that were in flight with it.
        """
        self._seconds.append(seconds)
        self._failed += failed
        self._reached = self._reached or in_flight >= self.limit
        if len(self._seconds) >= max(MIN_ROUND, self.limit):
            self._end_round()

    def _end_round(self) -> None:
        usual = min(self._quickest, self._before)
        took = sorted(self._seconds)[int(len(self._seconds) * PART)]
        share = self._failed / len(self._seconds)
        # A refusal is quick and says nothing of the time that the work takes.
        if share < RESISTANCE:
            self._quickest = min(self._quickest, took)
        if self._rounds < EPOCH:
            self._move(share, (TOLERANCE * usual + ALLOWANCE) / took if took > 0 else inf)
        self._full = self._reached
        self._seconds, self._failed, self._reached = [], 0, False
        self._rounds += 1
        if self._rounds >= EPOCH + (MEASURED if self._full else 0):
            self._rounds = 0
            self._before, self._quickest = self._quickest, inf

    def _move(self, share: float, gradient: float) -> None:
        """Change the limit; ``gradient``: what time is in order, as a multiple of that taken."""
        if share >= RESISTANCE or gradient < 1:
            self._starting = False
        if gradient < 1 and self._limit > SLOW_LIMIT:
            self._limit = max(SLOW_LIMIT, self._limit * max(SHARPEST, gradient))
        self._limit *= max(SHARPEST, 1 - share)
        if self._reached and share < RESISTANCE and gradient >= 1:
            self._limit += self._limit if self._starting else sqrt(self._limit)
        self._limit = min(float(self._most), max(1.0, self._limit))
