"""Records when batches were sent and when they reached the relay, for the inspector.

The API's requests have no event ids. Therefore events are matched by their content, and equal
events in the order in which they were sent.
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

# Fields of events in the tracker's hook that the API does not have.
SOURCES = ("rankSource", "querySource")

log = logging.getLogger(__name__)


class Transit(msgspec.Struct, frozen=True):
    """When the batch of an event was sent and received; Unix times in seconds.

    ``sent`` is by the browser's clock, None if unknown; ``arrived`` is when the relay received it;
    ``batch_size`` is the number of events in the batch.
    """

    sent: float | None
    arrived: float
    batch_size: int


class TransitLog:
    """The transits of events that were not looked up yet, and of those that were."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._waiting: OrderedDict[bytes, deque[Transit]] = OrderedDict()
        self._found: OrderedDict[int, Transit | None] = OrderedDict()
        self._reported: OrderedDict[bytes, dict[str, str]] = OrderedDict()
        self._sources: OrderedDict[int, dict[str, str]] = OrderedDict()
        self._capacity = capacity

    def record(self, raw: bytes, arrived: float) -> None:
        """Record the events of a batch; an invalid one is ignored, as the relay refuses it."""
        try:
            batch = msgspec.json.decode(raw)
            events = [event for event in batch["events"] if isinstance(event, dict)]
            sent = batch.get("sent")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, KeyError):
            log.debug("not a batch: nothing to record")
            return
        sent = float(sent) if isinstance(sent, int | float) else None
        for event in events:
            transit = Transit(sent, arrived, len(events))
            self._waiting.setdefault(fingerprint(event), deque(maxlen=64)).append(transit)
        truncate(self._waiting, self._capacity)

    def find(self, sequence: int, event: Mapping[str, object]) -> Transit | None:
        """Return the transit of the event with a sequence in the sandbox's ledger."""
        if sequence not in self._found:
            key = fingerprint(event)
            waiting = self._waiting.get(key)
            self._found[sequence] = waiting.popleft() if waiting else None
            if not waiting:
                self._waiting.pop(key, None)
            truncate(self._found, self._capacity)
        return self._found[sequence]

    def record_sources(self, raw: bytes) -> None:
        """Record the sources of an event's rank and query, from the tracker's hook."""
        try:
            event = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            log.debug("not an event: nothing to record")
            return
        sources = {name: event[name] for name in SOURCES if isinstance(event.get(name), str)}
        self._reported[fingerprint(event)] = sources
        truncate(self._reported, self._capacity)

    def sources(self, sequence: int, event: Mapping[str, object]) -> Mapping[str, str]:
        """Return the sources of the event with a sequence in the sandbox's ledger."""
        if sequence not in self._sources:
            self._sources[sequence] = self._reported.pop(fingerprint(event), {})
            truncate(self._sources, self._capacity)
        return self._sources[sequence]


def truncate(known: OrderedDict[Any, Any], capacity: int) -> None:
    """Remove the oldest entries beyond a capacity."""
    while len(known) > capacity:
        known.popitem(last=False)


def fingerprint(event: Mapping[str, object]) -> bytes:
    """Return an event's content in a form that is equal before and after the relay."""
    content = {field: event.get(field) for field in RULES if event.get(field) is not None}
    return msgspec.json.encode(content, order="sorted")


class TransitRecorder:
    """ASGI middleware that records each batch for the relay."""

    def __init__(
        self, app: ASGIApp, transits: TransitLog, clock: Callable[[], float] = time
    ) -> None:
        self._app = app
        self._transits = transits
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward all requests unchanged."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        raw = bytearray()

        async def receive_and_record() -> Message:
            message = await receive()
            if message["type"] == "http.request" and len(raw) <= MAX_BATCH_BYTES:
                raw.extend(message.get("body", b""))
                if not message.get("more_body", False) and len(raw) <= MAX_BATCH_BYTES:
                    self._transits.record(bytes(raw), self._clock())
            return message

        await self._app(scope, receive_and_record, send)
