"""The events of one test."""

import time
from collections.abc import Callable
from typing import Any

from neuralens_embed.notation import describe_body

from neuralens_testing.sandbox import Sandbox

# Seconds from the page to the sandbox, at most, and between polls.
TIMEOUT, PAUSE = 10.0, 0.05
# Seconds without a new event after which all have arrived. The tracker sends after one second.
QUIET = 1.5
# The API's responses to a wrong key or application id.
REFUSED_CREDENTIALS = (401, 403)
NOTHING_CAME = (
    "nothing has reached {url}, from a page or a relay: see the browser's console. Chromium lets"
    ' pages served by page.route reach it only with the permission "local-network-access"'
)
REFUSED_RELAY = (
    "the sandbox at {url} has refused the shop's relay: {reason}. Start the shop with the"
    " environment in neuralens_sandbox.settings, and pytest with the shop's --neuralens-app-id"
)
REFUSED = "the relay at {url} answered {status}: check the page's data-app-id"


class Events:
    """What the sandbox accepts and refuses from now on, of one shopper if ``uid`` is given.

    Tests that share a sandbox and run at the same time give each shopper a uid of its own.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        uid: str | None = None,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sandbox = sandbox
        self._uid = uid
        self.timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self.forget()

    def of(self, uid: str) -> "Events":
        """Return the events of only one shopper."""
        chosen = Events(self._sandbox, uid, self.timeout, self._clock, self._sleep)
        chosen._seen, chosen._refused = self._seen, self._refused
        chosen._batches = self._batches
        return chosen

    def bodies(self) -> list[dict[str, Any]]:
        """Return the events so far, as sent to the API, oldest first."""
        return [
            entry["body"]
            for entry in self._sandbox.ledger()
            if entry["sequence"] > self._seen and self._uid in (None, entry["body"]["uid"])
        ]

    def lines(self) -> list[str]:
        """Return the events so far, each on one line."""
        return [describe_body(body) for body in self.bodies()]

    def refusals(self) -> list[str]:
        """Return why events were refused so far."""
        return [
            entry["reason"]
            for entry in self._sandbox.refusals()
            if entry["sequence"] > self._refused
        ]

    def settle(self) -> list[str]:
        """Wait until nothing more arrives, and return the lines."""
        deadline = self._clock() + self.timeout
        lines, changed = self.lines(), self._clock()
        while self._clock() < deadline and self._clock() < changed + QUIET:
            self._sleep(PAUSE)
            found = self.lines()
            if found != lines or self._sandbox.waiting():
                lines, changed = found, self._clock()
        return lines

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Wait for a condition, at most ``timeout`` seconds; return whether it did."""
        deadline = self._clock() + self.timeout
        while not condition():
            if self._clock() > deadline:
                return False
            self._sleep(PAUSE)
        return True

    def wait_for_count(self, count: int) -> bool:
        """Wait for at least a number of events; return whether they arrived."""
        return self.wait_for(lambda: len(self.bodies()) >= count)

    def forget(self) -> None:
        """Discard the events so far, for a new part of a journey."""
        self._seen = last(self._sandbox.ledger())
        self._refused = last(self._sandbox.refusals())
        self._batches = self._sandbox.batches()

    def explain_absence(self) -> str:
        """Return where to look if there were no events at all, or "" if there were."""
        if self.bodies():
            return ""
        answered = self._sandbox.batches() - self._batches
        if not answered:
            return self._explain_silence()
        refused = [status for status in answered if status >= 400]
        return REFUSED.format(url=self._sandbox.url, status=refused[0]) if refused else ""

    def _explain_silence(self) -> str:
        # From the start: a relay that was refused is silent from then on.
        reasons = [
            entry["reason"]
            for entry in self._sandbox.refusals()
            if entry["status"] in REFUSED_CREDENTIALS
        ]
        if reasons:
            return REFUSED_RELAY.format(url=self._sandbox.url, reason=reasons[-1])
        return NOTHING_CAME.format(url=self._sandbox.url)


def last(entries: list[dict[str, Any]]) -> int:
    """Return the sequence of the last entry, or 0."""
    return int(entries[-1]["sequence"]) if entries else 0
