"""Deduplicates reports of one shopper action from several sources: captures and calls."""

from neuralens_tracker.vocabulary import PREFIX

# Reports of the same event on the same product within this many seconds are one act.
SAME_ACT_SECONDS = 2
# The sources of a report: a view capture, an interaction capture, one that was confirmed, a call of
# the page, one of the GA4 bridge.
VIEW = "view"
ACT = "act"
CONFIRMED = "confirmed"
CALL = "call"
GA4 = "ga4"


class Act:
    """An act: when it was first reported, during which gesture, and by which sources."""

    def __init__(self, time: float, gesture: int, sources: list[str]) -> None:
        self.time = time
        self.gesture = gesture
        self.sources = sources


class Acts:
    """Remembers recent acts and recognizes duplicate reports of them.

    Each press of a pointer or key begins a gesture. Two sources that report the same event report
    one act. A second report from the same source is a new act, except that an interaction capture
    needs a new gesture for it.
    """

    def __init__(self) -> None:
        self._gesture = 0
        # The recent acts by PREFIX, event and ids, oldest first.
        self._acts: dict[str, list[Act]] = {}

    def begin_gesture(self) -> None:
        """Begin a gesture: the shopper has pressed a pointer or a key."""
        self._gesture += 1

    def undo_gesture(self) -> None:
        """Undo the last gesture: the second press of a double click is not a separate act."""
        self._gesture -= 1

    def admit(self, event: str, ids: list[str], source: str, now: float) -> bool:
        """Record a report; return False if it duplicates an act that was already reported.

        ``source`` is one of those above; ``now`` is in seconds.
        """
        key = PREFIX + event + "\n" + "\n".join(ids)
        recent = [act for act in self._acts.get(key) or [] if now - act.time <= SAME_ACT_SECONDS]
        for act in recent:
            if source not in act.sources:
                act.sources.append(source)
                return False
        if source == ACT and len(recent) > 0 and recent[-1].gesture == self._gesture:
            return False
        recent.append(Act(now, self._gesture, [source]))
        self._acts[key] = recent
        return True
