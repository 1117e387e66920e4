"""Uses the open page as a shopper does: waits for it, scrolls through it, and follows links."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.vocabulary import GRANTED
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Locator, Page

from neuralens_verify.evaluation import try_evaluate
from neuralens_verify.observations import Observations, View
from neuralens_verify.recorder import Recorder
from neuralens_verify.storefront import press
from neuralens_verify.views import read_version, read_view, start_listening
from neuralens_verify.waiting import MARGIN_MS, pause, wait_until

# Seconds until a page responds; until it has loaded, which a resource that never does must not
# prevent; until what it then fetches has arrived; and until the tracker has started.
RESPONSE_TIMEOUT, LOAD_TIMEOUT, FETCH_TIMEOUT, START_TIMEOUT = 20.0, 8.0, 3.0, 4.0
# Seconds until the relay has acknowledged the events.
DELIVERY_TIMEOUT = 5.0
# Seconds after which no further step is started, and nothing more is waited for.
MAX_VISIT, MAX_WAITING = 38.0, 45.0
# Seconds after which a page is known to stay, and until it is.
REST, REST_TIMEOUT = 2.5, 20.0
# Viewports scrolled through in each step.
SCREENS = 3
# Pages whose items are waited for in vain, before verify no longer waits for any.
MAX_VAIN_WAITS = 2
# The longest viewability threshold that is waited for, in milliseconds.
MAX_THRESHOLD_MS = 5000

HERE = Path(__file__).parent / "page"
DWELL_SCRIPT, OVERLAY_SCRIPT = (
    (HERE / name).read_text("utf-8") for name in ("dwell.js", "overlay.js")
)
# Scrolls on by less than a viewport; false at the end of the page.
SCROLL = """() => {
  const before = scrollY;
  scrollBy({ top: innerHeight * 0.8, behavior: "instant" });
  return scrollY !== before;
}"""


class Shopper:
    """Uses a page, until its time is over; what happens meanwhile is observed by the recorder."""

    def __init__(self, page: Page, recorder: Recorder, observed: Observations) -> None:
        self.page = page
        # Pages in new tabs.
        self._opened: list[Page] = []
        page.context.on("page", lambda opened: self._opened.append(opened))
        self._recorder = recorder
        self._observed = observed
        self._began = time.monotonic()
        # How often the items of a page have stayed missing.
        self._vain_waits = 0

    @property
    def is_late(self) -> bool:
        """Whether no further step is to be started."""
        return time.monotonic() - self._began > MAX_VISIT

    @property
    def consent(self) -> str:
        """The consent with which the page's tracker starts."""
        return self._given("consent") or GRANTED

    def threshold(self, setting: str) -> int:
        """Return a viewability threshold of the page in milliseconds, up to a limit."""
        given = self._given(setting)
        value = int(given if given.isdecimal() else SETTINGS[setting].default or 0)
        return min(value, MAX_THRESHOLD_MS)

    def _given(self, setting: str) -> str:
        """Return a setting as the page has it, "" if it has none."""
        views = self._observed.views
        return views[-1].settings.get(setting, "") if views else ""

    # Waiting

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition, but not for longer than the visit may; return whether it holds."""
        left = self._began + MAX_WAITING - time.monotonic()
        return wait_until(self.page, condition, min(seconds, left))

    def await_load(self) -> None:
        """Wait until the page has loaded, and what it fetches then."""
        left = self._began + MAX_WAITING - time.monotonic()
        with suppress(BrowserError):
            # A timeout of 0 would mean no timeout.
            timeout = max(0.1, min(LOAD_TIMEOUT, left))
            self.page.wait_for_load_state("load", timeout=timeout * 1000)
        pause(self.page, MARGIN_MS)
        self.wait(lambda: not self._recorder.is_fetching, FETCH_TIMEOUT)

    def await_start(self) -> bool:
        """Wait for the tracker to start on the page; return whether it has."""

        def has_started() -> bool:
            return read_version(self.page) is not None

        started = self.wait(has_started, START_TIMEOUT)
        if not started:
            # Tag managers and performance plug-ins insert scripts late, or once the shopper moves.
            with suppress(BrowserError):
                self.page.mouse.wheel(0, 200)
            started = self.wait(has_started, START_TIMEOUT)
        if started:
            start_listening(self.page)
        return started

    def await_move(self, before: str, timeout: float) -> bool:
        """Wait until the page has another URL than before, or has asked for one; return whether."""

        def has_moved() -> bool:
            return self.page.url != before or bool(self._opened)

        def has_ended() -> bool:
            return has_moved() or not self._recorder.is_navigating

        if not self.wait(has_moved, timeout):
            self.wait(has_ended, RESPONSE_TIMEOUT)
        moved = has_moved()
        if self._opened:
            self.page = self._opened.pop()
            self._recorder.follow(self.page)
        return moved

    def await_rest(self) -> None:
        """Wait until the page is known to stay, or to load itself again and again."""

        def is_known() -> bool:
            stays = time.monotonic() - self._recorder.changed > REST
            return bool(self._observed.reloading) or (stays and not self._recorder.is_navigating)

        if self.wait(is_known, REST_TIMEOUT):
            self._recorder.has_reloaded = False

    # Using

    def follow(self, link: Locator, timeout: float) -> None:
        """Follow a link, which changes the page's URL within a timeout in seconds."""
        before = self.page.url
        self._opened.clear()
        press(link)
        self.await_move(before, timeout)
        self.await_load()

    def look(self) -> None:
        """Look through the page until its events are delivered."""
        self.await_start()
        self.scroll()
        self._await_consent()
        self.deliver()
        if self._recorder.has_reloaded:
            self.await_rest()

    def _await_consent(self) -> None:
        """Wait for the events of a page whose consent platform passes a given consent on late."""
        observed, step = self._observed, self._recorder.step
        if self.consent != GRANTED and observed.banner and not observed.refused:
            self.wait(lambda: any(event.step == step for event in observed.events), START_TIMEOUT)

    def scroll(self) -> None:
        """Scroll through the page, pausing until each viewport's products count as seen."""
        self._await_items()
        self.pass_overlay()
        self._dwell()
        for _ in range(SCREENS - 1):
            if not self.page.evaluate(SCROLL) or self.is_late:
                break
            self._dwell()
        self.page.evaluate("() => scrollTo({top: 0, behavior: 'instant'})")

    def _await_items(self) -> None:
        """Wait while items are missing, as until a script has rendered them.

        Those that the page's HTML has, or all.
        """

        def are_there() -> bool:
            view = self.read(self._recorder.step)
            return not view.removed and bool(view.elements or view.unknown or view.ignored)

        if self._vain_waits < MAX_VAIN_WAITS:
            with suppress(BrowserError):
                self._vain_waits += not self.wait(are_there, START_TIMEOUT)

    def pass_overlay(self) -> bool:
        """Pass or close an overlay that covers the page, such as an age gate.

        Return whether there was one.
        """
        text = try_evaluate(self.page, OVERLAY_SCRIPT)
        if text:
            self._observed.note(self._recorder.step, f'pressed "{text}"')
            pause(self.page, 2 * MARGIN_MS)
        return bool(text)

    def _dwell(self) -> None:
        """Stay until the products in the viewport count as seen."""
        try_evaluate(self.page, DWELL_SCRIPT, self.threshold("viewMs") + MARGIN_MS)

    def deliver(self) -> None:
        """Flush the queue, and wait until the outcome of every event is known."""

        def is_settled() -> bool:
            return {event.eid for event in self._observed.events} <= self._observed.settled

        self.flush()
        self.wait(is_settled, DELIVERY_TIMEOUT)

    def flush(self) -> None:
        """Have the tracker send what is in its queue."""
        try_evaluate(self.page, "() => window.neuralens?.('flush')")

    def read(self, step: str) -> View:
        """Read the page at the end of a step; raises BrowserError if it is left meanwhile."""
        shown = {each.document for each in self._observed.views if each.step != step}
        try:
            return read_view(self.page, step, self._recorder.document, shown)
        except BrowserError:
            # A script has navigated away, for example to the shopper's language: read that page.
            self.page.wait_for_load_state("load", timeout=LOAD_TIMEOUT * 1000)
            return read_view(self.page, step, self._recorder.document, shown)
