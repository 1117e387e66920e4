"""A visit to a shop: opens it, answers the banner, scrolls, searches, and opens a product."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.vocabulary import GRANTED
from playwright.sync_api import Browser, BrowserContext, HttpCredentials, Locator
from playwright.sync_api import Error as BrowserError

from neuralens_verify.banners import Banner
from neuralens_verify.browser import time_limit
from neuralens_verify.findings import (
    CATEGORY,
    OPEN,
    PRODUCT_PAGE,
    RESULTS,
    SEARCH,
    SECOND_PAGE,
)
from neuralens_verify.inquiry import Inquiry
from neuralens_verify.observations import Observations, View, query_values
from neuralens_verify.opening import (
    STUCK,
    WALLS,
    explain_error,
    explain_status,
    explain_type,
    explain_wall,
)
from neuralens_verify.probes import error_message
from neuralens_verify.recorder import Recorder
from neuralens_verify.storefront import (
    choose_suggestion,
    find_categories,
    find_next_page,
    find_product,
    find_search_box,
    guess_query,
    press,
)
from neuralens_verify.views import (
    find_shop_frame,
    read_version,
    read_view,
    read_wall,
    start_listening,
)
from neuralens_verify.waiting import MARGIN_MS, pause, wait_until

# Seconds until a page responds; until it has loaded, which a resource that never does must not
# prevent; until what it then fetches has arrived; and until the tracker has started.
RESPONSE_TIMEOUT, LOAD_TIMEOUT, FETCH_TIMEOUT, START_TIMEOUT = 20.0, 8.0, 3.0, 4.0
# Seconds until something can be clicked, and until that has changed the page's URL.
ACTION_TIMEOUT, ROUTE_TIMEOUT = 4.0, 1.0
# Seconds until the consent banner appears, and until it is answered.
BANNER_TIMEOUT = 4.0
# Seconds until the relay has acknowledged the events.
DELIVERY_TIMEOUT = 5.0
# Seconds after which no further step is started, and nothing more is waited for.
MAX_VISIT, MAX_WAITING = 38.0, 45.0
# Seconds for everything, what is asked of servers included; then the browser is stopped.
MAX_INQUIRY, MAX_TOTAL = 52.0, 58.0
# Viewports scrolled through in each step.
SCREENS = 3
# The longest viewability threshold that is waited for, and the time between keystrokes, in
# milliseconds.
MAX_THRESHOLD_MS, KEY_MS = 5000, 40

DWELL_SCRIPT = (Path(__file__).parent / "page" / "dwell.js").read_text("utf-8")
# Scrolls on by less than a viewport; false at the end of the page.
SCROLL = """() => {
  const before = scrollY;
  scrollBy({ top: innerHeight * 0.8, behavior: "instant" });
  return scrollY !== before;
}"""
OVERLAY_SCRIPT = (Path(__file__).parent / "page" / "overlay.js").read_text("utf-8")
GPC_SCRIPT = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"


class UnreachableError(Exception):
    """The shop cannot be opened; the message is one sentence with the reason."""


@dataclass(frozen=True)
class Options:
    """Options of a visit.

    ``refuse``: refuse consent instead of granting it. ``query``: what to search for, "" for a word
    of a product's name. ``gpc``: send Global Privacy Control. ``relay``: the relay's URL, "" to
    derive it from the endpoint; ``token`` its NEURALENS_STATUS_TOKEN. ``insecure``: accept
    certificates that browsers do not trust.
    """

    refuse: bool = False
    query: str = ""
    gpc: bool = False
    relay: str = ""
    token: str = ""
    insecure: bool = False


def visit(browser: Browser, address: str, options: Options) -> Observations:
    """Visit a shop and return the observations; raises UnreachableError if it cannot be opened."""
    bare, login = split_login(address)
    with browser.new_context(
        viewport={"width": 1280, "height": 900},
        http_credentials=login,
        ignore_https_errors=options.insecure,
    ) as context:
        made = Visit(context, bare, options, has_login=login is not None)
        with time_limit(browser, MAX_TOTAL) as stopped:
            try:
                return made.run()
            finally:
                # Whatever was observed or raised since then says nothing of the shop.
                if stopped.is_set():
                    raise UnreachableError(STUCK.format(url=made.url))


def split_login(address: str) -> tuple[str, HttpCredentials | None]:
    """Return a URL without its user name and password, and these."""
    parts = urlsplit(address)
    if parts.username is None:
        return address, None
    host = parts.netloc.rpartition("@")[2]
    login: HttpCredentials = {
        "username": unquote(parts.username),
        "password": unquote(parts.password or ""),
        # Not to the servers of others.
        "origin": f"{parts.scheme}://{host}",
    }
    return parts._replace(netloc=host).geturl(), login


def site_of(url: str) -> str:
    """Return the end of a host name that the hosts of one shop have in common.

    That is shop.example of www.shop.example, and shop.co.uk of www.shop.co.uk.
    """
    labels = (urlsplit(url).hostname or "").removeprefix("www.").split(".")
    has_suffix = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if has_suffix else -2 :])


class Visit:
    """One visit, in its own browser profile."""

    def __init__(
        self, context: BrowserContext, address: str, options: Options, *, has_login: bool
    ) -> None:
        self._options = options
        self._has_login = has_login
        self._began = time.monotonic()
        self._page = context.new_page()
        context.set_default_timeout(ACTION_TIMEOUT * 1000)
        if options.gpc:
            context.set_extra_http_headers({"Sec-GPC": "1"})
            context.add_init_script(GPC_SCRIPT)
        self._observed = Observations(address, options.refuse)
        # The shop's host names end with it, once it is open.
        self._site = ""
        # Whether items of a page's HTML have stayed missing.
        self._is_incomplete = False
        self._recorder = Recorder(self._page, self._observed, OPEN)
        self._banner = Banner(options.refuse)
        self._banner.watch(context)

    @property
    def url(self) -> str:
        """The URL of the open page."""
        return self._page.url

    def run(self) -> Observations:
        """Make the visit, then ask for what no page observes."""
        self._open()
        if self._await_tracker() or self._enter_frame() or self._release_tracker():
            self._browse()
        self._recorder.ended = True
        self._release_held()
        deadline = self._began + MAX_INQUIRY
        inquiry = Inquiry(self._page, self._recorder, self._observed, deadline)
        inquiry.run(self._options.relay, self._options.token)
        return self._observed

    # The steps

    def _open(self) -> None:
        address = self._observed.address
        try:
            response = self._page.goto(
                address, wait_until="commit", timeout=RESPONSE_TIMEOUT * 1000
            )
        except BrowserError as error:
            # To an error without content, Chromium shows a page of its own.
            failed = self._recorder.document
            if failed is not None and failed.status >= 400:
                raise UnreachableError(
                    explain_status(address, failed.status, has_login=self._has_login)
                ) from error
            raise UnreachableError(explain_error(address, error_message(error))) from error
        if response is not None and response.status >= 400:
            raise UnreachableError(
                explain_status(address, response.status, has_login=self._has_login)
            )
        media_type = response.headers.get("content-type", "") if response else ""
        if reason := explain_type(address, media_type):
            raise UnreachableError(reason)
        self._await_load()
        if self._recorder.failure and not self._recorder.is_navigating:
            raise UnreachableError(explain_error(address, self._recorder.failure))
        self._site = site_of(self._page.url)

    def _await_tracker(self) -> bool:
        """Wait for the tracker to start; return whether it runs."""
        with self._in_step(OPEN):
            self._await_start()
        address = self._observed.address
        if not self._observed.views:
            raise UnreachableError(f"cannot read {address}: it never stays loaded")
        if self._observed.views[-1].intended_tag is None and (wall := read_wall(self._page)):
            raise UnreachableError(explain_wall(address, self._page.url, wall))
        return self._observed.is_running

    def _await_start(self) -> bool:
        """Wait for the tracker to start on the current page; return whether it has."""

        def has_started() -> bool:
            return read_version(self._page) is not None

        started = self._wait(has_started, START_TIMEOUT)
        if not started:
            # Tag managers and performance plug-ins insert scripts late, or once the shopper moves.
            with suppress(BrowserError):
                self._page.mouse.wheel(0, 200)
            started = self._wait(has_started, START_TIMEOUT)
        if started:
            start_listening(self._page)
        return started

    def _enter_frame(self) -> bool:
        """Open the frame that has the shop, if one has; return whether the tracker then runs."""
        view = self._observed.views[-1]
        frame = None if view.tags or view.elements else find_shop_frame(self._page)
        if frame is None:
            return False
        url = frame.url
        with suppress(BrowserError):
            self._page.goto(url, wait_until="commit", timeout=RESPONSE_TIMEOUT * 1000)
        self._await_load()
        self._site = site_of(self._page.url)
        self._observed.steps[OPEN] = f"the shop is in a frame of the page: {url}"
        return self._await_tracker()

    def _release_tracker(self) -> bool:
        """Answer the banner that holds back a tag, or the page; return whether the tracker runs."""
        view = self._observed.views[-1]
        if view.intended_tag and all(tag.runs for tag in view.tags):
            return False
        self._banner.detect(self._page)
        self._answer_banner()
        return self._banner.answered and self._await_tracker()

    def _browse(self) -> None:
        with self._in_step(OPEN):
            if not self._banner.answered:
                self._banner.detect(self._page)
            self._scroll()
            self._answer_banner()
            self._deliver()
        if self._search():
            self._look(RESULTS)
            self._open_next_page()
        self._open_category()
        self._open_product()

    def _answer_banner(self) -> None:
        banner = self._banner
        if self._observed.banner:
            return
        # A bundle's settings are in its code.
        is_known = bool(self._observed.views and self._observed.views[-1].settings)
        waits = self._consent() != GRANTED or not self._observed.is_running or not is_known
        needs_answer = waits or self._options.refuse
        if needs_answer:
            self._wait(lambda: bool(banner.platform) or banner.absent, BANNER_TIMEOUT)
        if banner.platform:
            self._wait(lambda: banner.answered, BANNER_TIMEOUT)
        elif needs_answer:
            banner.press_button(self._page)
        if banner.answered:
            self._observed.banner = banner.platform
            self._await_load()
            self._await_start()
            if not self._options.refuse:
                self._scroll()

    def _search(self) -> bool:
        """Search, by a suggestion if there are any; return whether there is a results page."""
        box = find_search_box(self._page)
        if box is None:
            self._observed.steps[SEARCH] = "no search box was found"
            return False
        query = self._options.query or guess_query(self._page)
        before = self._page.url
        with self._in_step(SEARCH):
            press(box)
            box.focus()
            box.clear()
            box.press_sequentially(query, delay=KEY_MS)
            self._observed.searched.add(query)
            pause(self._page, self._setting("suggestionMs") + 2 * MARGIN_MS)
            chosen = choose_suggestion(self._page, box)
            self._observed.steps[SEARCH] = f'"{query}"' + (f', chose "{chosen}"' if chosen else "")
            self._observed.searched |= {chosen, box.input_value()} - {""}
            self._flush()
        self._recorder.step = RESULTS
        # Something may have removed the box; the page of results may respond late.
        with suppress(BrowserError):
            box.press("Enter", no_wait_after=True)
        if not self._await_move(before, START_TIMEOUT) and query not in before:
            self._observed.steps[RESULTS] = "the search did not change the page's URL"
            return False
        self._await_load()
        self._observed.searched |= query_values(self._page.url)
        return True

    def _open_next_page(self) -> None:
        link = find_next_page(self._page)
        if link and not self._is_late():
            # A button that loads more products may leave the URL as it is.
            self._follow(link, SECOND_PAGE, ROUTE_TIMEOUT)

    def _open_category(self) -> None:
        """Look through a category or two, if no page so far has shown products."""
        views = self._observed.views
        if any(each.elements or each.unknown or each.ignored for each in views):
            return
        for link in find_categories(self._page):
            if not self._is_late():
                self._follow(link, CATEGORY, START_TIMEOUT)
            if self._observed.views[-1].elements:
                return

    def _open_product(self) -> None:
        link = find_product(self._page)
        if link is None or self._is_late():
            self._observed.steps[PRODUCT_PAGE] = "no link to a product was found"
        else:
            self._follow(link, PRODUCT_PAGE, START_TIMEOUT)

    # The parts of a step

    @contextmanager
    def _in_step(self, step: str) -> Iterator[None]:
        """Attribute what happens to a step, and read the page at its end."""
        self._recorder.step = step
        self._observed.steps.setdefault(step, "")
        with suppress(BrowserError):
            yield
        with suppress(BrowserError):
            view = self._read(step)
            others = [each for each in self._observed.views if each.step != step]
            if others and site_of(view.url) != self._site:
                # Of another shop, for example.
                self._observed.steps[step] = f"the page at {view.url} is none of the shop's"
            elif others and view.intended_tag is None and (wall := read_wall(self._page)):
                # A shop may ask for a login where it begins to sell, and leave its tag out there.
                self._observed.steps[step] = f"the page at {view.url} {WALLS[wall]}"
            else:
                self._observed.views = [*others, view]

    def _follow(self, link: Locator, step: str, timeout: float) -> None:
        """Open the page of a step by a link, which changes the URL within a timeout in seconds."""
        before = self._page.url
        self._recorder.step = step
        press(link)
        self._await_move(before, timeout)
        self._await_load()
        self._look(step)

    def _await_move(self, before: str, timeout: float) -> bool:
        """Wait until the page has another URL than before, or has asked for one; return whether."""

        def has_moved() -> bool:
            return self._page.url != before

        def has_ended() -> bool:
            return has_moved() or not self._recorder.is_navigating

        if not self._wait(has_moved, timeout):
            self._wait(has_ended, RESPONSE_TIMEOUT)
        return has_moved()

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition, but not for longer than the visit may; return whether it holds."""
        left = self._began + MAX_WAITING - time.monotonic()
        return wait_until(self._page, condition, min(seconds, left))

    def _look(self, step: str) -> None:
        """Look through the page that a step has opened, until its events are delivered."""
        with self._in_step(step):
            self._await_start()
            self._scroll()
            self._deliver()

    def _scroll(self) -> None:
        """Scroll through the page, pausing until each viewport's products count as seen."""
        self._await_items()
        self._pass_overlay()
        self._dwell()
        for _ in range(SCREENS - 1):
            if not self._page.evaluate(SCROLL) or self._is_late():
                break
            self._dwell()
        self._page.evaluate("() => scrollTo({top: 0, behavior: 'instant'})")

    def _await_items(self) -> None:
        """Wait while items of the page's HTML are missing, as until a copy of them is loaded."""

        def are_there() -> bool:
            return not self._read(self._recorder.step).removed

        if not self._is_incomplete:
            with suppress(BrowserError):
                self._is_incomplete = not self._wait(are_there, START_TIMEOUT)

    def _pass_overlay(self) -> None:
        """Answer what covers the page, such as a question for the age, or close it."""
        with suppress(BrowserError):
            if text := self._page.evaluate(OVERLAY_SCRIPT):
                steps, step = self._observed.steps, self._recorder.step
                steps[step] = "; ".join(filter(None, [steps.get(step, ""), f'pressed "{text}"']))
                pause(self._page, 2 * MARGIN_MS)

    def _dwell(self) -> None:
        """Stay until the products in the viewport count as seen."""
        with suppress(BrowserError):
            self._page.evaluate(DWELL_SCRIPT, self._setting("viewMs") + MARGIN_MS)

    def _deliver(self) -> None:
        """Flush the queue, and wait until the outcome of every event is known."""

        def is_settled() -> bool:
            return {event.eid for event in self._observed.events} <= self._observed.settled

        self._flush()
        self._wait(is_settled, DELIVERY_TIMEOUT)

    def _flush(self) -> None:
        with suppress(BrowserError):
            self._page.evaluate("() => window.neuralens?.('flush')")

    def _await_load(self) -> None:
        left = self._began + MAX_WAITING - time.monotonic()
        with suppress(BrowserError):
            # A timeout of 0 would be none.
            timeout = max(0.1, min(LOAD_TIMEOUT, left))
            self._page.wait_for_load_state("load", timeout=timeout * 1000)
        pause(self._page, MARGIN_MS)
        self._wait(lambda: not self._recorder.is_fetching, FETCH_TIMEOUT)

    def _read(self, step: str) -> View:
        shown = {each.document for each in self._observed.views if each.step != step}
        try:
            return read_view(self._page, step, self._recorder.document, shown)
        except BrowserError:
            # A script has left the page, such as for that of a language: read the one it leads to.
            self._page.wait_for_load_state("load", timeout=LOAD_TIMEOUT * 1000)
            return read_view(self._page, step, self._recorder.document, shown)

    def _consent(self) -> str:
        settings = self._observed.views[-1].settings if self._observed.views else {}
        return settings.get("consent", GRANTED)

    def _setting(self, name: str) -> int:
        """Return a threshold in milliseconds, from the page's tag or its default, up to a limit."""
        given = self._observed.views[-1].settings.get(name, "") if self._observed.views else ""
        value = int(given if given.isdecimal() else SETTINGS[name].default or 0)
        return min(value, MAX_THRESHOLD_MS)

    def _is_late(self) -> bool:
        return time.monotonic() - self._began > MAX_VISIT

    def _release_held(self) -> None:
        """Grant consent in the banner's place, and note whether that releases events.

        So held events are told from none at all.
        """
        observed = self._observed
        if observed.events or observed.suppressed or observed.refused or not observed.is_running:
            return
        with suppress(BrowserError):
            self._page.evaluate("() => window.neuralens('consent', 'granted')")
        wait_until(self._page, lambda: observed.held, 1)
        self._flush()
        wait_until(self._page, lambda: bool(observed.batches), 1)
