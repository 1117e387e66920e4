"""Posts batches to the relay, by beacon or fetch, and finds out the outcome of each."""

from collections.abc import Callable

from neuralens_tracker.types import Batch, JSObject, OnOutcome, Settings, Unchecked
from neuralens_tracker.value_types import TEXT, read
from neuralens_tracker.vocabulary import ACCEPTED, PREFIX
from neuralens_tracker.web.dom import document, document_property, document_prototype
from neuralens_tracker.web.ffi import (
    attempt,
    call,
    callback,
    construct,
    dump,
    elements,
    get,
    invoke,
    parse,
    record,
    window,
)
from neuralens_tracker.web.platform import now, random, resolve_address, wait

# Precedes a batch's id in the URL.
BATCH_QUERY = "?b="
# The relay's cookie with acknowledged batches; see ``neuralens_relay.acknowledgement``.
COOKIE = "nl_ack="
COOKIE_SEPARATOR = "."
# Milliseconds from a response until its cookie can be read.
COOKIE_MS = 300
# Milliseconds after which the outcome of a beacon, or of a fetch, counts as unknown: beacons may
# vanish, but a fetch gets a response or an error, if late.
BEACON_MS = 10000
FETCH_MS = 20000


class Transport:
    """The ``types.Sender`` of the browser."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # The callbacks for the outcomes of batches, by PREFIX + batch id.
        self._callbacks: dict[str, OnOutcome | None] = {}
        self._acknowledge: Callable[[], None]
        # What the last response to a fetch repeated of the cookie.
        self._recent = ""

    def start(self, acknowledge: Callable[[], None]) -> None:
        """Start to observe the outcomes of beacons; ``acknowledge()`` reads the cookie."""
        self._acknowledge = acknowledge
        # Guarded, because an extension may have removed the observer.
        invoke(self._observe, None)

    def _observe(self) -> None:
        """Observe the Resource Timing entries of requests, in which most engines report the status.

        Source: https://www.w3.org/TR/resource-timing/#dom-performanceresourcetiming-responsestatus
        """
        observer = construct("PerformanceObserver", callback(self._read_entries))
        call(observer, "observe", record({"type": "resource"}))

    def _read_entries(self, found: JSObject, *_: JSObject) -> None:
        for entry in elements(call(found, "getEntriesByType", "resource")):
            parts = get(entry, "name").split(BATCH_QUERY)
            # A fetch is settled by its response.
            if len(parts) > 1 and get(entry, "initiatorType") != "fetch":
                self._settle(parts[1], get(entry, "responseStatus"), None)

    def _settle(self, batch_id: str, status: int | None, error: str | None) -> None:
        """Resolve a batch by its response; ``status`` is None in Safari, which does not report it.

        The cookie is read even if the response is too late for this page. It takes precedence,
        because a proxy may respond 200 in place of 202.
        """
        wait(COOKIE_MS, self._acknowledge)
        if status == ACCEPTED:
            self.resolve(batch_id, status)
        elif status is not None:
            wait(COOKIE_MS, self.resolve, batch_id, status, error)

    def resolve(self, batch_id: str, status: int, error: str | None = None) -> None:
        """Report a batch's outcome; repeats and the batches of other pages are ignored."""
        on_outcome = self._callbacks.get(PREFIX + batch_id)
        self._callbacks[PREFIX + batch_id] = None
        if on_outcome:
            on_outcome(status, error or "")

    def read_acknowledged(self) -> list[str]:
        """Return the ids of the batches in the relay's cookie, otherwise in its last response."""
        ids = self._recent
        for part in (document_property("cookie") or "").split("; "):
            if part.startswith(COOKIE):
                ids = part[len(COOKIE) :]
        return list(ids.split(COOKIE_SEPARATOR))

    def erase_acknowledged(self) -> None:
        """Delete the relay's cookie, so that it does not add to the shop's requests."""
        erased = COOKIE + "; path=/; max-age=0"
        attempt(get(window, "Reflect"), "set", document_prototype, "cookie", erased, document)

    def random(self) -> float:
        """Return a random number in [0, 1)."""
        return random()

    def now(self) -> float:
        """Return the Unix time in seconds."""
        return now()

    def wait(self, milliseconds: float, handler: Callable[[], None]) -> None:
        """Call handler once after a delay."""
        wait(milliseconds, handler)

    def send(
        self, batch: Batch, as_beacon: bool, as_json: bool, leaving: bool, on_outcome: OnOutcome
    ) -> None:
        """Post a batch and call ``on_outcome`` once."""
        batch_id = batch["batch"]
        url = resolve_address(self._settings["endpoint"]) + BATCH_QUERY + batch_id
        body: JSObject = dump(batch)
        if as_json:
            kind = record({"type": "application/json"})
            body = construct("Blob", get(record({"parts": [body]}), "parts"), kind)
        self._callbacks[PREFIX + batch_id] = on_outcome
        wait(COOKIE_MS, self._acknowledge)
        # A beacon that exceeds the quota as the page is left: the events stay in the journal.
        is_sent = as_beacon and (
            attempt(get(window, "navigator"), "sendBeacon", url, body) or leaving
        )
        wait(BEACON_MS if is_sent else FETCH_MS, self.resolve, batch_id, 0)
        if not is_sent:
            # No keepalive after a rejected beacon, since both share a quota.
            self._fetch(url, body, not as_beacon, batch_id)

    def _fetch(self, url: str, body: JSObject, keepalive: bool, batch_id: str) -> None:
        """Post by fetch, and resolve the batch."""

        def on_response(response: JSObject) -> None:
            self._read_response(response, batch_id)

        def on_rejection(*_: JSObject) -> None:
            # Later, because Chromium rejects requests in flight, which go on, between the events of
            # an unloaded page: nothing is to be sent again there.
            wait(0, self.resolve, batch_id, 0)

        options = {"method": "POST", "body": body, "keepalive": keepalive}
        # The page may have replaced fetch by one that throws.
        promise = attempt(window, "fetch", url, record(options))
        if promise:
            call(promise, "then", callback(on_response), callback(on_rejection))
        else:
            on_rejection()

    def _read_response(self, response: JSObject, batch_id: str) -> None:
        """Settle a batch by the response to a fetch: JSON, if it is the relay's."""
        status = get(response, "status")

        def on_body(text: JSObject, *_: JSObject) -> None:
            # Not a text, but an error, if the body was cut off.
            answer: Unchecked = (parse(text) if str(text).startswith("{") else None) or {}
            self._recent = read(TEXT, answer.get("recent")) or ""
            self._settle(batch_id, status, read(TEXT, answer.get("error")))

        # A response counts towards the 64 KiB in flight until its body has been read.
        call(call(response, "text"), "then", callback(on_body), callback(on_body))
