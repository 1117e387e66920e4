"""``POST events``: takes batches from pages."""

import asyncio
import logging
import math
import time
from collections.abc import Mapping

from neuralens_tracker.vocabulary import MAX_BATCH_BYTES
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from neuralens_relay.acknowledgement import acknowledge
from neuralens_relay.batch import Batch, BatchError, Rejection, read_batch, sort_events
from neuralens_relay.origins import refuse
from neuralens_relay.outbox import OutboxError, OutboxFullError
from neuralens_relay.rate import RateLimit
from neuralens_relay.relay import Relay
from neuralens_relay.responses import as_json, explain_error

MEDIA_TYPES = ("text/plain", "application/json")
# Of a body that is too large, so much is read and thrown away: a client that is still sending
# when the connection is closed never sees the answer.
MAX_DRAINED = 1 << 20
BODY_TIMEOUT = 10
# Seconds to wait before the next try when the outbox cannot be written, or is full.
RETRY_BROKEN = 10
RETRY_FULL = 60
# The same when the body did not arrive.
RETRY_SLOW = 1
PREFLIGHT_AGE = 86400
# Otherwise the server would go on to read, and throw away, what is still to come.
CLOSING = {"Connection": "close"}

log = logging.getLogger(__name__)


class Intake:
    """The endpoints for pages, over one relay."""

    def __init__(self, relay: Relay, limit: RateLimit) -> None:
        self._relay = relay
        self._limit = limit

    async def take_batch(self, request: Request) -> Response:
        """Take a batch.

        202 with ``{"accepted", "duplicates", "rejected": [{"eid", "reason"}]}`` once all that is
        counted is on disk. Otherwise ``{"error": reason}`` with 400 (no batch), 403 (origin), 413
        (over MAX_BATCH_BYTES), 415 (media type), 429 or 503 (later, see Retry-After). A body that
        does not arrive in time is for later too: nothing is known to be wrong with it. Never 408:
        browsers repeat a beacon on it by themselves.
        """
        try:
            self._check_origin(request)
            response = await self._take(request)
        except HTTPException as error:
            response = explain_error(error)
        if response.status_code != 403:
            share(request, response)
        self._relay.metrics.batches.labels(str(response.status_code)).inc()
        return response

    async def answer_preflight(self, request: Request) -> Response:
        """Allow pages of the allowed origins to send JSON."""
        try:
            self._check_origin(request)
        except HTTPException as error:
            return explain_error(error)
        response = Response(status_code=204)
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_AGE)
        share(request, response)
        return response

    def _check_origin(self, request: Request) -> None:
        allowed = self._relay.settings.allowed_origins
        host = request.headers.get("Host", "")
        reason = refuse(request.headers.get("Origin"), host, allowed)
        if reason:
            raise HTTPException(403, reason, {"Vary": "Origin"})

    async def _take(self, request: Request) -> Response:
        client = request.client.host if request.client else ""
        wait = self._limit.take(client)
        if wait > 0:
            raise later(429, "too many batches from this address", math.ceil(wait))
        check_media_type(request)
        received = time.time()
        body = await read_body(request)
        try:
            batch = read_batch(body)
        except BatchError as error:
            raise HTTPException(400, str(error)) from error
        if batch.app != self._relay.settings.application_id:
            raise HTTPException(400, "app is not the application that this relay serves")
        return await self._keep(request, batch, received)

    async def _keep(self, request: Request, batch: Batch, received: float) -> Response:
        events, rejected = sort_events(batch, received)
        try:
            fresh = await self._relay.add(events)
        except OutboxFullError as error:
            raise later(503, "the outbox is full", RETRY_FULL) from error
        except OutboxError as error:
            log.error("%s", error)
            raise later(503, "the outbox cannot be written", RETRY_BROKEN) from error
        self._count(batch, fresh, rejected)
        receipt = {
            "accepted": fresh.count(True),
            "duplicates": fresh.count(False),
            "rejected": [{"eid": wrong.eid, "reason": wrong.reason} for wrong in rejected],
        }
        response = as_json(receipt, 202)
        acknowledge(request, response, batch.batch)
        return response

    def _count(self, batch: Batch, fresh: list[bool], rejected: list[Rejection]) -> None:
        metrics = self._relay.metrics
        metrics.received.inc(len(batch.events))
        metrics.accepted.inc(fresh.count(True))
        metrics.duplicates.inc(fresh.count(False))
        metrics.rejected.inc(len(rejected))
        # A batch with duplicates is sent again: what it lost was counted the first time.
        if False not in fresh:
            metrics.lost.inc(batch.lost)


def share(request: Request, response: Response) -> None:
    """Let the page that sent the request read the answer, if it is of another origin."""
    origin = request.headers.get("Origin")
    response.headers.append("Vary", "Origin")
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"


def later(
    status: int, reason: str, seconds: int, headers: Mapping[str, str] | None = None
) -> HTTPException:
    """Return a refusal that asks to come back."""
    return HTTPException(status, reason, {"Retry-After": str(seconds), **(headers or {})})


def check_media_type(request: Request) -> None:
    """Raise HTTPException (415) unless the body says to be plain or JSON text in UTF-8."""
    media_type, _, parameters = request.headers.get("Content-Type", "").lower().partition(";")
    charset = parameters.strip().replace('"', "").removeprefix("charset=")
    if media_type.strip() not in MEDIA_TYPES or charset not in ("", "utf-8"):
        raise HTTPException(415, f"Content-Type must be {' or '.join(MEDIA_TYPES)}, in UTF-8")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise HTTPException(415, "Content-Encoding must be identity")


async def read_body(request: Request) -> bytes:
    """Return the request's body, read no further than it may be long; raise HTTPException."""
    body = bytearray()
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MAX_BATCH_BYTES:
                    body += chunk
                elif size > MAX_DRAINED:
                    break
    except TimeoutError:
        raise later(503, "the body took too long to arrive", RETRY_SLOW, CLOSING) from None
    except ClientDisconnect:
        raise later(503, "the body did not arrive whole", RETRY_SLOW) from None
    if size > MAX_BATCH_BYTES:
        raise HTTPException(413, f"the body is over {MAX_BATCH_BYTES} bytes", CLOSING)
    return bytes(body)
