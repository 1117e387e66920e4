"""One act of the shopper is one event, whatever tells of it: a capture, a call, another script."""

from typing import Any

from neuralens_tracker.vocabulary import PREFIX

# Seconds in which what is told of the same event on the same product is the same act.
SAME_ACT_SECONDS = 2
# Who tells of an event.
VIEW = "view"
ACT = "act"
CALL = "call"


class Act:
    """What was told lately: its gesture, and who has told of it."""

    def __init__(self, key: str, time: float, gesture: int, sources: list[str]) -> None:
        self.key = key
        self.time = time
        self.gesture = gesture
        self.sources = sources


class Acts:
    """Tells what an act is told by for the first time from what repeats it.

    A gesture is what a shopper does with hand or keyboard: each press begins one. Every source
    tells of an act at most once; a capture tells of the same thing again only after another
    gesture. What the shop says by a call is its own word, each time.
    """

    def __init__(self) -> None:
        self._gesture = 0
        # Oldest first.
        self._told: list[Act] = []

    def begin_gesture(self) -> None:
        """Note that a shopper has pressed a button, a finger or a key."""
        self._gesture += 1

    def undo_gesture(self) -> None:
        """Take the last press back: the second of a double click is no act of its own."""
        self._gesture -= 1

    def is_repeated(self, event: str, ids: list[str], source: str, now: float) -> bool:
        """Tell whether an event on items repeats an act of which another word was told.

        ``source`` names who tells: of views, several may be told at once. ``now`` is in seconds.
        """
        key = PREFIX + event + "\n" + "\n".join(ids)
        self._told = [told for told in self._told if now - told.time <= SAME_ACT_SECONDS]
        latest: Any = None
        for act in self._told:
            if act.key == key:
                if source not in act.sources:
                    act.sources.append(source)
                    return True
                latest = act
        if latest is not None and latest.gesture == self._gesture and source == ACT:
            return True
        self._told.append(Act(key, now, self._gesture, [source]))
        return False
