"""Types of the seams, for people and type checkers: no bundle holds this module.

The build leaves out its imports, as it does those of ``typing``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from neuralens_tracker.capture.items import Item

# An object of the browser's own, such as an element, an event or a function of the page, or None.
# To Python it is opaque: only ``web.ffi`` reads it.
JSObject: TypeAlias = Any
# A function of the page's own.
JSFunction: TypeAlias = Any

# What a JSON text stands for.
Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
# An event on its way, whose fields ``events.find_fault`` checks, and the fields of a call.
Event: TypeAlias = dict[str, Any]
Fields: TypeAlias = dict[str, Any]
# A batch, as it goes over the wire.
Batch: TypeAlias = dict[str, Any]
# The settings by name, as ``settings.resolve`` returns them.
Settings: TypeAlias = dict[str, Any]

# What a value must be: a text that says so, or the words that are allowed.
ValueType: TypeAlias = str | tuple[str, ...] | list[str]

Say: TypeAlias = Callable[[str], None]
# ``emit(event, item, key)`` tells of an item; the key deduplicates.
Emit: TypeAlias = Callable[[str, "Item", str], None]
# ``complain(element, attribute, value_type)`` tells of an attribute that is wrong.
Complain: TypeAlias = Callable[[JSObject, str, ValueType], None]


class Store(Protocol):
    """Texts by key that outlive the page, where the browser lets them; nothing raises."""

    def read(self, key: str) -> str | None:
        """Return the text kept under key, or None."""

    def write(self, key: str, text: str) -> bool:
        """Keep text under key and tell whether it is really there."""

    def erase(self, key: str) -> None:
        """Forget what is under key."""

    def names(self, start: str) -> list[str]:
        """Return the keys that begin with start."""


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Return the Unix time in seconds."""


class Sender(Clock, Protocol):
    """The way to the relay, with clock, timers and randomness."""

    def random(self) -> float:
        """Return a random number from 0 below 1."""

    def wait(self, milliseconds: float, handler: Callable[[], None]) -> None:
        """Call handler once, later."""

    def send(self, batch: Batch, as_beacon: bool, report: Callable[[int], None]) -> None:
        """Post a batch; ``report`` is called with the answer's status, or 0 if it stays unknown."""
