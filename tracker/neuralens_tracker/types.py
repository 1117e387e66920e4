"""Type aliases and protocols between the tracker's modules.

No bundle contains this module: the build drops its imports, as it does those of ``typing``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
    from neuralens_tracker.capture.markup import Item

# A browser object, such as an element, an event or a function of the page, or None. It is opaque to
# Python: only ``web.ffi`` accesses it.
JSObject: TypeAlias = Any
# A function of the page.
JSFunction: TypeAlias = Any
# A value from the page, from storage or from the network, such as an attribute's: of any type until
# it is read, see ``value_types``.
Unchecked: TypeAlias = Any

# A decoded JSON value, such as a batch.
Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json] | Batch"
# An event, whose fields ``events.find_fault`` validates, and the fields of a call.
Event: TypeAlias = dict[str, Unchecked]
Fields: TypeAlias = dict[str, Unchecked]
# The type of a value, see ``value_types``.
ValueType: TypeAlias = str | tuple[str, ...] | list[str]

Report: TypeAlias = Callable[[str], None]
# ``on_outcome(status, error)`` of a batch: its HTTP status, 0 if that is unknown; the message of
# the relay's own error response, otherwise "".
OnOutcome: TypeAlias = Callable[[int, str], None]
# ``emit(item)`` reports that an item was seen: a view, landing or purchase.
Emit: TypeAlias = Callable[["Item"], None]
# ``report_invalid(element, attribute, value_type)`` reports an invalid attribute.
ReportInvalid: TypeAlias = Callable[[JSObject, str, ValueType], None]


class Settings(TypedDict):
    """The settings by name, as ``settings.resolve`` returns them; see ``settings.SETTINGS``."""

    appId: str
    endpoint: str
    uid: str | None
    page: str | None
    query: str | None
    consent: str
    respectGpc: bool
    viewMs: int
    suggestionMs: int
    geoDecimals: int | None
    attributionMs: int
    token: str | None
    debug: bool


class Batch(TypedDict):
    """A batch of events in its wire format; ``sent`` is in Unix seconds."""

    v: int
    app: str
    token: str | None
    batch: str
    sent: float
    journal: str
    # How many events were lost since the last report, and how many ever were, by reason.
    lost: int
    losses: dict[str, int]
    events: list[Event]


class LearnedConstraints(TypedDict):
    """What gets through to the relay, as learned on a ``day`` (of Unix time) and stored."""

    day: int
    # The most characters of a batch, and whether that is in doubt, see ``constraints.DOUBTFUL``.
    most: int
    doubt: NotRequired[int]
    # Whether batches are sent as JSON instead of text; and by fetch, because the outcome of a
    # beacon cannot be seen.
    json: bool
    blind: bool


class Context(Protocol):
    """The page and query of items whose markup names none."""

    def page(self) -> str | None:
        """Return the page, or None."""

    def query(self) -> str | None:
        """Return the query, or None."""


class Store(Protocol):
    """A persistent key-value store, which may be blocked or full; nothing raises."""

    def read(self, key: str) -> str | None:
        """Return the text stored under key, or None."""

    def write(self, key: str, text: str) -> bool:
        """Store text under key; return whether that succeeded."""

    def load(self, key: str) -> Unchecked:
        """Return the fields stored under key as JSON: none if they are missing or corrupt."""

    def save(self, key: str, value: object) -> bool:
        """Store a value as JSON under key; return whether that succeeded."""

    def erase(self, key: str) -> None:
        """Remove key."""

    def names(self, start: str) -> list[str]:
        """Return the keys with this prefix."""


class Clock(Protocol):
    """A clock."""

    def now(self) -> float:
        """Return the Unix time in seconds."""


class Tabs(Protocol):
    """Liveness of the tabs that share a site's storage."""

    def hold(self, tab: str) -> None:
        """Mark this tab as open under a name."""

    def release(self) -> None:
        """Mark this tab as closed."""

    def if_gone(self, tab: str, act: Callable[[str], None]) -> None:
        """Call ``act(tab)`` if no open tab has that name."""


class Sender(Clock, Protocol):
    """The transport to the relay, with clock, timers and randomness."""

    def random(self) -> float:
        """Return a random number in [0, 1)."""

    def wait(self, milliseconds: float, handler: Callable[[], None]) -> None:
        """Call handler once after a delay."""

    def send(
        self,
        batch: Batch,
        as_beacon: bool,
        as_json: bool,
        leaving: bool,
        on_outcome: OnOutcome,
    ) -> None:
        """Post a batch and call ``on_outcome`` once."""

    def resolve(self, batch_id: str, status: int) -> None:
        """Report the outcome of a batch that this page sent."""

    def read_acknowledged(self) -> list[str]:
        """Return the ids of the batches that the relay has acknowledged."""

    def erase_acknowledged(self) -> None:
        """Clear the acknowledgements."""
