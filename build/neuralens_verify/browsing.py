"""A visit to the shop: opens it, answers the banner, scrolls, searches, opens a product."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from neuralens_tracker.attributes import LANDING, PRODUCT, PURCHASE_ORDER, SUGGESTION
from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.vocabulary import GRANTED
from playwright.sync_api import (
    APIRequestContext,
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Request,
    Response,
)
from playwright.sync_api import Error as BrowserError

from neuralens_verify.addresses import ask_health, fetch_script, first_line, has_taken, probe
from neuralens_verify.banners import Banner
from neuralens_verify.diagnoses import OPEN, PRODUCT_PAGE, RESULTS, SEARCH, SECOND_PAGE
from neuralens_verify.observations import (
    ACCEPTED,
    Element,
    Event,
    Observations,
    Post,
    Suppressed,
    Tag,
    View,
    Violation,
    normalize,
    texts_of_address,
)

HERE = Path(__file__).parent / "page"
OBSERVE, READ = (HERE / "observe.js").read_text("utf-8"), (HERE / "read.js").read_text("utf-8")
ITEMS = [PRODUCT, SUGGESTION, LANDING, PURCHASE_ORDER]

# Seconds: for a page to load; for the tracker to start; for a banner to appear where nothing is
# sent without one; for events to be taken; for the relay to hand them on.
LOADING, STARTING, APPEARING, DELIVERING, FORWARDING = 20.0, 4.0, 4.0, 5.0, 4.0
# Seconds after which a visit begins no further step.
LONGEST = 45.0
# Windows scrolled through at each step.
SCREENS = 3
# Milliseconds between keys, and beside the tracker's own times until something counts as seen.
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
# Goes on to the next window; false at the end of the page.
SCROLL = """() => {
  const before = scrollY;
  scrollBy({ top: innerHeight * 0.8, behavior: "instant" });
  return scrollY !== before;
}"""
SIGNAL = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"
# A word of a product on the page that a search would find.
GUESS = """() => {
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
    """The shop cannot be opened: one sentence that says why."""


@dataclass(frozen=True)
class Wishes:
    """How a visit is to go.

    ``refuse``: refuse the banner instead of accepting it. ``query``: what to search for, "" for a
    word of a product. ``gpc``: whether the browser says Global Privacy Control. ``relay``: the
    relay's own address, "" for that of the endpoint; ``token`` its NEURALENS_STATUS_TOKEN.
    """

    refuse: bool = False
    query: str = ""
    gpc: bool = False
    relay: str = ""
    token: str = ""


def visit(browser: Browser, address: str, wishes: Wishes) -> Observations:
    """Visit a shop and return what was seen; raises UnreachableError when it cannot be opened."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        return Visit(context, address, wishes).make()


class Visit:
    """One visit, in a browser profile of its own."""

    def __init__(self, context: BrowserContext, address: str, wishes: Wishes) -> None:
        self._wishes = wishes
        self._seen = Observations(address, wishes.refuse)
        self._step = OPEN
        self._began = time.monotonic()
        self._posts: dict[Request, Post] = {}
        # What the page still captures while the relay is asked is no part of the visit.
        self._ended = False
        self._banner = Banner(wishes.refuse)
        if wishes.gpc:
            context.set_extra_http_headers({"Sec-GPC": "1"})
            context.add_init_script(SIGNAL)
        context.expose_binding("neuralensVerify", self._hear)
        context.add_init_script(OBSERVE)
        self._banner.watch(context)
        context.on("request", self._note_request)
        context.on("response", self._note_response)
        context.on("requestfailed", self._note_failure)
        context.on("console", self._note_console)
        self._page = context.new_page()
        self._page.on("pageerror", lambda error: self._seen.thrown.append(str(error)))
        self._http: APIRequestContext = context.request

    def make(self) -> Observations:
        """Make the visit, and ask what cannot be seen in the browser."""
        self._open()
        if self._starts():
            self._browse()
        self._ended = True
        self._ask()
        return self._seen

    # The steps

    def _open(self) -> None:
        try:
            answer = self._page.goto(self._seen.address, wait_until="load", timeout=LOADING * 1000)
        except BrowserError as error:
            raise UnreachableError(
                f"cannot open {self._seen.address}: {first_line(error)}"
            ) from error
        if answer is not None and answer.status >= 400:
            raise UnreachableError(f"{self._seen.address} answers {answer.status}")

    def _starts(self) -> bool:
        """Wait for the tracker; return whether it runs, and keep what the page holds if not."""
        with self._making(OPEN):
            self._until(lambda: self._version() is not None, STARTING)
        return self._seen.runs

    def _browse(self) -> None:
        with self._making(OPEN):
            self._banner.look(self._page)
            self._scroll()
            self._answer_banner()
            self._settle()
        if self._search():
            with self._making(RESULTS):
                self._scroll()
                self._settle()
            self._turn_page()
        self._open_product()

    def _answer_banner(self) -> None:
        banner, waits = self._banner, self._consent() != GRANTED
        if waits or self._wishes.refuse:
            self._until(lambda: bool(banner.found) or banner.absent, APPEARING)
        if banner.found:
            self._until(lambda: banner.done, APPEARING)
        elif waits or self._wishes.refuse:
            banner.press(self._page)
        if banner.done:
            self._seen.answered = banner.found
            self._await_load()
            self._until(lambda: self._version() is not None, STARTING)
            if not self._wishes.refuse:
                self._scroll()

    def _search(self) -> bool:
        """Search, by a suggestion where there are any; return whether that led to results."""
        box = self._find_search_box()
        if box is None:
            self._seen.steps[SEARCH] = "no search box was found: name what to search for"
            return False
        query = self._wishes.query or self._page.evaluate(GUESS) or "a"
        before = self._page.url
        with self._making(SEARCH):
            box.click()
            box.press_sequentially(query, delay=KEY_MS)
            self._seen.searched.add(query)
            self._pause(self._setting("suggestionMs") + 2 * MARGIN_MS)
            chosen = self._choose_suggestion(box)
            self._seen.steps[SEARCH] = f'"{query}"' + (f', chose "{chosen}"' if chosen else "")
            self._seen.searched |= {chosen, box.input_value()} - {""}
            self._flush()
        self._step = RESULTS
        box.press("Enter")
        moved = self._until(lambda: self._page.url != before, STARTING)
        if not moved and query not in before:
            self._seen.steps[RESULTS] = "the search led to no other address"
            return False
        self._await_load()
        self._seen.searched |= texts_of_address(self._page.url)
        return True

    def _choose_suggestion(self, box: Locator) -> str:
        """Go down to the first suggestion; return its text, "" where there is none."""
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
            buttons.first.click()
            self._pause(2 * MARGIN_MS)
        return boxes.first if boxes.count() else None

    def _turn_page(self) -> None:
        following = self._page.locator(NEXT_PAGES).locator("visible=true")
        if following.count() == 0 or self._is_late():
            return
        before = self._page.url
        self._step = SECOND_PAGE
        following.first.click()
        self._until(lambda: self._page.url != before, 1)
        self._await_load()
        with self._making(SECOND_PAGE):
            self._scroll()
            self._settle()

    def _open_product(self) -> None:
        links = self._page.locator(
            "[data-nl-product]:is(a[href]), [data-nl-product] a[href]:not([data-nl-action])"
        ).locator("visible=true")
        if links.count() == 0 or self._is_late():
            self._seen.steps[PRODUCT_PAGE] = "no link to a product was found"
            return
        before = self._page.url
        self._step = PRODUCT_PAGE
        links.first.click()
        self._until(lambda: self._page.url != before, STARTING)
        self._await_load()
        with self._making(PRODUCT_PAGE):
            self._until(lambda: self._version() is not None, STARTING)
            self._scroll()
            self._settle()

    # The parts of a step

    @contextmanager
    def _making(self, step: str) -> Iterator[None]:
        """Do something in a step, and keep the page as it then stands."""
        self._step = step
        self._seen.steps.setdefault(step, "")
        with suppress(BrowserError):
            yield
        with suppress(BrowserError):
            self._seen.views = [each for each in self._seen.views if each.step != step]
            self._seen.views.append(self._read())

    def _scroll(self) -> None:
        """Show what is on the page, window by window, for as long as a product must be seen."""
        wait = self._setting("viewMs") + MARGIN_MS
        self._pause(wait)
        for _ in range(SCREENS - 1):
            if not self._page.evaluate(SCROLL) or self._is_late():
                break
            self._pause(wait)
        self._page.evaluate("() => scrollTo({top: 0, behavior: 'instant'})")

    def _settle(self) -> None:
        """Send what waits, and wait until the browser knows what became of it."""
        self._flush()
        self._until(self._is_settled, DELIVERING)

    def _is_settled(self) -> bool:
        """Return whether it is known what became of every event, as far as this page will know."""
        known = {
            eid
            for post in self._seen.posts
            if post.left or post.status is not None
            for eid in post.eids
        }
        return {event.eid for event in self._seen.events} <= known

    def _flush(self) -> None:
        with suppress(BrowserError):
            self._page.evaluate("() => window.neuralens?.('flush')")

    def _await_load(self) -> None:
        with suppress(BrowserError):
            self._page.wait_for_load_state("load", timeout=LOADING * 1000)

    def _read(self) -> View:
        found = self._page.evaluate(READ, ITEMS)
        return View(
            step=self._step,
            url=self._page.url,
            document=found["document"],
            tags=tuple(
                tag
                for each in found["tags"]
                if (tag := Tag(each["src"], each["integrity"], each["settings"])).runs
                or "appId" in tag.settings
            ),
            version=found["version"],
            gpc=found["gpc"],
            elements=tuple(Element(**item) for item in found["items"]),
            queries=tuple(found["queries"]),
        )

    def _version(self) -> str | None:
        with suppress(BrowserError):
            version: str | None = self._page.evaluate("() => window.neuralens?.version ?? null")
            return version
        return None

    def _consent(self) -> str:
        settings = self._seen.views[-1].settings if self._seen.views else {}
        return settings.get("consent", GRANTED)

    def _setting(self, name: str) -> int:
        """Return a setting of milliseconds, as the page's tag has it."""
        given = self._seen.views[-1].settings.get(name, "") if self._seen.views else ""
        return int(given) if given.isdecimal() else int(SETTINGS[name].default)

    def _is_late(self) -> bool:
        return time.monotonic() - self._began > LONGEST

    def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition, at most so long; return whether it came true."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._pause(25)
        return True

    def _pause(self, milliseconds: float) -> None:
        # Not time.sleep: what the browser says is heard while Playwright waits.
        with suppress(BrowserError):
            self._page.wait_for_timeout(milliseconds)

    # What is asked outside the page

    def _ask(self) -> None:
        """Ask for scripts, the endpoint and the relay's health, as the last pages name them."""
        seen = self._seen
        for view in seen.views:
            for tag in view.loading:
                if tag.src not in seen.scripts:
                    seen.scripts[tag.src] = fetch_script(self._http, tag.src)
        if not seen.views:
            return
        view = seen.views[-1]
        endpoint = seen.posts[-1].url if seen.posts else view.endpoint
        application = seen.posts[-1].app if seen.posts else view.settings.get("appId", "?")
        seen.probe = probe(self._http, endpoint, view.url, application)
        self._confirm()
        if seen.runs:
            seen.health = self._await_health(self._wishes.relay or endpoint.rpartition("/")[0])

    def _confirm(self) -> None:
        """Ask the relay for what was sent as a page was left: no browser tells of that."""
        # The page goes on meanwhile.
        for request, post in list(self._posts.items()):
            unknown = post.status is None and not set(post.eids) <= self._seen.acknowledged
            body = request.post_data or ""
            if unknown and has_taken(self._http, request.url, body, len(post.eids)):
                post.status = ACCEPTED

    def _await_health(self, relay: str) -> Any:
        """Return the relay's health once nothing waits any more, or it says why something does."""
        deadline = time.monotonic() + FORWARDING
        while True:
            health = ask_health(self._http, relay.rstrip("/"), self._wishes.token)
            done = health is None or health.waiting == 0 or health.reasons
            if done or time.monotonic() > deadline:
                return health
            self._pause(50)

    # What the browser tells

    def _hear(self, source: dict[str, Any], text: str) -> None:
        told = json.loads(text)
        name, detail = told["name"], told["detail"]
        if name == "event" and not self._ended:
            ids = tuple(str(item["id"]) for item in detail["items"])
            page, query = detail.get("page"), detail.get("query")
            event = Event(
                self._step, detail["eid"], detail["event"], ids, detail.get("index"), page, query
            )
            self._seen.events.append(event)
        elif name == "suppressed":
            event_name = str(detail["event"]["event"])
            self._seen.suppressed.append(Suppressed(self._step, event_name, detail["reason"]))
        elif name == "violation":
            self._seen.violations.append(Violation(**detail))
        elif name == "error":
            self._seen.said.append(detail["message"])

    def _note_request(self, request: Request) -> None:
        """Note a batch: what is posted with the id of one in its address."""
        batch = read_batch(request)
        if batch is None:
            return
        url = request.url.partition("?")[0]
        eids = tuple(event["eid"] for event in batch["events"])
        post = Post(self._step, url, str(batch.get("app", "")), eids)
        self._posts[request] = post
        self._seen.posts.append(post)

    def _note_response(self, response: Response) -> None:
        post = self._posts.get(response.request)
        if post is not None:
            post.status = response.status

    def _note_failure(self, request: Request) -> None:
        post = self._posts.get(request)
        if post is not None:
            post.left = True

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.text.startswith("neuralens: "):
            self._seen.said.append(message.text.removeprefix("neuralens: "))


def read_batch(request: Request) -> dict[str, Any] | None:
    """Return the batch in a request; None in one that is none."""
    if request.method != "POST" or "b=" not in urlsplit(request.url).query:
        return None
    try:
        batch = json.loads(request.post_data or "")
        return batch if all("eid" in event for event in batch["events"]) else None
    except (ValueError, KeyError, TypeError):
        return None
