"""Reads and performs the actions of controls, such as ``data-nl-action="add-to-cart"``."""

from collections.abc import Callable

from neuralens_tracker.attributes import ACTION, CONFIRM
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.markup import SWITCHED_ON, Item, find_busy
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import COUNT, read
from neuralens_tracker.vocabulary import ACTIONS
from neuralens_tracker.web.dom import attribute, closest, is_connected, matches
from neuralens_tracker.web.platform import now

# Milliseconds until an unconfirmed action is dropped, if ``data-nl-confirm`` has no value.
CONFIRM_MS = 10000


class Action:
    """What activating a control does, as it was when it was pressed.

    ``event`` is its event, ``item`` what that applies to, in the context ``fields``; None: it does
    nothing. ``patience`` is within how many milliseconds the shop confirms it; 0: without
    confirmation.
    """

    def __init__(
        self, control: JSObject, event: str, item: Item | None, fields: Fields, patience: int
    ) -> None:
        self.control = control
        self.event = event
        self.item = item
        self.fields = fields
        self.patience = patience


def has_responded(action: Action) -> bool:
    """Return whether the page has acted on the press of a control, without a click."""
    control = action.control
    return not is_connected(control) or matches(control, SWITCHED_ON) or find_busy(control)


class Actions:
    """The actions of a page's controls and forms. Calls ``emit(event, item, fields)``."""

    def __init__(
        self,
        items: Items,
        confirmations: Confirmations,
        emit: Callable[[str, Item, Fields], None],
    ) -> None:
        self._items = items
        self._confirmations = confirmations
        self._emit = emit

    def read(self, control: JSObject) -> Action:
        """Read what activating a control, or submitting a form, does at the moment."""
        item = self._items.read_subject(control)
        holder = closest(control, "[" + CONFIRM + "]")
        return Action(
            control,
            ACTIONS[attribute(control, ACTION)] if item else "",
            item,
            self._items.context(item) if item else {},
            (read(COUNT, attribute(holder, CONFIRM)) or CONFIRM_MS) if holder else 0,
        )

    def perform(self, action: Action) -> None:
        """Emit an action, or hold it until the shop confirms it; only once for each press."""
        item = action.item
        action.item = None
        if item:
            if action.patience:
                until = now() + action.patience / 1000
                self._confirmations.hold(action.event, item.id, action.fields, until)
            else:
                self._emit(action.event, item, action.fields)
