"""The health of a relay: whether it can accept and forward events, and if not, why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from neuralens_relay.breaker import State
from neuralens_relay.store import Depth

# Reasons of dead letters that are listed.
MAX_NAMED = 5
# Seconds for which a refusal of a batch is listed.
REFUSALS_LISTED = 600.0


class Refusals:
    """Why batches of pages were refused lately. ``clock`` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # By kind, of which there are few: when and why a batch was last refused.
        self._last: dict[str, tuple[float, str]] = {}

    def add(self, kind: str, reason: str) -> None:
        """Record a refusal; of a kind only the last reason is kept."""
        self._last[kind] = (self._clock(), reason)

    def recent(self) -> list[str]:
        """Return the reasons of the last REFUSALS_LISTED seconds."""
        since = self._clock() - REFUSALS_LISTED
        return [reason for at, reason in self._last.copy().values() if at > since]


@dataclass(frozen=True, kw_only=True)
class Health:
    """The state of a relay at ``now`` (Unix time).

    ``depth``: that of the outbox, None if it cannot be read. ``fault``: why the outbox cannot be
    read, or why the last write to it failed; "" otherwise. ``state`` and ``reason``: whether events
    are forwarded, and if not, why. ``limit`` and ``in_flight``: requests to the API. ``written``,
    ``leased`` and ``delivered``: Unix time when events last were, or None. ``refused``: dead
    letters by reason, of which those from before the start are the latest 1,000. ``refusals``: why
    batches of pages were refused lately.
    """

    now: float
    depth: Depth | None
    fault: str
    state: State
    reason: str
    limit: int
    in_flight: int
    written: float | None
    leased: float | None
    delivered: float | None
    refused: Mapping[str, int]
    refusals: Sequence[str]

    @property
    def ready(self) -> bool:
        """Whether events are accepted."""
        return self.depth is not None and not self.fault and not self.depth.refusal

    @property
    def last(self) -> dict[str, float | None]:
        """Unix time of the last write, lease and delivery, by their public names."""
        return {"write": self.written, "take": self.leased, "delivery": self.delivered}

    @property
    def reasons(self) -> list[str]:
        """All current problems, in sentences."""
        refusal = self.depth.refusal if self.depth is not None else ""
        # Often one and the same.
        reasons = [reason for reason in dict.fromkeys((self.fault, refusal)) if reason]
        if self.state is not State.RUNNING:
            reasons.append(f"forwarding is {self.state.value}: {self.reason}")
        if self.depth is not None and self.depth.dead:
            reasons.append(self._describe_dead(self.depth.dead))
        if self.depth is not None and self.depth.dropped:
            reasons.append(f"{self.depth.dropped} dead letters were deleted: too old or too many")
        reasons += [f"batches were refused: {reason}" for reason in self.refusals]
        return reasons

    def _describe_dead(self, count: int) -> str:
        text = f"{count} dead letter{'' if count == 1 else 's'}"
        named = sorted(self.refused.items(), key=lambda item: -item[1])[:MAX_NAMED]
        if named:
            text += ": " + "; ".join(f"{times} x {reason}" for reason, times in named)
        return text

    def as_json(self) -> dict[str, object]:
        """Return the JSON object of ``GET health``."""
        depth = self.depth
        return {
            "live": True,
            "ready": self.ready,
            "forwarding": self.state.value,
            "reasons": self.reasons,
            "waiting": depth.waiting if depth else None,
            "dead": depth.dead if depth else None,
            "in_flight": self.in_flight,
            "limit": self.limit,
            **{f"last_{what}": moment for what, moment in self.last.items()},
        }
