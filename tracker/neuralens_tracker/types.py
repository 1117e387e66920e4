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


class Context(Protocol):
    """What holds for items that say nothing themselves."""

    def page(self) -> str | None:
        """Return the page, or None."""

    def query(self) -> str | None:
        """Return the query, or None."""


class Store(Protocol):
    """Values by key that outlive the page, where the browser lets them; nothing raises."""

    def read(self, key: str) -> str | None:
        """Return the text kept under key, or None."""

    def write(self, key: str, text: str) -> bool:
        """Keep text under key and tell whether it is really there."""

    def load(self, key: str) -> Any:
        """Return the value whose JSON is kept under key; None where there is none."""

    def save(self, key: str, value: Any) -> bool:
        """Keep a value as JSON under key and tell whether it is really there."""

    def erase(self, key: str) -> None:
        """Forget what is under key."""

    def names(self, start: str) -> list[str]:
        """Return the keys that begin with start."""


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Return the Unix time in seconds."""


class Tabs(Protocol):
    """The tabs of a site that share its storage: which of them are alive."""

    def hold(self, tab: str) -> None:
        """Be alive under this name."""

    def release(self) -> None:
        """Be gone."""

    def when_gone(self, tab: str, act: Callable[[str], None]) -> None:
        """Call ``act(tab)`` if no tab of that name lives."""


class Sender(Clock, Protocol):
    """The way to the relay, with clock, timers and randomness."""

    def random(self) -> float:
        """Return a random number from 0 below 1."""

    def wait(self, milliseconds: float, handler: Callable[[], None]) -> None:
        """Call handler once, later."""

    def send(
        self,
        batch: Batch,
        as_beacon: bool,
        as_json: bool,
        leaving: bool,
        report: Callable[[int, str], None],
    ) -> None:
        """Post a batch; ``report`` is called with the answer's status, or 0 if it stays unknown.

        Its second argument is the ``error`` that only the relay itself writes, otherwise "".
        """

    def resolve(self, batch_id: str, status: int) -> None:
        """Tell of the fate of a batch that was sent here."""

    def read_confirmed(self) -> list[str]:
        """Return the ids of the batches that the relay says it took."""

    def erase_confirmed(self) -> None:
        """Forget those."""
