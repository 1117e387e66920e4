"""The endpoint ``POST events``: authorizes, limits, validates and stores batches from pages."""

import logging
import math
import re
import time

from neuralens_embed.page_tokens import Verdict, judge_token
from neuralens_tracker.vocabulary import ACCEPTED
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from neuralens_relay.access import is_secret, read_bearer
from neuralens_relay.acknowledgement import SEPARATOR, Acknowledgement
from neuralens_relay.balance import MAX_MISSING
from neuralens_relay.batch import (
    Batch,
    BatchError,
    Rejection,
    count_uids,
    divide,
    make_report,
    read_batch,
    reject_all,
    validate_event,
)
from neuralens_relay.notices import Notices
from neuralens_relay.origins import explain_refusal, is_allowed
from neuralens_relay.rate import RateLimit, Shares, cost, name_sender
from neuralens_relay.relay import Relay
from neuralens_relay.responses import as_json, explain_error, retry_later
from neuralens_relay.settings import variable
from neuralens_relay.store import Event, OutboxError, OutboxRefusalError, digest
from neuralens_relay.turns import Turn, Turns
from neuralens_relay.uploads import Uploads

MEDIA_TYPES = ("text/plain", "application/json")
UTF_8 = re.compile('charset="?utf-?8"?')
# Bytes of a body from which one sender's are also stored one after the other: many at once would
# delay those of others.
LARGE = 8192
# Retry-After in seconds: the outbox cannot be written, or accepts no events.
RETRY_BROKEN = 10
RETRY_FULL = 60
PREFLIGHT_AGE = 86400
# The burst, in seconds of the rate: browsers that were offline return with a backlog, and many of
# them may share one address.
BURST_SECONDS = 60
# Seconds for which the number of queued events is cached.
DEPTH_AGE = 1.0
# The reason for rejecting events, by the verdict on their page token.
NO_TOKEN = {
    Verdict.MISSING: "the page has no token: the snippet must be rendered by the shop's server",
    Verdict.FORGED: "the page's token is not signed with NEURALENS_PAGE_SECRET",
    Verdict.OLD: "the page's token is more than a week old, or a clock is wrong by as much",
}
GPC = "the shopper's browser sends Global Privacy Control"
# The tracker keeps events that are refused with "unknown": page, relay or proxy can be corrected.
OTHER_APPLICATION = (
    "unknown application: data-app-id on the page must equal the relay's NEURALENS_APPLICATION_ID"
)
OTHER_TYPE = (
    f"unknown Content-Type: it must be {' or '.join(MEDIA_TYPES)}, in UTF-8; a proxy may change it"
)
OTHER_ENCODING = "unknown Content-Encoding: it must be identity; a proxy may change it"

log = logging.getLogger(__name__)


