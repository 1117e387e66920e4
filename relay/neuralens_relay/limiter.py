"""An adaptive limit of the requests in flight to the API.

The limit is updated once per round, which is about as many responses as the limit. It doubles until
the first failures or slowdown, and then grows by its square root. It shrinks in proportion to
failures and to the increase in latency. Sources: TCP's slow start (RFC 5681), and the gradient
limit of Netflix's concurrency-limits.
"""

from math import inf, sqrt

# The initial limit.
START = 32
# The fewest responses of a round, so that a single slow one does not matter.
MIN_ROUND = 5
# The quantile of response times that represents a round: a slow API delays all responses, a busy
# machine of our own only some.
PART = 0.25
# The API is slow beyond TOLERANCE times its baseline latency plus ALLOWANCE seconds.
TOLERANCE = 2.0
ALLOWANCE = 0.1
# The smallest factor by which one round reduces the limit.
SHARPEST = 0.5
# The rate of failures that stops growth; below it, single events keep failing.
RESISTANCE = 0.1
# Slowness alone reduces the limit no further, so that a permanently slow API still gets traffic.
SLOW_LIMIT = 8
# Rounds after which the baseline latency is measured again.
EPOCH = 32
# Rounds of the measurement, at a fraction (1/MEASURED_PART) of the limit, which drains the API's
# queue; the first round still contains older requests.
MEASURED = 2
MEASURED_PART = 4


class Limiter:
    """A limit from 1 to ``most`` that adapts to the API."""

    def __init__(self, most: int) -> None:
        """``most``: the upper bound of the limit."""
        self._most = most
        self._limit = float(min(most, START))
        self._starting = True
        # Seconds of the quickest round in this epoch, and in the one before.
        self._quickest = inf
        self._before = inf
        self._rounds = 0
        # Whether the last round reached the limit.
        self._full = False
        # This round: response times in seconds, failures, and whether the limit was reached.
        self._seconds: list[float] = []
        self._failed = 0
        self._reached = False

    @property
    def limit(self) -> int:
        """The requests that may currently be in flight."""
        measuring = self._rounds >= EPOCH and self._full
        return max(1, int(self._limit / MEASURED_PART if measuring else self._limit))

    def record(self, seconds: float, failed: bool, in_flight: int) -> None:
        """Record a response, or its absence.

        ``seconds``: how long it took; ``failed``: the API did not handle the event, for reasons
        other than the event itself; ``in_flight``: the number of requests at that time.
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
        # Failures may be quick, so they do not count for the baseline.
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
        """Update the limit; ``gradient`` is the tolerable latency divided by the measured one."""
        if share >= RESISTANCE or gradient < 1:
            self._starting = False
        if gradient < 1 and self._limit > SLOW_LIMIT:
            self._limit = max(SLOW_LIMIT, self._limit * max(SHARPEST, gradient))
        self._limit *= max(SHARPEST, 1 - share)
        if self._reached and share < RESISTANCE and gradient >= 1:
            self._limit += self._limit if self._starting else sqrt(self._limit)
        self._limit = min(float(self._most), max(1.0, self._limit))
