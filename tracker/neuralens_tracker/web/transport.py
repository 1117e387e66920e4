"""The way to the relay: beacons, their Resource Timing entries, and fetch where those are blind."""

from typing import Any

from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.ffi import (
    attempt,
    call,
    callback,
    construct,
    dump,
    elements,
    get,
    record,
    window,
)
from neuralens_tracker.web.platform import now, random, wait

UUID_LENGTH = 36
# Milliseconds after which a beacon that no Resource Timing entry told of is taken as unknown.
OUTCOME_MS = 10000


class Transport:
    """Sends batches to one endpoint, and lends the delivery its clock, timers and randomness."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        # What to call with the fate of a beacon, by the batch's id.
        self._reports: dict[str, Any] = {}

    def start(self) -> None:
        """Read the fate of beacons from now on.

        It stands in their Resource Timing entries alone:
        https://www.w3.org/TR/resource-timing/#dom-performanceresourcetiming-responsestatus
        """
        observer = construct("PerformanceObserver", callback(self._read_entries))
        call(observer, "observe", record({"type": "resource"}))

    def _read_entries(self, found: Any, *_: Any) -> None:
        for entry in elements(call(found, "getEntriesByType", "resource")):
            if get(entry, "initiatorType") == "beacon":
                # A batch's id is the last of its address.
                self.resolve(get(entry, "name")[-UUID_LENGTH:], get(entry, "responseStatus") or 0)

    def resolve(self, batch_id: str, status: int) -> None:
        """Tell of a beacon's fate: every way of learning it ends here, and only the first counts.

        A batch that is none of this page's is passed over.
        """
        report = self._reports.get(PREFIX + batch_id)
        self._reports[PREFIX + batch_id] = None
        if report:
            report(status)

    def random(self) -> float:
        """Return a random number from 0 below 1."""
        return random()

    def now(self) -> float:
        """Return the Unix time in seconds."""
        return now()

    def wait(self, milliseconds: float, handler: Any) -> None:
        """Call handler once, later."""
        wait(milliseconds, handler)

    def send(self, batch: dict[str, Any], as_beacon: bool, report: Any) -> None:
        """Post a batch; ``report`` is called with the answer's status, or 0 if it stays unknown."""
        address = self._settings["endpoint"] + "?b=" + batch["batch"]
        text = dump(batch)

        batch_id = batch["batch"]
        self._reports[PREFIX + batch_id] = report

        def answer(response: Any) -> None:
            # An answer that is not read to its end holds on to its part of the 64 KiB in flight.
            call(response, "text")
            self.resolve(batch_id, get(response, "status"))

        def give_up(*_: Any) -> None:
            self.resolve(batch_id, 0)

        if as_beacon and attempt(get(window, "navigator"), "sendBeacon", address, text):
            wait(OUTCOME_MS, give_up)
        else:
            options = {"method": "POST", "body": text, "keepalive": True}
            sent = call(window, "fetch", address, record(options))
            call(sent, "then", callback(answer), callback(give_up))