class Intake:
    """The endpoints for pages."""

    def __init__(self, relay: Relay) -> None:
        settings = relay.settings
        burst = settings.rate_limit * BURST_SECONDS
        self._relay = relay
        self._settings = settings
        self._senders = RateLimit(settings.rate_limit, burst, time.monotonic)
        self._shoppers = RateLimit(settings.rate_limit, burst, time.monotonic)
        self._shares = Shares(settings.outbox_limit)
        self._counted = -DEPTH_AGE
        self._acknowledgement = Acknowledgement()
        self._notices = Notices(log, time.monotonic)
        self.uploads = Uploads(settings.pending_limit << 20)
        self._turns = Turns()

    async def take_batch(self, request: Request) -> Response:
        """Store a batch.

        202 with ``{"accepted", "duplicates", "rejected": [{"eid", "reason"}]}`` once the accepted
        events are on disk. Otherwise ``{"error": reason}`` with 400 (not a batch), 403 (origin),
        413 (over MAX_BATCH_BYTES), 415 (media type), 429 or 503 (retry, see Retry-After). A body
        that does not arrive in time is a 503 and never a 408, on which Chromium resends a beacon by
        itself.
        """
        try:
            self._check_origin(request)
            response = await self._handle(request)
        except HTTPException as error:
            self._log_refusal(error)
            response = explain_error(error)
        except Exception as error:
            # Nothing was acknowledged, so the page can retry.
            self._notices.exception(type(error).__name__, "unexpected error in a request")
            response = explain_error(retry_later(503, "the relay has a fault", RETRY_BROKEN))
        if response.status_code != 403:
            self._add_cors_headers(request, response)
        self._relay.metrics.batches.labels(str(response.status_code)).inc()
        # After the response: what is stored is acknowledged at once, even if reading is slow. After
        # refusals too: otherwise a sender that has used its share would be refused forever.
        response.background = BackgroundTask(self._note_depth)
        return response

    async def answer_preflight(self, request: Request) -> Response:
        """Respond to the CORS preflight of a batch in JSON."""
        try:
            self._check_origin(request)
        except HTTPException as error:
            return explain_error(error)
        response = Response(status_code=204)
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_AGE)
        self._add_cors_headers(request, response)
        return response

    def _check_origin(self, request: Request) -> None:
        allowed = self._settings.allowed_origins
        host = request.headers.get("Host", "")
        reason = explain_refusal(request.headers.get("Origin"), host, allowed)
        if reason:
            raise HTTPException(403, reason, {"Vary": "Origin"})

    def _is_allowed(self, request: Request) -> bool:
        allowed = self._settings.allowed_origins
        host = request.headers.get("Host", "")
        return is_allowed(request.headers.get("Origin"), host, allowed)

    def _add_cors_headers(self, request: Request, response: Response) -> None:
        """Add the CORS headers that let a page of another origin read the response.

        Credentials are only for origins that are listed, not for those that "*" lets in.
        """
        origin = request.headers.get("Origin")
        response.headers.append("Vary", "Origin")
        if origin is None:
            return
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        response.headers["Access-Control-Allow-Origin"] = "*"
        if self._is_allowed(request):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"

    async def _handle(self, request: Request) -> Response:
        sender = name_sender(request.client.host if request.client else "")
        by_server = holds_secret(request, self._settings.client_secret)
        if not by_server:
            self._check_limits(sender)
        check_media_type(request)
        received = time.time()
        async with self.uploads.receive(request, None if by_server else sender) as body:
            paid = cost(0, len(body))
            self._senders.charge(sender, paid)
            rate = 0 if by_server else self._settings.rate_limit
            async with self._turns.take(sender if rate > 0 else None) as turn:
                batch, events, rejected = await self._validate(body, received, turn)
                turn.stop()
                counted = cost(len(batch.events), len(body))
                if not by_server:
                    self._senders.charge(sender, counted - paid)
                    events, rejected = self._authorize(request, batch, events, rejected, received)
                # As parsed they take several times the memory that they take to store.
                batch.events.clear()
                store = self._store(request, batch, events, rejected, None if by_server else sender)
                if len(body) >= LARGE:
                    # No longer than the rate limit would have it wait without a burst.
                    return await turn.wait_for(store, counted / rate if rate else 0)
            return await store

    async def _validate(
        self, body: bytes, received: float, turn: Turn
    ) -> tuple[Batch, list[Event], list[Rejection]]:
        """Parse a body; return its batch, the valid events and the rejected ones."""
        try:
            batch = read_batch(body)
        except BatchError as error:
            raise HTTPException(400, str(error)) from error
        if batch.app != self._settings.application_id:
            raise HTTPException(400, OTHER_APPLICATION)
        found = []
        for given in batch.events:
            found.append(validate_event(given, batch.sent, received))
            await turn.yield_if_due()
        return batch, *divide(found)

    def _authorize(
        self,
        request: Request,
        batch: Batch,
        events: list[Event],
        rejected: list[Rejection],
        received: float,
    ) -> tuple[list[Event], list[Rejection]]:
        """Return what a page may send of a batch, and what is rejected; raise HTTPException."""
        self._charge_shoppers(batch)
        if self._settings.respect_gpc and request.headers.get("Sec-GPC") == "1":
            events, rejected = [], reject_all(batch, "privacy", GPC)
        verdict = self._verify_token(batch, received)
        if not verdict.shows_own_page:
            reason = NO_TOKEN[verdict]
            self._notices.log(logging.WARNING, verdict, "rejecting events: %s", reason)
            events, rejected = [], reject_all(batch, "token", reason)
        return events, rejected

    def _check_limits(self, sender: str) -> None:
        """Raise HTTPException (429) if a sender exceeds its limits."""
        wait = self._senders.wait(sender)
        if wait > 0:
            raise retry_later(429, "too many events from this address", math.ceil(wait))
        if not self._shares.allows(sender):
            raise retry_later(429, "this address has used its share of the outbox", RETRY_FULL)

    def _verify_token(self, batch: Batch, received: float) -> Verdict:
        """Verify and count the batch's page token; without a secret every page is valid."""
        secret = self._settings.page_secret
        if not secret:
            return Verdict.FRESH
        verdict = judge_token(secret, batch.app, batch.token, received)
        self._relay.metrics.tokens.labels(verdict.value).inc(len(batch.events))
        return verdict

    def _charge_shoppers(self, batch: Batch) -> None:
        """Raise HTTPException (429) if a uid, from any address, exceeds the rate limit."""
        counts = {digest(uid).hex(): count for uid, count in count_uids(batch).items()}
        wait = max((self._shoppers.wait(uid) for uid in counts), default=0)
        if wait > 0:
            raise retry_later(429, "too many events of one uid", math.ceil(wait))
        for uid, count in counts.items():
            self._shoppers.charge(uid, count)

    async def _store(
        self,
        request: Request,
        batch: Batch,
        events: list[Event],
        rejected: list[Rejection],
        sender: str | None,
    ) -> Response:
        try:
            report = make_report(batch, events, rejected)
            fresh = await self._relay.add(events, report)
        except OutboxRefusalError as error:
            # Why concerns only operators.
            self._notices.log(logging.ERROR, "outbox", "%s", error)
            raise retry_later(503, "the outbox accepts no events now", RETRY_FULL) from error
        except OutboxError as error:
            self._notices.log(logging.ERROR, "outbox", "%s", error)
            raise retry_later(503, "the outbox cannot be written", RETRY_BROKEN) from error
        if sender is not None:
            self._shares.note_added(sender, fresh.count(True))
        self._count(batch, fresh, rejected)
        receipt: dict[str, object] = {
            "accepted": fresh.count(True),
            "duplicates": fresh.count(False),
            "rejected": [{"eid": wrong.eid, "reason": wrong.reason} for wrong in rejected],
        }
        recent = self._acknowledgement.remember(batch)
        if batch.journal and len(recent) > 1:
            # For browsers, and behind proxies, that drop the cookie.
            receipt["recent"] = SEPARATOR.join(recent)
        response = as_json(receipt, ACCEPTED)
        if request.headers.get("Origin") is None or self._is_allowed(request):
            self._acknowledgement.set_cookie(request, response, recent)
        return response

    async def _note_depth(self) -> None:
        """Refresh the number of queued events, if it is outdated and can be read."""
        now = time.monotonic()
        if now - self._counted < DEPTH_AGE:
            return
        self._counted = now
        try:
            depth = await self._relay.depth()
        except OutboxError as error:
            self._notices.log(logging.WARNING, "depth", "%s", error)
        else:
            self._shares.note_waiting(depth.waiting)

    def _count(self, batch: Batch, fresh: list[bool], rejected: list[Rejection]) -> None:
        metrics = self._relay.metrics
        metrics.received.inc(len(fresh) + len(rejected))
        metrics.accepted.inc(fresh.count(True))
        metrics.duplicates.inc(fresh.count(False))
        metrics.rejected.inc(len(rejected))
        # A batch with duplicates is a resend: its losses were counted the first time.
        if False not in fresh:
            # Anybody can report losses: at most as many as a browser's can be.
            metrics.lost.inc(min(batch.lost, MAX_MISSING))

    def _log_refusal(self, error: HTTPException) -> None:
        """Log a refusal, throttled by status and reason; those by the settings are in health."""
        reason = "".join(c if c.isprintable() else " " for c in error.detail)
        kind = (error.status_code, reason.partition(":")[0])
        if error.status_code == 403 or error.detail == OTHER_APPLICATION:
            self._relay.refusals.add(kind[1], reason)
        self._notices.log(logging.WARNING, kind, "refusing with %d: %s", error.status_code, reason)


def holds_secret(request: Request, secret: str) -> bool:
    """Return whether a request carries the client secret; raise HTTPException (403) if wrong."""
    given = read_bearer(request)
    # Other schemes come from browsers, if the whole shop is behind a password.
    if given is None:
        return False
    if not is_secret(given, secret):
        raise HTTPException(403, f"the secret does not match {variable('client_secret')}")
    return True


def check_media_type(request: Request) -> None:
    """Raise HTTPException (415) if the body is not declared as plain text or JSON in UTF-8.

    It may have no type at all: some proxies drop the header.
    """
    declared = request.headers.get("Content-Type", MEDIA_TYPES[0])
    media_type, *parameters = (part.strip() for part in declared.lower().split(";"))
    others = {
        part for part in parameters if part.startswith("charset=") and not UTF_8.fullmatch(part)
    }
    if media_type not in MEDIA_TYPES or others:
        raise HTTPException(415, OTHER_TYPE)
    if request.headers.get("Content-Encoding", "").lower() not in ("", "identity"):
        raise HTTPException(415, OTHER_ENCODING)
