"""A visit to a shop: opens it, answers the banner, scrolls, searches, and opens a product."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from neuralens_tracker.vocabulary import GRANTED
from playwright.sync_api import Browser, BrowserContext, HttpCredentials, Locator, Page
from playwright.sync_api import Error as BrowserError

from neuralens_verify.addresses import origin_of, site_of, split_login
from neuralens_verify.banners import Banner
from neuralens_verify.browser import time_limit
from neuralens_verify.evaluation import try_evaluate
from neuralens_verify.findings import (
    CATEGORY,
    OPEN,
    PRODUCT_PAGE,
    RESULTS,
    SEARCH,
    SECOND_PAGE,
)
from neuralens_verify.inquiry import Inquiry
from neuralens_verify.observations import Observations, query_values
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
from neuralens_verify.shopper import RESPONSE_TIMEOUT, START_TIMEOUT, Shopper
from neuralens_verify.storefront import (
    choose_suggestion,
    find_categories,
    find_entrance,
    find_next_page,
    find_product,
    find_search_box,
    guess_query,
    press,
)
from neuralens_verify.views import find_shop_frame, read_wall
from neuralens_verify.waiting import MARGIN_MS, pause, wait_until

# Seconds until something can be clicked, and until that has changed the page's URL.
ACTION_TIMEOUT, ROUTE_TIMEOUT = 4.0, 1.0
# Seconds until the consent banner appears, and until it is answered.
BANNER_TIMEOUT = 4.0
# Seconds for the visit with the questions to servers, and until the browser is stopped.
MAX_INQUIRY, MAX_TOTAL = 52.0, 58.0
# The time between keystrokes, in milliseconds.
KEY_MS = 40
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
    credentials: HttpCredentials | None = None
    if login is not None:
        # Playwright sends them to this origin only.
        credentials = {"username": login[0], "password": login[1], "origin": origin_of(bare)}
    with browser.new_context(
        viewport={"width": 1280, "height": 900},
        http_credentials=credentials,
        ignore_https_errors=options.insecure,
    ) as context:
        made = Visit(context, bare, options, has_login=login is not None)
        with time_limit(browser, MAX_TOTAL) as stopped:
            try:
                return made.run()
            finally:
                # What was observed or raised after that is not the shop's fault.
                if stopped.is_set():
                    raise UnreachableError(STUCK.format(url=made.url))


class Visit:
    """One visit, in its own browser profile."""

    def __init__(
        self, context: BrowserContext, address: str, options: Options, *, has_login: bool
    ) -> None:
        self._options = options
        self._has_login = has_login
        self._began = time.monotonic()
        page = context.new_page()
        context.set_default_timeout(ACTION_TIMEOUT * 1000)
        if options.gpc:
            context.set_extra_http_headers({"Sec-GPC": "1"})
            context.add_init_script(GPC_SCRIPT)
        self._observed = Observations(address, options.refuse)
        # What all of the shop's host names end with; known once the shop is open.
        self._site = ""
        self._recorder = Recorder(page, self._observed, OPEN)
        self._shopper = Shopper(page, self._recorder, self._observed)
        self._banner = Banner(options.refuse)
        self._banner.watch(self._recorder)

    @property
    def url(self) -> str:
        """The URL of the open page."""
        return self._page.url

    @property
    def _page(self) -> Page:
        return self._shopper.page

    def run(self) -> Observations:
        """Make the visit, then ask for what no page observes."""
        self._open()
        runs = self._await_tracker()
        if self._observed.reloading:
            return self._observed
        if runs or self._enter_frame() or self._release_tracker() or self._enter_shop():
            self._browse()
        self._observed.asks_to_log_in = read_wall(self._page) == "login"
        self._recorder.ended = True
        self._release_held()
        deadline = self._began + MAX_INQUIRY
        inquiry = Inquiry(self._page, self._recorder, self._observed, deadline)
        inquiry.run(self._options.relay, self._options.token)
        if not self._has_login:
            inquiry.compare_shoppers()
        return self._observed

    # The steps

    def _open(self) -> None:
        address = self._observed.address
        try:
            response = self._page.goto(
                address, wait_until="commit", timeout=RESPONSE_TIMEOUT * 1000
            )
        except BrowserError as error:
            # For an error response without content, Chromium shows a page of its own.
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
        self._shopper.await_load()
        if self._recorder.failure and not self._recorder.is_navigating:
            raise UnreachableError(explain_error(address, self._recorder.failure))
        self._site = site_of(self._page.url)

    def _await_tracker(self) -> bool:
        """Wait for the tracker to start; return whether it runs."""
        with self._in_step(OPEN):
            self._shopper.await_start()
        if self._recorder.has_reloaded:
            self._shopper.await_rest()
        if self._observed.reloading:
            return False
        address = self._observed.address
        if not self._observed.views:
            raise UnreachableError(f"cannot read {address}: it never stays loaded")
        if self._observed.views[-1].intended_tag is None and (wall := read_wall(self._page)):
            raise UnreachableError(explain_wall(address, self._page.url, wall))
        return self._observed.is_running

    def _enter_frame(self) -> bool:
        """Open the frame that has the shop, if one has; return whether the tracker then runs."""
        view = self._observed.views[-1]
        frame = None if view.tags or view.elements else find_shop_frame(self._page)
        if frame is None:
            return False
        url = frame.url
        with self._noted():
            self._page.goto(url, wait_until="commit", timeout=RESPONSE_TIMEOUT * 1000)
        self._shopper.await_load()
        self._site = site_of(self._page.url)
        self._observed.note(OPEN, f"the shop is in a frame of the page: {url}")
        return self._await_tracker()

    def _release_tracker(self) -> bool:
        """Answer a banner or an overlay that holds the tracker or its tag back.

        Return whether the tracker then runs.
        """
        view = self._observed.views[-1]
        if view.intended_tag and all(tag.runs for tag in view.tags):
            return False
        self._banner.detect(self._page)
        self._answer_banner()
        if not self._banner.answered:
            before = self._page.url
            if not self._shopper.pass_overlay():
                return False
            self._shopper.await_move(before, ROUTE_TIMEOUT)
            self._shopper.await_load()
        return self._await_tracker()

    def _enter_shop(self) -> bool:
        """Go on to the shop if the page only leads to it; return whether the tracker then runs."""
        entrance = self._observed.views[-1]
        if entrance.intended_tag or entrance.mentions_script or entrance.fails:
            return False
        with self._noted():
            link = find_entrance(self._page)
            if link is None:
                return False
            self._shopper.follow(link, ROUTE_TIMEOUT)
            if self._await_tracker():
                self._observed.steps[OPEN] = f"{entrance.url} leads to {self._page.url}"
                return True
        # What is wrong is wrong with the page that was asked for.
        self._observed.views = [entrance]
        return False

    def _browse(self) -> None:
        with self._in_step(OPEN):
            if not self._banner.answered:
                self._banner.detect(self._page)
            self._shopper.scroll()
            self._answer_banner()
            self._shopper.deliver()
            self._shopper.await_rest()
        if self._observed.reloading:
            return
        for part in (self._search_shop, self._open_category, self._open_product):
            with self._noted():
                part()

    def _answer_banner(self) -> None:
        banner = self._banner
        if self._observed.banner:
            return
        # A bundle's settings are in its code.
        is_known = bool(self._observed.views and self._observed.views[-1].settings)
        waits = self._shopper.consent != GRANTED or not self._observed.is_running or not is_known
        needs_answer = waits or self._options.refuse
        if needs_answer:
            self._shopper.wait(lambda: bool(banner.platform) or banner.absent, BANNER_TIMEOUT)
        if banner.platform:
            self._shopper.wait(lambda: banner.answered, BANNER_TIMEOUT)
        elif needs_answer:
            banner.press_button(self._page)
        if banner.answered:
            self._observed.banner = banner.platform
            self._shopper.await_load()
            self._shopper.await_start()
            if not self._options.refuse:
                self._shopper.scroll()

    def _search_shop(self) -> None:
        if self._search():
            self._look(RESULTS)
            self._open_next_page()

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
            pause(self._page, self._shopper.threshold("suggestionMs") + 2 * MARGIN_MS)
            chosen = choose_suggestion(self._page, box)
            self._observed.steps[SEARCH] = f'"{query}"' + (f', chose "{chosen}"' if chosen else "")
            self._observed.searched |= {chosen, box.input_value()} - {""}
            self._shopper.flush()
        self._recorder.step = RESULTS
        # Something may have removed the box; the page of results may respond late.
        with suppress(BrowserError):
            box.press("Enter", no_wait_after=True)
        if not self._shopper.await_move(before, START_TIMEOUT) and query not in before:
            self._observed.steps[RESULTS] = "the search did not change the page's URL"
            return self._shows_other_products()
        self._shopper.await_load()
        self._observed.searched |= query_values(self._page.url)
        return True

    def _shows_other_products(self) -> bool:
        """Return whether the page shows other products than when the search began."""
        before = self._observed.views[-1].elements
        return self._shopper.read(RESULTS).elements != before

    def _open_next_page(self) -> None:
        link = find_next_page(self._page)
        if link and not self._shopper.is_late:
            # A button that loads more products may leave the URL as it is.
            self._follow(link, SECOND_PAGE, ROUTE_TIMEOUT)

    def _open_category(self) -> None:
        """Look through a category or two, if no page so far has shown products."""
        views = self._observed.views
        if any(each.elements or each.unknown or each.ignored for each in views):
            return
        for link in find_categories(self._page):
            if not self._shopper.is_late:
                self._follow(link, CATEGORY, START_TIMEOUT)
            if self._observed.views[-1].elements:
                return

    def _open_product(self) -> None:
        link = find_product(self._page)
        if link is None or self._shopper.is_late:
            self._observed.steps[PRODUCT_PAGE] = "no link to a product was found"
        else:
            self._follow(link, PRODUCT_PAGE, START_TIMEOUT)

    # The parts of a step

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Go on after what fails, as when a script leaves the page, and note it with the step."""
        try:
            yield
        except BrowserError as error:
            self._observed.note(self._recorder.step, f"broke off: {error_message(error)}")

    @contextmanager
    def _in_step(self, step: str) -> Iterator[None]:
        """Attribute what happens to a step, and read the page at its end."""
        self._recorder.step = step
        self._observed.steps.setdefault(step, "")
        with self._noted():
            yield
        with self._noted():
            view = self._shopper.read(step)
            others = [each for each in self._observed.views if each.step != step]
            if others and site_of(view.url) != self._site:
                # It may belong to another shop, for example.
                self._observed.note(step, f"the page at {view.url} is not the shop's")
            elif others and view.intended_tag is None and (wall := read_wall(self._page)):
                # A shop may require a login to buy, and leave its tag out on that page.
                self._observed.note(step, f"the page at {view.url} {WALLS[wall]}")
            else:
                self._observed.views = [*others, view]

    def _follow(self, link: Locator, step: str, timeout: float) -> None:
        """Open the page of a step by a link, which changes the URL within a timeout in seconds."""
        self._recorder.step = step
        self._shopper.follow(link, timeout)
        self._look(step)

    def _look(self, step: str) -> None:
        """Look through the page that a step has opened."""
        with self._in_step(step):
            self._shopper.look()

    def _release_held(self) -> None:
        """Grant consent in the banner's place, and record whether that releases events.

        This distinguishes held events from no events at all.
        """
        observed = self._observed
        if observed.events or observed.suppressed or observed.refused or not observed.is_running:
            return
        try_evaluate(self._page, "() => window.neuralens('consent', 'granted')")
        wait_until(self._page, lambda: observed.held, 1)
        self._shopper.flush()
        wait_until(self._page, lambda: bool(observed.batches), 1)
