"""Actions that wait for the shop's word: it has added to the cart, or it could not."""

from typing import Any

from neuralens_tracker.types import Fields


class Waiting:
    """An action on an item, with its context, until a Unix time in seconds."""

    def __init__(self, event: str, item_id: str, fields: Fields, deadline: float) -> None:
        self.event = event
        self.item_id = item_id
        self.fields = fields
        self.deadline = deadline


class Confirmations:
    """Holds actions until they are confirmed, or their time is over."""

    def __init__(self) -> None:
        self._held: list[Waiting] = []

    def hold(self, event: str, item_id: str, fields: Fields, deadline: float) -> None:
        """Hold an action on an item, with its context, until a Unix time in seconds."""
        self._held.append(Waiting(event, item_id, fields, deadline))

    def take(self, event: Any, item_id: Any, now: float) -> Fields | None:
        """Return the context of the first such action that waits, and let go of it; else None."""
        found: Waiting | None = None
        held: list[Waiting] = []
        for action in self._held:
            if action.deadline >= now:
                if found is None and action.event == event and action.item_id == item_id:
                    found = action
                else:
                    held.append(action)
        self._held = held
        return None if found is None else found.fields
