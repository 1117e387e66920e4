"""Holds actions inside ``data-nl-confirm`` until the shop confirms that they succeeded."""

from neuralens_tracker.types import Fields


class PendingAction:
    """An unconfirmed action on an item, with its context; ``deadline`` is in Unix seconds."""

    def __init__(self, event: str, item_id: str, fields: Fields, deadline: float) -> None:
        self.event = event
        self.item_id = item_id
        self.fields = fields
        self.deadline = deadline


class Confirmations:
    """The pending actions, oldest first."""

    def __init__(self) -> None:
        self._held: list[PendingAction] = []

    def hold(self, event: str, item_id: str, fields: Fields, deadline: float) -> None:
        """Hold an action, with its context, until a deadline in Unix seconds."""
        self._held.append(PendingAction(event, item_id, fields, deadline))

    def take(self, event: object, item_id: object, now: float) -> Fields | None:
        """Remove the oldest matching action and return its context; None if there is none."""
        found: PendingAction | None = None
        held: list[PendingAction] = []
        for action in self._held:
            if action.deadline >= now:
                if found is None and action.event == event and action.item_id == item_id:
                    found = action
                else:
                    held.append(action)
        self._held = held
        return None if found is None else found.fields
