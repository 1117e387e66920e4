"""Faults that tests inject into the sandbox's responses."""

from collections import deque

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A fault of the next ``times`` requests.

    It has exactly one outcome, or only a delay:

    ``status``: respond with this HTTP status, 400 to 599 (and ``Retry-After: retry_after``);
    ``failure``: respond with 200 and ``{"status": "failure", "message": failure}``;
    ``hang``: never respond; ``drop``: close the connection in the middle of the response.

    ``delay``: seconds to wait first. ``accepted``: the event is nevertheless validated and added to
    the ledger, as if only the response were lost; ``taken``, its name in 0.1.0, does the same.
    ``item``: only for requests whose first item has this id.
    """

    status: int | None = None
    failure: str | None = None
    hang: bool = False
    drop: bool = False
    delay: float = 0
    retry_after: int | str | None = None
    accepted: bool = False
    taken: bool = False
    item: str | None = None
    times: int = 1

    def __post_init__(self) -> None:
        outcomes = [
            self.status is not None,
            self.failure is not None,
            self.hang,
            self.drop,
        ].count(True)
        if outcomes > 1:
            raise ValueError("give one of status, failure, hang and drop")
        if outcomes == 0 and self.delay == 0:
            raise ValueError("give status, failure, hang, drop or delay")
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError("status must be from 400 to 599")
        if not 0 <= self.delay <= 3600:
            raise ValueError("delay must be from 0 to 3600 seconds")
        if not 1 <= self.times <= 1_000_000:
            raise ValueError("times must be from 1 to 1000000")
        if isinstance(self.retry_after, str) and not self.retry_after.isprintable():
            raise ValueError("retry_after must be seconds or an HTTP date")

    @property
    def ends_request(self) -> bool:
        """Whether the fault replaces the normal response, instead of only delaying it."""
        return self.status is not None or self.failure is not None or self.hang or self.drop


class Faults:
    """The pending faults, in order."""

    def __init__(self) -> None:
        self._pending: deque[Fault] = deque()

    def pending(self) -> list[Fault]:
        """Return the pending faults; ``times`` is the number of remaining requests."""
        return list(self._pending)

    def add(self, raw: bytes) -> None:
        """Append a fault, or a list of them, from JSON.

        Raises ``msgspec.ValidationError`` or ``msgspec.DecodeError``.
        """
        added: list[Fault] | Fault = msgspec.json.decode(raw, type=list[Fault] | Fault)
        self._pending.extend(added if isinstance(added, list) else [added])

    def clear(self) -> None:
        """Remove all faults."""
        self._pending.clear()

    def next_for(self, event: dict[str, object] | None) -> Fault | None:
        """Return the fault for a request, and decrement its number of requests; None if none.

        ``event`` is the parsed body, None if it could not be parsed.
        """
        for index, fault in enumerate(self._pending):
            if fault.item is not None and fault.item != first_id(event):
                continue
            if fault.times == 1:
                del self._pending[index]
            else:
                self._pending[index] = msgspec.structs.replace(fault, times=fault.times - 1)
            return fault
        return None


def first_id(event: dict[str, object] | None) -> object:
    """Return ``items[0].id`` of an event that may be invalid, or None."""
    items = event.get("items") if event is not None else None
    if isinstance(items, list) and items and isinstance(items[0], dict):
        return items[0].get("id")
    return None
