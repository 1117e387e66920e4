"""A visit to a shop: opens it, answers the banner, scrolls, searches, and opens a product."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from neuralens_embed.placeholders import CURRENCY
from neuralens_tracker.attributes import (
    CONTEXT,
    ITEMS,
    LANDING,
    PRODUCT,
    PURCHASE_ORDER,
    SUGGESTION,
)
from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.vocabulary import ACCEPTED, GRANTED
from playwright.sync_api import (
    APIRequestContext,
    Browser,
    BrowserContext,
    ConsoleMessage,
    HttpCredentials,
    Locator,
    Request,
    Response,
)
from playwright.sync_api import Error as BrowserError

from neuralens_verify.banners import Banner
from neuralens_verify.findings import OPEN, PRODUCT_PAGE, RESULTS, SEARCH, SECOND_PAGE
from neuralens_verify.observations import (
    Batch,
    Element,
    Event,
    Observations,
    Script,
    Suppressed,
    Tag,
    View,
    Violation,
    normalize,
    query_values,
)
from neuralens_verify.opening import WALLS, explain_error, explain_status, explain_wall
from neuralens_verify.probes import (
    error_message,
    fetch_health,
    fetch_script,
    integrity,
    make_batch,
    probe_endpoint,
    resend,
)
from neuralens_verify.served import Served

HERE = Path(__file__).parent / "page"
OBSERVE_SCRIPT, READ_SCRIPT, DWELL_SCRIPT, WALL_SCRIPT = (
    (HERE / name).read_text("utf-8") for name in ("observe.js", "read.js", "dwell.js", "wall.js")
)
# The attributes whose values are ids, and all that there are.
IDENTIFYING, KNOWN = [PRODUCT, SUGGESTION, LANDING, PURCHASE_ORDER], [*CONTEXT, *ITEMS]

# Seconds until a page responds; until it has loaded, which a resource that never does must not
# prevent; until what it then fetches has arrived; and until the tracker has started.
RESPONSE_TIMEOUT, LOAD_TIMEOUT, FETCH_TIMEOUT, START_TIMEOUT = 20.0, 8.0, 3.0, 4.0
# Seconds until something can be clicked.
ACTION_TIMEOUT = 4.0
# Seconds until the consent banner appears, and until it is answered.
BANNER_TIMEOUT = 4.0
# Seconds until the relay has acknowledged the events, and until it has forwarded them.
DELIVERY_TIMEOUT, FORWARD_TIMEOUT = 5.0, 4.0
# Seconds after which no further step is started.
MAX_VISIT = 45.0
# Viewports scrolled through in each step.
SCREENS = 3
# The longest viewability threshold that is waited for, in milliseconds.
MAX_THRESHOLD_MS = 5000
# Milliseconds between keystrokes, and in addition to the tracker's viewability thresholds.
KEY_MS, MARGIN_MS = 40, 150

SEARCH_BOXES = (
    "[data-nl-suggestions] input, input[data-nl-suggestions], input[type=search],"
    " input[role=combobox], [role=search] input:not([type=hidden]), input[name=q],"
    " input[name*=search i], input[name=query], input[placeholder*=search i]"
)
SEARCH_BUTTONS = "button[aria-label*=search i], a[aria-label*=search i], summary:has-text('Search')"
NEXT_PAGES = (
    "a[rel~=next], [aria-label*='next page' i], nav a:text-is('2'), .pagination a:text-is('2'),"
    " a:text-matches('^\\s*(next|load more|show more|weiter|suivant)', 'i'),"
    " button:text-matches('^\\s*(next|load more|show more)', 'i')"
)
# Scrolls on by less than a viewport; false at the end of the page.
SCROLL = """() => {
  const before = scrollY;
  scrollBy({ top: innerHeight * 0.8, behavior: "instant" });
  return scrollY !== before;
}"""
# Returns what the page receives for a URL, in base64.
FETCH_SCRIPT = """async (url) => {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""
GPC_SCRIPT = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"
# Returns a word of a product's name, for which a search should have results.
GUESS_QUERY = """() => {
  for (const tile of document.querySelectorAll("[data-nl-product]")) {
    const headings = [...tile.querySelectorAll("h1, h2, h3, h4, a, b, strong")];
    for (const named of [...headings, tile]) {
      const words = named.innerText.match(/\\p{L}{4,}/gu) ?? [];
      if (words.length > 0) return words.at(-1).toLowerCase();
    }
  }
  return "";
}"""


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
        return Visit(context, bare, options).run()


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


class Visit:
    """One visit, in its own browser profile."""

    def __init__(self, context: BrowserContext, address: str, options: Options) -> None:
        self._options = options
        self._observed = Observations(address, options.refuse)
        self._step = OPEN
        self._began = time.monotonic()
        self._batches: dict[Request, Batch] = {}
        # The captured events by their ids, as they are sent.
        self._details: dict[str, Any] = {}
        # What the page itself is fetching.
        self._fetches: set[Request] = set()
        # The URLs of scripts that a service worker has answered.
        self._worked: set[str] = set()
        # Events that the page captures during the probes are not part of the visit.
        self._ended = False
        # The response with the current document.
        self._document: Response | None = None
        self._banner = Banner(options.refuse)
        if options.gpc:
            context.set_extra_http_headers({"Sec-GPC": "1"})
            context.add_init_script(GPC_SCRIPT)
        context.set_default_timeout(ACTION_TIMEOUT * 1000)
        context.expose_binding("neuralensVerify", self._on_message)
        context.add_init_script(OBSERVE_SCRIPT)
        self._banner.watch(context)
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        context.on("requestfailed", self._on_failure)
        context.on("requestfinished", self._on_finish)
        context.on("console", self._on_console)
        self._page = context.new_page()
        self._page.on("pageerror", lambda error: self._observed.exceptions.append(str(error)))
        self._http: APIRequestContext = context.request

    def run(self) -> Observations:
        """Make the visit, then probe what a page cannot observe."""
        self._open()
        if self._await_tracker() or self._release_tracker():
            self._browse()
        self._ended = True
        self._release_held()
        self._probe()
        return self._observed

    # The steps

    def _open(self) -> None:
        address = self._observed.address
        try:
            response = self._page.goto(
                address, wait_until="commit", timeout=RESPONSE_TIMEOUT * 1000
            )
        except BrowserError as error:
            raise UnreachableError(explain_error(address, error_message(error))) from error
        if response is not None and response.status >= 400:
            raise UnreachableError(explain_status(address, response.status))
        self._await_load()

    def _await_tracker(self) -> bool:
        """Wait for the tracker to start; return whether it runs."""
        with self._in_step(OPEN):
            self._await_start()
        address = self._observed.address
        if not self._observed.views:
            raise UnreachableError(f"cannot read {address}: it never stays loaded")
        if self._observed.views[-1].intended_tag is None and (wall := self._wall()):
            raise UnreachableError(explain_wall(address, self._page.url, wall))
        return self._observed.is_running

    def _await_start(self) -> bool:
        """Wait for the tracker to start on the current page; return whether it has."""

        def has_started() -> bool:
            return self._version() is not None

        if self._wait_until(has_started, START_TIMEOUT):
            return True
        # Tag managers and performance plug-ins insert scripts late, or once the shopper moves.
        with suppress(BrowserError):
            self._page.mouse.wheel(0, 200)
        return self._wait_until(has_started, START_TIMEOUT)

    def _release_tracker(self) -> bool:
        """Answer the banner on which an inert tag waits; return whether the tracker then runs."""
        if all(tag.runs for tag in self._observed.views[-1].tags):
            return False
        self._banner.detect(self._page)
        self._answer_banner()
        return self._await_tracker()

    def _browse(self) -> None:
        with self._in_step(OPEN):
            if not self._banner.answered:
                self._banner.detect(self._page)
            self._scroll()
            self._answer_banner()
            self._deliver()
        if self._search():
            with self._in_step(RESULTS):
                self._await_start()
                self._scroll()
                self._deliver()
            self._open_next_page()
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
            self._wait_until(lambda: bool(banner.platform) or banner.absent, BANNER_TIMEOUT)
        if banner.platform:
            self._wait_until(lambda: banner.answered, BANNER_TIMEOUT)
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
        box = self._find_search_box()
        if box is None:
            self._observed.steps[SEARCH] = "no search box was found"
            return False
        query = self._options.query or self._page.evaluate(GUESS_QUERY) or "a"
        before = self._page.url
        with self._in_step(SEARCH):
            press(box)
            box.focus()
            box.clear()
            box.press_sequentially(query, delay=KEY_MS)
            self._observed.searched.add(query)
            self._pause(self._setting("suggestionMs") + 2 * MARGIN_MS)
            chosen = self._choose_suggestion(box)
            self._observed.steps[SEARCH] = f'"{query}"' + (f', chose "{chosen}"' if chosen else "")
            self._observed.searched |= {chosen, box.input_value()} - {""}
            self._flush()
        self._step = RESULTS
        box.press("Enter")
        moved = self._wait_until(lambda: self._page.url != before, START_TIMEOUT)
        if not moved and query not in before:
            self._observed.steps[RESULTS] = "the search did not change the page's URL"
            return False
        self._await_load()
        self._observed.searched |= query_values(self._page.url)
        return True

    def _choose_suggestion(self, box: Locator) -> str:
        """Select the first suggestion by keyboard; return its text, "" if there is none."""
        options = self._page.locator("[role=option]:visible, [data-nl-suggestion]:visible")
        if options.count() == 0:
            return ""
        box.press("ArrowDown")
        self._pause(MARGIN_MS)
        active = box.get_attribute("aria-activedescendant")
        chosen = (
            self._page.locator(f'[id="{active}"]')
            if active
            else options.and_(self._page.locator("[aria-selected=true]"))
        )
        if chosen.count() == 0:
            return ""
        return normalize(
            chosen.first.get_attribute(SUGGESTION) or chosen.first.inner_text(timeout=1000)
        )

    def _find_search_box(self) -> Locator | None:
        boxes = self._page.locator(SEARCH_BOXES).locator("visible=true")
        if boxes.count() == 0:
            buttons = self._page.locator(SEARCH_BUTTONS).locator("visible=true")
            if buttons.count() == 0:
                return None
            press(buttons.first)
            self._pause(2 * MARGIN_MS)
        return boxes.first if boxes.count() else None

    def _open_next_page(self) -> None:
        links = self._page.locator(NEXT_PAGES).locator("visible=true")
        if links.count() == 0 or self._is_late():
            return
        before = self._page.url
        self._step = SECOND_PAGE
        press(links.first)
        self._wait_until(lambda: self._page.url != before, 1)
        self._await_load()
        with self._in_step(SECOND_PAGE):
            self._await_start()
            self._scroll()
            self._deliver()

    def _open_product(self) -> None:
        links = self._page.locator(
            "[data-nl-product]:is(a[href]), [data-nl-product] a[href]:not([data-nl-action])"
        ).locator("visible=true")
        if links.count() == 0 or self._is_late():
            self._observed.steps[PRODUCT_PAGE] = "no link to a product was found"
            return
        before = self._page.url
        self._step = PRODUCT_PAGE
        press(links.first)
        self._wait_until(lambda: self._page.url != before, START_TIMEOUT)
        self._await_load()
        with self._in_step(PRODUCT_PAGE):
            self._await_start()
            self._scroll()
            self._deliver()

    # The parts of a step

    @contextmanager
    def _in_step(self, step: str) -> Iterator[None]:
        """Attribute what happens to a step, and read the page at its end."""
        self._step = step
        self._observed.steps.setdefault(step, "")
        with suppress(BrowserError):
            yield
        with suppress(BrowserError):
            view = self._read()
            others = [each for each in self._observed.views if each.step != step]
            if others and view.intended_tag is None and (wall := self._wall()):
                # A shop may ask for a login where it begins to sell, and leave its tag out there.
                self._observed.steps[step] = f"the page at {view.url} {WALLS[wall]}"
            else:
                self._observed.views = [*others, view]

    def _scroll(self) -> None:
        """Scroll through the page, pausing until each viewport's products count as seen."""
        self._dwell()
        for _ in range(SCREENS - 1):
            if not self._page.evaluate(SCROLL) or self._is_late():
                break
            self._dwell()
        self._page.evaluate("() => scrollTo({top: 0, behavior: 'instant'})")

    def _dwell(self) -> None:
        """Stay until the products in the viewport count as seen."""
        with suppress(BrowserError):
            self._page.evaluate(DWELL_SCRIPT, self._setting("viewMs") + MARGIN_MS)

    def _deliver(self) -> None:
        """Flush the queue, and wait until the outcome of every event is known."""
        self._flush()
        self._wait_until(self._is_delivered, DELIVERY_TIMEOUT)

    def _is_delivered(self) -> bool:
        """Return whether the outcome of every event is known, or cannot become known."""
        known = {
            eid
            for batch in self._observed.batches
            if batch.failed or batch.status is not None
            for eid in batch.eids
        }
        return {event.eid for event in self._observed.events} <= known

    def _flush(self) -> None:
        with suppress(BrowserError):
            self._page.evaluate("() => window.neuralens?.('flush')")

    def _wall(self) -> str:
        """Return what stands in the way of the shop, as in wall.js; "" for nothing."""
        with suppress(BrowserError):
            wall: str = self._page.evaluate(WALL_SCRIPT)
            return wall
        return ""

    def _await_load(self) -> None:
        with suppress(BrowserError):
            self._page.wait_for_load_state("load", timeout=LOAD_TIMEOUT * 1000)
        self._pause(MARGIN_MS)
        self._wait_until(lambda: not self._fetches, FETCH_TIMEOUT)

    def _read(self) -> View:
        try:
            found = self._page.evaluate(READ_SCRIPT, [IDENTIFYING, KNOWN, CURRENCY])
        except BrowserError:
            # A script has left the page, such as for that of a language: read the one it leads to.
            self._page.wait_for_load_state("load", timeout=LOAD_TIMEOUT * 1000)
            found = self._page.evaluate(READ_SCRIPT, [IDENTIFYING, KNOWN, CURRENCY])
        # Later, the shop itself may have replaced what it has loaded.
        shown = {each.document for each in self._observed.views if each.step != self._step}
        served = Served("") if found["document"] in shown else self._read_served()
        return View(
            step=self._step,
            url=self._page.url,
            document=found["document"],
            tags=tuple(
                tag
                for each in found["tags"]
                if (tag := Tag(**each)).is_tracker or tag.is_addon or "appId" in tag.settings
            ),
            version=found["version"],
            gpc=found["gpc"],
            elements=tuple(Element(**item) for item in found["items"]),
            queries=tuple(found["queries"]),
            unknown=tuple(found["unknown"]),
            configuration=found["configuration"],
            removed=tuple(
                f'{name}="{value}"' for name, value in served.items if name not in found["present"]
            ),
            status=self._document.status if self._document else 200,
            mentions_script=served.mentions_script,
            duplicates=tuple(map(str, served.duplicates)),
        )

    def _read_served(self) -> Served:
        """Read the HTML as the server has sent it; empty after a change of route without a load."""
        if self._document is None or self._document.url != self._page.url.partition("#")[0]:
            return Served("")
        try:
            return Served(self._document.text())
        except BrowserError:
            # The browser has forgotten it, or it is not text.
            return Served("")

    def _version(self) -> str | None:
        with suppress(BrowserError):
            version: str | None = self._page.evaluate("() => window.neuralens?.version ?? null")
            return version
        return None

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

    def _wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds; return whether it did before the timeout."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._pause(25)
        return True

    def _pause(self, milliseconds: float) -> None:
        # Not time.sleep: Playwright handles the browser's events while it waits.
        with suppress(BrowserError):
            self._page.wait_for_timeout(milliseconds)

    def _release_held(self) -> None:
        """Grant consent in the banner's place, and note whether that releases events.

        So held events are told from none at all.
        """
        observed = self._observed
        if observed.events or observed.suppressed or observed.refused or not observed.is_running:
            return
        with suppress(BrowserError):
            self._page.evaluate("() => window.neuralens('consent', 'granted')")
        self._wait_until(lambda: observed.held, 1)
        self._flush()
        self._wait_until(lambda: bool(observed.batches), 1)

    # Requests outside the page

    def _probe(self) -> None:
        """Request the pages' scripts and endpoints, and the health of the last one's relay."""
        observed = self._observed
        for view in observed.views:
            addons = [tag for tag in view.tags if tag.is_addon]
            for tag in [*view.tracker_tags, *addons, view.intended_tag]:
                if tag and tag.src not in observed.scripts:
                    observed.scripts[tag.src] = self._fetch_script(tag.src, view.url)
        if not observed.views:
            return
        for view in observed.views:
            sent = [batch for batch in observed.batches if batch.step == view.step]
            if not sent and "appId" not in view.settings:
                # A bundle's settings are in its code.
                sent = observed.batches
            endpoint = sent[-1].url if sent else view.endpoint
            application = sent[-1].app if sent else view.settings.get("appId", "")
            if (endpoint, application) not in {(each.url, each.app) for each in observed.probes}:
                script = view.intended_tag.src if view.intended_tag else view.url
                observed.probes.append(
                    probe_endpoint(self._http, endpoint, view.url, application, script)
                )
        self._read_receipts()
        if observed.is_running:
            observed.health = self._await_health(self._options.relay or endpoint.rpartition("/")[0])

    def _fetch_script(self, url: str, page: str) -> Script:
        """Fetch a page's script, also as its service worker answers, which only the page sees."""
        script = fetch_script(self._http, url, page)
        if url in self._worked:
            # The page's policy may forbid it.
            with suppress(BrowserError):
                body = base64.b64decode(self._page.evaluate(FETCH_SCRIPT, url))
                return replace(script, integrity=integrity(body))
        return script

    def _read_receipts(self) -> None:
        """Read the relay's receipts, which no browser reports, by sending the batches again.

        Those of batches sent while unloading, whose status is not reported either; and the last
        one, for events that the relay has rejected.
        """
        # A copy, because the page may send more meanwhile.
        batches = list(self._batches.items())
        for request, batch in batches:
            unknown = batch.status is None and not set(batch.eids) <= self._observed.acknowledged
            if not unknown and batch is not batches[-1][1]:
                continue
            receipt = resend(self._http, request.url, request.post_data or "")
            rejected = [each["reason"] for each in receipt.get("rejected", ())]
            if unknown and receipt.get("duplicates", 0) + len(rejected) >= len(batch.eids):
                batch.status = ACCEPTED
            self._observed.rejected.update(rejected)
        self._ask_for_unreported()

    def _ask_for_unreported(self) -> None:
        """Ask the relay for events in batches that the browser has not reported, as at an unload.

        Each is sent again, alone: the relay counts as duplicates those that it has received.
        """
        observed = self._observed
        for event in observed.events:
            probe = observed.probes[-1]
            if event.eid in observed.sent or not probe.accepted:
                continue
            body = make_batch(probe.app, self._details[event.eid])
            receipt = resend(self._http, f"{probe.url}?b={body['batch']}", json.dumps(body))
            if receipt.get("duplicates", 0) == 1:
                batch = Batch(event.step, probe.url, probe.app, (event.eid,), ACCEPTED)
                observed.batches.append(batch)

    def _await_health(self, relay: str) -> Any:
        """Return the relay's health once no event is waiting, or it gives a reason."""
        deadline = time.monotonic() + FORWARD_TIMEOUT
        while True:
            health = fetch_health(self._http, relay.rstrip("/"), self._options.token)
            done = health is None or health.waiting == 0 or health.reasons
            if done or time.monotonic() > deadline:
                return health
            self._pause(50)

    # Events from the browser

    def _on_message(self, source: dict[str, Any], text: str) -> None:
        message = json.loads(text)
        name, detail = message["name"], message["detail"]
        if name == "event" and self._ended:
            self._observed.held = True
        elif name == "event":
            ids = tuple(str(item["id"]) for item in detail["items"])
            page, query = detail.get("page"), detail.get("query")
            event = Event(
                self._step, detail["eid"], detail["event"], ids, detail.get("index"), page, query
            )
            self._observed.events.append(event)
            self._details[event.eid] = detail
        elif name == "suppressed":
            event_name = str(detail["event"]["event"])
            self._observed.suppressed.append(Suppressed(self._step, event_name, detail["reason"]))
        elif name == "violation":
            self._observed.violations.append(Violation(**detail))
        elif name == "error":
            self._observed.messages.setdefault(detail["message"], source["frame"].url)

    def _on_request(self, request: Request) -> None:
        """Record the batch in a request, if there is one, and which scripts are requested."""
        if request.resource_type == "script":
            self._observed.requested.add(request.url)
        before = request.redirected_from
        if before in self._batches:
            # The same batch, and the endpoint is where the page has sent it.
            self._batches[request] = self._batches[before]
            return
        body = read_batch(request)
        if body is None:
            if request.resource_type in ("fetch", "xhr"):
                self._fetches.add(request)
            return
        url = request.url.partition("?")[0]
        eids = tuple(event["eid"] for event in body["events"])
        batch = Batch(self._step, url, str(body.get("app", "")), eids)
        self._batches[request] = batch
        self._observed.batches.append(batch)

    def _on_response(self, response: Response) -> None:
        if response.request.resource_type == "script" and response.from_service_worker:
            self._worked.add(response.url)
        batch = self._batches.get(response.request)
        if batch is not None:
            batch.status = response.status
            batch.from_worker = response.from_service_worker
        # A frame that is just being created has no name yet.
        with suppress(BrowserError):
            request = response.request
            if request.is_navigation_request() and request.frame == self._page.main_frame:
                self._document = response

    def _on_finish(self, request: Request) -> None:
        self._fetches.discard(request)

    def _on_failure(self, request: Request) -> None:
        self._fetches.discard(request)
        batch = self._batches.get(request)
        if batch is not None:
            batch.failed = True

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.text.startswith("neuralens: "):
            text = message.text.removeprefix("neuralens: ")
            self._observed.messages.setdefault(text, self._page.url)


def press(target: Locator) -> None:
    """Click an element, also one that something covers, such as an offer of a newsletter."""
    try:
        target.click()
    except BrowserError:
        target.evaluate("(element) => element.click()")


def read_batch(request: Request) -> dict[str, Any] | None:
    """Return the batch in a request, or None."""
    if request.method != "POST" or "b=" not in urlsplit(request.url).query:
        return None
    try:
        batch = json.loads(request.post_data or "")
        return batch if all("eid" in event for event in batch["events"]) else None
    except (ValueError, KeyError, TypeError):
        return None
