"""Where events pass on their way: noted as batches go by on their way into the relay.

The API is told nothing of this: what identifies an event stays at the relay. So an event is
recognised by what it says, and of two that say the same the first to leave is the first to arrive.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from time import time
from typing import Any

import msgspec
from neuralens_tracker.vocabulary import MAX_BATCH_BYTES
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neuralens_demo.contract import RULES

# Fields of the tracker's hook that the API has not.
SOURCES = ("rankSource", "querySource")

log = logging.getLogger(__name__)


class Waypoint(msgspec.Struct, frozen=True):
    """One event's way so far: Unix times in seconds, by the browser's and the server's clock.

    ``sent``: its batch left the browser (None where that did not say); ``arrived``: it reached the
    relay; ``together``: how many events its batch held.
    """

    sent: float | None
    arrived: float
    together: int


class Waypoints:
    """What is known of events that have not been looked up yet, and of those that have."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._waiting: OrderedDict[bytes, deque[Waypoint]] = OrderedDict()
        self._found: OrderedDict[int, Waypoint | None] = OrderedDict()
        self._reported: OrderedDict[bytes, dict[str, str]] = OrderedDict()
        self._sources: OrderedDict[int, dict[str, str]] = OrderedDict()
        self._capacity = capacity

    def note(self, raw: bytes, arrived: float) -> None:
        """Note the events of a batch; what is no batch is the relay's to refuse."""
        try:
            batch = msgspec.json.decode(raw)
            events = [event for event in batch["events"] if isinstance(event, dict)]
            sent = batch.get("sent")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, KeyError):
            log.debug("not a batch: nothing to note")
            return
        sent = float(sent) if isinstance(sent, int | float) else None
        for event in events:
            waypoint = Waypoint(sent, arrived, len(events))
            self._waiting.setdefault(recognise(event), deque(maxlen=64)).append(waypoint)
        shorten(self._waiting, self._capacity)

    def find(self, sequence: int, event: Mapping[str, Any]) -> Waypoint | None:
        """Return the way of the event that the sandbox took as number ``sequence``."""
        if sequence not in self._found:
            key = recognise(event)
            waiting = self._waiting.get(key)
            self._found[sequence] = waiting.popleft() if waiting else None
            if not waiting:
                self._waiting.pop(key, None)
            shorten(self._found, self._capacity)
        return self._found[sequence]

    def note_sources(self, raw: bytes) -> None:
        """Note what a page was told of an event beside what the API is told: where it is from."""
        try:
            event = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            log.debug("not an event: nothing to note")
            return
        said = {name: event[name] for name in SOURCES if isinstance(event.get(name), str)}
        self._reported[recognise(event)] = said
        shorten(self._reported, self._capacity)

    def sources(self, sequence: int, event: Mapping[str, Any]) -> Mapping[str, str]:
        """Return where the event that the sandbox took as number ``sequence`` is from."""
        if sequence not in self._sources:
            self._sources[sequence] = self._reported.pop(recognise(event), {})
            shorten(self._sources, self._capacity)
        return self._sources[sequence]


def shorten(known: OrderedDict[Any, Any], capacity: int) -> None:
    """Forget the oldest beyond a number."""
    while len(known) > capacity:
        known.popitem(last=False)


def recognise(event: Mapping[str, Any]) -> bytes:
    """Return what an event says, the same before and after the relay."""
    said = {field: event.get(field) for field in RULES if event.get(field) is not None}
    return msgspec.json.encode(said, order="sorted")


class Watched:
    """An ASGI application, the relay, with a look at each batch that goes into it."""

    def __init__(
        self, app: ASGIApp, waypoints: Waypoints, clock: Callable[[], float] = time
    ) -> None:
        self._app = app
        self._waypoints = waypoints
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, unchanged."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        raw = bytearray()

        async def receive_and_look() -> Message:
            message = await receive()
            if message["type"] == "http.request" and len(raw) <= MAX_BATCH_BYTES:
                raw.extend(message.get("body", b""))
                if not message.get("more_body", False) and len(raw) <= MAX_BATCH_BYTES:
                    self._waypoints.note(bytes(raw), self._clock())
            return message

        await self._app(scope, receive_and_look, send)
