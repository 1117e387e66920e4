"""The way to the relay: beacons and what tells of their fate, and fetch where nothing does."""

from typing import Any

from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.dom import document, document_prototype, of_document
from neuralens_tracker.web.ffi import (
    attempt,
    call,
    callback,
    construct,
    dump,
    elements,
    get,
    parse,
    record,
    window,
)
from neuralens_tracker.web.platform import now, random, wait

# Before a batch's id in the address.
ADDRESS_MARK = "?b="
# The relay names in it the batches that it took; see ``neuralens_relay.acknowledgement``.
COOKIE = "nl_ack="
COOKIE_SEPARATOR = "."
# Milliseconds from an answer until its cookie can be read.
COOKIE_MS = 300
# Milliseconds after which a batch that nothing told of is taken as unknown.
OUTCOME_MS = 10000


class Transport:
    """Sends batches to one endpoint, and lends the delivery its clock, timers and randomness."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        # What to call with the fate of a batch, by its id.
        self._reports: dict[str, Any] = {}
        self._confirm: Any = None

    def start(self, confirm: Any) -> None:
        """Read the fate of beacons from now on; ``confirm(is_final)`` reads the cookie.

        Most engines tell of a beacon in its Resource Timing entry, known by its address:
        https://www.w3.org/TR/resource-timing/#dom-performanceresourcetiming-responsestatus
        """
        self._confirm = confirm
        observer = construct("PerformanceObserver", callback(self._read_entries))
        call(observer, "observe", record({"type": "resource"}))

    def _read_entries(self, found: Any, *_: Any) -> None:
        for entry in elements(call(found, "getEntriesByType", "resource")):
            # What became of a request its own answer tells.
            if get(entry, "initiatorType") != "fetch":
                batch_id = get(entry, "name").split(ADDRESS_MARK).pop()
                status = get(entry, "responseStatus")
                if status is None:
                    # Safari does not say; if the relay took it, there is a cookie soon.
                    wait(COOKIE_MS, self._look)
                else:
                    self.resolve(batch_id, status)

    def resolve(self, batch_id: str, status: int, error: Any = None) -> None:
        """Tell of a batch's fate: every way of learning it ends here, and only the first counts.

        A batch that is none of this page's is passed over.
        """
        report = self._reports.get(PREFIX + batch_id)
        self._reports[PREFIX + batch_id] = None
        if report:
            report(status, error or "")
            wait(COOKIE_MS, self._look)

    def _look(self) -> None:
        self._confirm(False)

    def read_confirmed(self) -> list[str]:
        """Return the ids of the batches that the relay's cookie names."""
        for part in (of_document("cookie") or "").split("; "):
            if part.startswith(COOKIE):
                return list(part[len(COOKIE) :].split(COOKIE_SEPARATOR))
        return []

    def erase_confirmed(self) -> None:
        """Erase the relay's cookie, so that the shop's requests do not carry it."""
        erased = COOKIE + "; path=/; max-age=0"
        attempt(get(window, "Reflect"), "set", document_prototype, "cookie", erased, document)

    def random(self) -> float:
        """Return a random number from 0 below 1."""
        return random()

    def now(self) -> float:
        """Return the Unix time in seconds."""
        return now()

    def wait(self, milliseconds: float, handler: Any) -> None:
        """Call handler once, later."""
        wait(milliseconds, handler)

    def send(
        self, batch: dict[str, Any], as_beacon: bool, as_json: bool, leaving: bool, report: Any
    ) -> None:
        """Post a batch; ``report`` is called with the answer's status, 0 if it stays unknown.

        Its second argument is the ``error`` that only the relay itself writes, otherwise "".
        """
        batch_id = batch["batch"]
        # Not against the document's base, which may be another host.
        here = get(get(window, "location"), "href")
        endpoint = get(construct("URL", self._settings["endpoint"], here), "href")
        address = endpoint + ADDRESS_MARK + batch_id
        body: Any = dump(batch)
        if as_json:
            kind = record({"type": "application/json"})
            body = construct("Blob", get(record({"parts": [body]}), "parts"), kind)
        self._reports[PREFIX + batch_id] = report

        def answer(response: Any) -> None:
            status = get(response, "status")

            def read(text: Any, *_: Any) -> None:
                said = parse(text) if text.startswith("{") else None
                error = said.get("error") if isinstance(said, dict) else None
                self.resolve(batch_id, status, error if isinstance(error, str) else "")

            # An answer that is not read to its end holds on to its part of the 64 KiB in flight.
            call(call(response, "text"), "then", callback(read), callback(give_up))

        def give_up(*_: Any) -> None:
            self.resolve(batch_id, 0)

        wait(COOKIE_MS, self._look)
        wait(OUTCOME_MS, give_up)
        if as_beacon and attempt(get(window, "navigator"), "sendBeacon", address, body):
            return
        if as_beacon and leaving:
            # What does not fit beside all else that is on its way stays in the journal.
            give_up()
        else:
            # Where a beacon did not fit, neither would a request with keepalive. The page may have
            # put a fetch that throws into its place.
            options = {"method": "POST", "body": body, "keepalive": not as_beacon}
            sent = attempt(window, "fetch", address, record(options))
            if sent is None:
                wait(0, give_up)
            else:
                call(sent, "then", callback(answer), callback(give_up))
