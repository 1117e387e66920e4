"""Faults that a test asks the sandbox for: how a request is to go wrong instead of right."""

from collections import deque
from typing import Any

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One way to go wrong, for the next ``times`` requests.

    Exactly one outcome, or none where only a delay is wanted:

    ``status``: answer with this HTTP status, 400 to 599 (and ``Retry-After: retry_after``);
    ``failure``: answer 200 with ``{"status": "failure", "message": failure}``;
    ``hang``: never answer; ``drop``: close the connection in the middle of the answer.

    ``delay``: seconds to wait first. ``taken``: the event is checked and entered in the ledger
    before it goes wrong, as when only the answer is lost. ``item``: only requests whose first
    item has this id; the others are left alone.
    """

    status: int | None = None
    failure: str | None = None
    hang: bool = False
    drop: bool = False
    delay: float = 0
    retry_after: int | str | None = None
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
    def answers(self) -> bool:
        """Whether the request ends here, instead of only being held up."""
        return self.status is not None or self.failure is not None or self.hang or self.drop


class Faults:
    """The faults still to come, in order."""

    def __init__(self) -> None:
        self._pending: deque[Fault] = deque()

    def pending(self) -> list[Fault]:
        """Return the faults not used up yet; ``times`` says how often each is still to come."""
        return list(self._pending)

    def add(self, raw: bytes) -> None:
        """Append the faults in a JSON text: a list of them, or one.

        Raises ``msgspec.ValidationError`` or ``msgspec.DecodeError``, saying what is wrong.
        """
        given: list[Fault] | Fault = msgspec.json.decode(raw, type=list[Fault] | Fault)
        self._pending.extend(given if isinstance(given, list) else [given])

    def clear(self) -> None:
        """Let everything go right again."""
        self._pending.clear()

    def take(self, event: dict[str, Any] | None) -> Fault | None:
        """Return the fault this request is to meet and count it; None when it goes right.

        ``event`` is the parsed body, None when it could not be parsed.
        """
        for place, fault in enumerate(self._pending):
            if fault.item is not None and fault.item != first_id(event):
                continue
            if fault.times == 1:
                del self._pending[place]
            else:
                self._pending[place] = msgspec.structs.replace(fault, times=fault.times - 1)
            return fault
        return None


def first_id(event: dict[str, Any] | None) -> object:
    """Return ``items[0].id`` of an event that need not be a right one; None if there is none."""
    items = event.get("items") if event is not None else None
    if isinstance(items, list) and items and isinstance(items[0], dict):
        return items[0].get("id")
    return None
