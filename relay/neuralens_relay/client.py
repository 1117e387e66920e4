"""Tracks events from the shop's own server: above all purchases, which a browser may lose.

    from neuralens_relay import Client

    client = Client()
    client.track("PURCHASE", ids=["AV768", "B2"], order="O-1", uid="3845")
    await client.track_async("PURCHASE", ids=["AV768", "B2"], order="O-1", uid="3845")

The PURCHASE of an order is deduplicated between page and server, because both derive its id from
the order (``neuralens_tracker.orders``). So a failed call can be retried.
"""

import asyncio
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from contextlib import closing, suppress
from typing import Any, Protocol, TypedDict
from urllib.parse import quote, urlsplit
from uuid import uuid4

import msgspec
from neuralens_embed.attributes import plain
from neuralens_tracker.orders import name_purchase
from neuralens_tracker.value_types import TEXT, read, requirement
from neuralens_tracker.vocabulary import ACCEPTED, MAX_TEXT, PURCHASE, WIRE_VERSION

from neuralens_relay.batch import Batch, make_report, validate_events
from neuralens_relay.daemon_threads import run_in_daemon_thread
from neuralens_relay.forks import FORKS
from neuralens_relay.greenlets import check_queues
from neuralens_relay.opening import Opener, explain_silence
from neuralens_relay.outbox import CLOSING, WRITE_TIMEOUT, Outbox
from neuralens_relay.outbox_url import describe_place, store_opener
from neuralens_relay.settings import (
    OutboxSettings,
    SettingsError,
    read_address,
    read_text,
    read_variable,
    variable,
)
from neuralens_relay.store import OutboxError, Store

URL = variable("relay_url")
SECRET = variable("client_secret")
APPLICATION = variable("application_id")
CONNECTIONS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
# Bytes of a response that are read.
MAX_ANSWER = 65536

# A batch's receipt, and an event before validation.
Receipt = dict[str, Any]
WireEvent = dict[str, object]


class WireRejection(TypedDict):
    """What a receipt says of an event that was rejected."""

    eid: str | None
    reason: str


class WireReceipt(TypedDict):
    """A receipt as it arrives from a relay."""

    accepted: int
    duplicates: int
    rejected: list[WireRejection]


class Refusal(TypedDict):
    """Why a relay refuses a batch."""

    error: str


class EventError(ValueError):
    """The event is invalid and was rejected; the message is that of the relay's validator."""


class ClientError(Exception):
    """The event may not have arrived; the message says why. It can be retried, see ``eid``."""


class Carrier(Protocol):
    """Delivers one event to an outbox and returns the receipt of its batch."""

    def deliver(self, event: WireEvent) -> Receipt:
        """Block until the event is on disk; raises ClientError."""

    async def deliver_async(self, event: WireEvent) -> Receipt:
        """Do the same without blocking the event loop."""

    def close(self) -> None:
        """Close files and connections."""


