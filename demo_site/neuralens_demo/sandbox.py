"""A stand-in for the event tracking API, which validates requests as the API's documentation does.

=========================  ===================================================================
``POST /analytics/event``  the API. Accepted: 200 ``{"status": "success", "message": ""}``. Refused:
                           401 or 403 for the headers, 400 for a body that is not a JSON object, 413
                           for one that is too large, 422 for its fields; all with
                           ``{"status": "failure", "message": reason}``
``GET /ledger``            accepted events, oldest first: a JSON list of ``{"sequence", "received",
                           "headers", "body"}``, see ``neuralens_demo.ledger.Entry``
``DELETE /ledger``         clears the ledger and the refusals: 204
``GET /refusals``          refused requests, oldest first: a JSON list of ``{"sequence", "received",
                           "status", "reason", "body"}``, see ``neuralens_demo.ledger.Refusal``
``GET /ledger/stream``     the ledger as server-sent events, first the existing entries and then
                           each new one: ``entry`` with one of them as JSON, ``cleared`` after a
                           DELETE; the id of an event is its sequence, so that clients can resume
``POST /faults``           injects faults, a list of ``neuralens_demo.faults.Fault``, into the next
                           requests, in order: 200 with the list of all pending faults
``GET /faults``            pending faults
``DELETE /faults``         removes them: 204
=========================  ===================================================================
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from time import time

import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from neuralens_demo.contract import PATH, ContractError, check_body, check_headers, parse
from neuralens_demo.faults import Fault, Faults
from neuralens_demo.ledger import Ledger
from neuralens_demo.local_only import LocalOnly

# Far more than the largest event a relay could send: its batches end at 48 KiB.
MAX_BODY_BYTES = 1 << 20

log = logging.getLogger(__name__)


def create_app(
    key: str,
    application: str,
    ledger: Ledger | None = None,
    clock: Callable[[], float] = time,
) -> Starlette:
    """Return the sandbox as an ASGI application.

    ``key`` and ``application`` are the expected values of the two headers. Before a server shuts
    down, it must call ``ledger.close()``, which ends streams and hanging requests.
    """
    if not key or not application:
        raise ValueError("the sandbox needs a key and an application id, and neither may be empty")
    endpoints = Sandbox(key, application, ledger or Ledger(), clock)
    app = Starlette(
        routes=[
            Route(PATH, endpoints.receive_event, methods=["POST"]),
            Route("/ledger", endpoints.list_ledger, methods=["GET"]),
            Route("/ledger", endpoints.clear_ledger, methods=["DELETE"]),
            Route("/refusals", endpoints.list_refusals, methods=["GET"]),
            Route("/ledger/stream", endpoints.stream_ledger, methods=["GET"]),
            Route("/faults", endpoints.list_faults, methods=["GET"]),
            Route("/faults", endpoints.add_faults, methods=["POST"]),
            Route("/faults", endpoints.clear_faults, methods=["DELETE"]),
        ],
        middleware=[Middleware(LocalOnly)],
        exception_handlers={
            HTTPException: respond_to_http_error,
            ContractError: respond_to_contract_error,
        },
    )
    app.router.redirect_slashes = False
    return app


class Sandbox:
    """The endpoints, over one ledger and one list of faults."""

    def __init__(
        self, key: str, application: str, ledger: Ledger, clock: Callable[[], float]
    ) -> None:
        self._key = key
        self._application = application
        self._ledger = ledger
        self._faults = Faults()
        self._clock = clock

    async def receive_event(self, request: Request) -> Response:
        """Validate an event and add it to the ledger, unless there is a pending fault."""
        raw = await self._read(request)
        fault = self._faults.next_for(parse_leniently(raw))
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.ends_request:
                if fault.accepted or fault.taken:
                    self._accept(request, raw)
                return self._fail(fault)
        self._accept(request, raw)
        return respond(200, "")

    def _accept(self, request: Request, raw: bytes) -> None:
        try:
            check_headers(request.headers, self._key, self._application)
            event = parse(raw)
            check_body(event)
        except ContractError as error:
            self._refuse(error, parse_leniently(raw))
            raise
        self._ledger.add(event, self._clock(), sorted(set(request.headers.keys())))

    def _refuse(self, error: ContractError, body: dict[str, object] | None) -> None:
        self._ledger.refuse(self._clock(), error.status, error.reason, body)

    async def _read(self, request: Request) -> bytes:
        try:
            return await read_body(request)
        except ContractError as error:
            self._refuse(error, None)
            raise

    def _fail(self, fault: Fault) -> Response:
        if fault.hang:
            return NoResponse(self._ledger.closed)
        if fault.drop:
            return TruncatedResponse()
        if fault.failure is not None:
            return respond(200, fault.failure, failed=True)
        response = respond(fault.status or 500, "an injected fault")
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response

    async def list_ledger(self, request: Request) -> Response:
        """List the accepted events."""
        return as_json(self._ledger.entries())

    async def list_refusals(self, request: Request) -> Response:
        """List the refused requests."""
        return as_json(self._ledger.refusals())

    async def clear_ledger(self, request: Request) -> Response:
        """Clear the ledger and the refusals."""
        self._ledger.clear()
        return Response(status_code=204)

    async def stream_ledger(self, request: Request) -> Response:
        """Stream the existing entries, and then each new one."""
        last = request.headers.get("Last-Event-ID", "0")
        if not (last.isascii() and last.isdigit() and len(last) < 16):
            raise HTTPException(400, "Last-Event-ID must be the sequence of an entry")
        return EventSourceResponse(self._messages(int(last)))

    async def _messages(self, after: int) -> AsyncIterator[ServerSentEvent]:
        async for entries in self._ledger.follow(after):
            if entries is None:
                yield ServerSentEvent("{}", event="cleared")
                continue
            for entry in entries:
                data = msgspec.json.encode(entry).decode()
                yield ServerSentEvent(data, event="entry", id=str(entry.sequence))

    async def list_faults(self, request: Request) -> Response:
        """List the pending faults."""
        return as_json(self._faults.pending())

    async def add_faults(self, request: Request) -> Response:
        """Add faults to the pending ones."""
        try:
            self._faults.add(await read_body(request))
        except msgspec.MsgspecError as error:
            raise HTTPException(400, str(error)) from error
        return as_json(self._faults.pending())

    async def clear_faults(self, request: Request) -> Response:
        """Remove the pending faults."""
        self._faults.clear()
        return Response(status_code=204)


class NoResponse(Response):
    """Sends nothing, until the client disconnects or the sandbox shuts down."""

    def __init__(self, ended: asyncio.Event) -> None:
        super().__init__()
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait without sending anything."""
        waits = {
            asyncio.ensure_future(self._ended.wait()),
            asyncio.ensure_future(wait_for_disconnect(receive)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


class TruncatedResponse(Response):
    """A response without its announced body, upon which the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers alone."""
        head = [(b"content-type", b"application/json"), (b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": head})


async def wait_for_disconnect(receive: Receive) -> None:
    """Return once the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(request: Request) -> bytes:
    """Return the request's body; raise ``ContractError`` (413) if it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ContractError(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return bytes(body)


def parse_leniently(raw: bytes) -> dict[str, object] | None:
    """Return the JSON object in ``raw``, or None."""
    try:
        return parse(raw)
    except ContractError:
        return None


def respond(status: int, message: str, failed: bool = False) -> Response:
    """Return the documented response; a failure if ``failed`` or for an error status."""
    outcome = "failure" if failed or status >= 400 else "success"
    return as_json({"status": outcome, "message": message}, status)


def as_json(value: object, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def respond_to_contract_error(request: Request, error: Exception) -> Response:
    """Return the documented response to an invalid request."""
    assert isinstance(error, ContractError)  # noqa: S101 - registered for this class alone
    log.warning("refused an event: %s", error.reason)
    return respond(error.status, error.reason)


async def respond_to_http_error(request: Request, error: Exception) -> Response:
    """Respond to a wrong path, method or argument in the documented form."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    response = respond(error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response