class Client:
    """Tracks events from a shop's server, from any thread or event loop.

    With a relay's URL (``url``, such as "https://shop.example/nl", or NEURALENS_RELAY_URL) events
    are posted to it, authorized by the secret that both have in NEURALENS_CLIENT_SECRET. Otherwise
    they are written to the outbox (``outbox`` or NEURALENS_OUTBOX) from which a relay forwards.
    Nothing is opened before the first event. Raises SettingsError for a missing or invalid
    setting. ``environment``: the variables, by default those of the process.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        secret: str | None = None,
        application_id: str | None = None,
        outbox: str | None = None,
        timeout: float = 5.0,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Default to the environment's settings. ``timeout`` is for the relay, in seconds."""
        url = url or ("" if outbox else read_variable("relay_url", environment))
        application_id = application_id or read_variable("application_id", environment)
        self._carrier: Carrier
        if url:
            secret = secret or read_variable("client_secret", environment)
            self._carrier = HttpCarrier(url, secret, application_id, timeout)
        else:
            changes = {"NEURALENS_OUTBOX": outbox} if outbox else {}
            settings = OutboxSettings.from_environment({**environment, **changes})
            self._carrier = OutboxCarrier(settings, application_id)

    def track(self, event: str, **fields: Any) -> Receipt:
        """Track an event and block until it is on disk.

        ``fields`` are those of ``make_event``. Returns the relay's receipt for a batch of one:
        ``{"accepted", "duplicates", "rejected"}``, the last of which is empty. Raises EventError if
        the event is invalid, and ClientError if it may not have arrived.
        """
        return check(self._carrier.deliver(make_event(event, **fields)))

    async def track_async(self, event: str, **fields: Any) -> Receipt:
        """Do the same in an event loop."""
        return check(await self._carrier.deliver_async(make_event(event, **fields)))

    def close(self) -> None:
        """Close files and connections."""
        self._carrier.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make_event(
    name: str,
    *,
    id: object = None,  # noqa: A002 - as in the page's call
    ids: Iterable[object] | None = None,
    order: object = None,
    uid: object = None,
    query: str | None = None,
    page: str | None = None,
    index: int | None = None,
    geo: dict[str, object] | None = None,
    timestamp: float | None = None,
    eid: str | None = None,
) -> WireEvent:
    """Return an event in its wire format; what is not checked here, the relay's validator checks.

    ``id`` or ``ids``: the items. ``order``: the order number of a PURCHASE. These and ``uid`` may
    be anything with a plain text, such as a UUID. ``timestamp``: Unix time, by default now.
    ``eid``: your own id, by which retries are deduplicated; not with ``order``, which determines
    it. Raises EventError.
    """
    if isinstance(ids, str):
        raise EventError("ids must be a list; a single one is given by id")
    given = ([] if id is None else [id]) if ids is None else ids
    texts = [as_text("ids", each) for each in given]
    if order is not None:
        if name != PURCHASE or eid is not None:
            raise EventError(f"order goes with {PURCHASE}, and without an eid")
        eid = name_purchase(as_text("order", order), texts)
    moment = time.time() if timestamp is None else timestamp
    if not isinstance(moment, int | float):
        raise EventError("timestamp must be Unix time in seconds")
    return {
        "eid": eid or str(uuid4()),
        "uid": None if uid is None else as_text("uid", uid),
        "items": [{"id": text} for text in texts],
        "event": name,
        "timestamp": int(moment),
        "query": query or None,
        "page": page,
        "index": index,
        "geo": geo,
    }


def as_text(name: str, value: object) -> str:
    """Return a value's text without surrounding spaces; raises EventError if it has none."""
    text: str | None = read(TEXT, (plain(value) or "").strip())
    if text is None:
        raise EventError(f"{requirement(name, TEXT)} of 1 to {MAX_TEXT} characters")
    return text


def check(receipt: Receipt) -> Receipt:
    """Return a receipt; raise EventError if the event was rejected."""
    for rejection in receipt["rejected"]:
        raise EventError(rejection["reason"])
    return receipt


class OutboxCarrier:
    """Writes to the outbox directly, from any process.

    It is closed before a fork, and opened again by the next event.
    """

    def __init__(self, settings: OutboxSettings, application_id: str) -> None:
        """Raise SettingsError if the settings name no outbox."""
        self._outbox: Outbox | None = None
        self._place = describe_place(settings.outbox)
        self._opener = Opener(store_opener(settings, application_id), self._place)
        self._application_id = application_id
        # Guards the outbox; held during a fork.
        self._opening = threading.Lock()
        FORKS.notify(self)

    def __del__(self) -> None:
        """Close the outbox of a client that nobody has closed, as one for each request."""
        if self._outbox is not None and not FORKS.stranded:
            self._outbox.release()

    def deliver(self, event: WireEvent) -> Receipt:
        """See Carrier."""
        add, receipt = prepare(event, self._application_id)
        deadline = time.monotonic() + WRITE_TIMEOUT
        try:
            future = self._submit(add)
            fresh = future.result(max(0.0, deadline - time.monotonic()))
        except OutboxError as error:
            raise ClientError(str(error)) from error
        except TimeoutError:
            future.cancel()
            raise ClientError(explain_silence(self._place, WRITE_TIMEOUT)) from None
        return receipt | count(fresh)

    async def deliver_async(self, event: WireEvent) -> Receipt:
        """See Carrier."""
        add, receipt = prepare(event, self._application_id)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                fresh = await asyncio.wrap_future(await asyncio.to_thread(self._submit, add))
        except OutboxError as error:
            raise ClientError(str(error)) from error
        except TimeoutError:
            raise ClientError(explain_silence(self._place, WRITE_TIMEOUT)) from None
        return receipt | count(fresh)

    def close(self) -> None:
        """See Carrier."""
        if FORKS.stranded:
            # The outbox is the parent's.
            return
        with self._opening:
            self._opener.abandon()
            self._close()

    def is_open(self) -> bool:
        """See Forking."""
        return self._outbox is not None or self._opener.is_busy

    def before_fork(self) -> None:
        """See Forking."""
        self._opening.acquire()
        self._opener.abandon(CLOSING)
        self._close()

    def after_fork(self) -> None:
        """See Forking."""
        self._opening.release()

    def after_fork_in_child(self) -> None:
        """See Forking."""
        self._opening = threading.Lock()

    def _close(self) -> None:
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            outbox.close()

    def _submit(self, operation: Callable[[Store], list[bool]]) -> Future[list[bool]]:
        """Queue an operation, opening the outbox if necessary; raises OutboxError."""
        FORKS.check()
        check_queues()
        asked = time.monotonic()
        with self._opening:
            if self._outbox is None:
                self._outbox = self._opener.open(asked, WRITE_TIMEOUT)
            return self._outbox.submit(operation)


def prepare(event: WireEvent, application_id: str) -> tuple[Callable[[Store], list[bool]], Receipt]:
    """Return the operation that stores an event, and the receipt as far as it is known."""
    now = time.time()
    batch = Batch(v=WIRE_VERSION, app=application_id, batch="", sent=now, events=[event])
    valid, rejected = validate_events(batch, now)
    report = make_report(batch, valid, rejected)
    receipt = {"rejected": [{"eid": each.eid, "reason": each.reason} for each in rejected]}
    return lambda store: store.add(valid, now, report), receipt


def check_event(event: str, **fields: Any) -> Receipt:
    """Check an event as ``Client.track`` does, but deliver nothing, for disabled tracking."""
    _, receipt = prepare(make_event(event, **fields), "")
    return check(receipt | count([]))


def count(fresh: list[bool]) -> Receipt:
    """Return the counts of a receipt."""
    return {"accepted": fresh.count(True), "duplicates": fresh.count(False)}


class HttpCarrier:
    """Posts to a relay, as a page does, but authorized by the secret."""

    def __init__(self, url: str, secret: str, application_id: str, timeout: float) -> None:
        """Raise SettingsError if a setting is missing or invalid."""
        try:
            read_address(url)
        except ValueError as error:
            reason = f"{URL} must be a relay's URL such as https://shop.example/nl"
            raise SettingsError(reason) from error
        if not secret:
            raise SettingsError(f"{SECRET} is not set: it must be the same as the relay's")
        try:
            read_text(secret)
        except ValueError as error:
            raise SettingsError(f"{SECRET} {error}") from error
        if not application_id:
            raise SettingsError(f"{APPLICATION} is not set: it must be the same as the relay's")
        self._address = urlsplit(url)
        self._application_id = application_id
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}

    def deliver(self, event: WireEvent) -> Receipt:
        """See Carrier."""
        envelope = {
            "v": WIRE_VERSION,
            "app": self._application_id,
            "batch": str(uuid4()),
            "sent": time.time(),
            "events": [event],
        }
        status, content = self._post(json.dumps(envelope).encode())
        try:
            if status == ACCEPTED:
                return dict(msgspec.json.decode(content, type=WireReceipt))
            reason = msgspec.json.decode(content, type=Refusal)["error"]
        except ValueError:
            # Something in between answered.
            reason = "not a response of it"
        raise ClientError(f"the relay answered {status}: {reason}")

    async def deliver_async(self, event: WireEvent) -> Receipt:
        """See Carrier."""
        return await asyncio.to_thread(self.deliver, event)

    def close(self) -> None:
        """See Carrier. There is nothing to close: each event uses its own connection."""

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Post a body, without following redirects, which would send the secret elsewhere."""
        host, port = self._address.hostname or "", self._address.port
        connection = CONNECTIONS[self._address.scheme](host, port, timeout=self._timeout)
        path = quote(f"{self._address.path.rstrip('/')}/events", safe="/%")

        def post() -> tuple[int, bytes]:
            with closing(connection):
                connection.request("POST", path, body, self._headers)
                answer = connection.getresponse()
                return answer.status, answer.read(MAX_ANSWER)

        # The connection's own timeout is for each address of the host, and each part that arrives.
        posting = run_in_daemon_thread(post, "client")
        if not wait([posting], self._timeout).done:
            if connection.sock is not None:
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
            raise ClientError(f"the relay at {host} has not responded for {self._timeout:g} s")
        try:
            return posting.result()
        except (OSError, http.client.HTTPException) as error:
            raise ClientError(f"the relay at {host} cannot be reached: {error}") from error
