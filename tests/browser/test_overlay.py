"""The overlay: outlines and the list of events on the page, and the lines on the console."""

from collections.abc import Callable
from typing import Any

import pytest
from neuralens_embed.notation import describe_body
from neuralens_tracker.vocabulary import VERSION
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.browser.page import round_trip
from tests.polling import eventually

RESULTS = """<ol data-nl-list="r" data-nl-page="SEARCH_RESULT_PAGE" data-nl-query="oak chair">
    <li data-nl-product="A" data-nl-index="7">A</li>
    <li data-nl-product="B" aria-posinset="3">B</li>
    <li data-nl-product="C">C</li>
    <li data-nl-product="">none</li>
    <li data-nl-product="E" data-nl-page="HOME">E</li>
    <li data-nl-product="F" style="opacity: 0">F</li>
    <li data-nl-ignore><i data-nl-product="G">G</i></li>
    <li><button data-nl-action="buy">H</button></li></ol>
    <ol data-nl-purchase="O-1"><li data-nl-product="K">K</li></ol>"""
HERE = "SEARCH_RESULT_PAGE · “oak chair” (markup)"


@pytest.fixture
def overlaid(show: Callable[..., Page]) -> Callable[..., Page]:
    """Show a page with the overlay."""

    def overlaid(body: str = RESULTS, **settings: Any) -> Page:
        page = show(body, **{"debug": True, **settings})
        expect(panel(page)).to_be_visible()
        return page

    return overlaid


def panel(page: Page) -> Locator:
    return page.locator("neuralens-overlay section")


def labels(page: Page, kind: str) -> list[str]:
    """Return the labels of the visible frames, in order."""
    frames = page.locator(f"neuralens-overlay .frame.{kind}:visible")
    return [text.replace("\n", " | ") for text in frames.all_inner_texts()]


def test_items_are_outlined_with_labels(overlaid):
    page = overlaid()
    expect(page.locator("neuralens-overlay .frame:visible")).to_have_count(9)
    assert labels(page, "right") == [
        f"A | rank 7 (explicit) · {HERE}",
        f"B | rank 2 (posinset) · {HERE}",
        f"C | rank 2 (order) · {HERE}",
        "O-1",
    ]
    wrong = labels(page, "wrong")
    assert [text.split(" | ")[-1] for text in wrong] == [
        "data-nl-product must be text",
        "data-nl-page must be one of SEARCH_RESULT_PAGE, AUTOCOMPLETE, CATEGORY_PAGE, PRODUCT_PAGE",
        "not visible",
        "data-nl-action must be one of add-to-cart, favorite, share",
        "an order line: no views",
    ]


def test_a_frame_follows_its_item(overlaid):
    page = overlaid(
        '<div style="height: 2000px"></div><p data-nl-product="A" style="width: 300px">A</p>'
    )
    page.locator("p").scroll_into_view_if_needed()
    frame = page.locator("neuralens-overlay .frame")
    page.wait_for_function(
        """() => {
            const edges = (element) => element.getBoundingClientRect().toJSON();
            const frame = document.querySelector("neuralens-overlay").shadowRoot
                .querySelector(".frame");
            const [a, b] = [edges(frame), edges(document.querySelector("p"))];
            return ["left", "top", "width", "height"].every((side) => a[side] === b[side]);
        }"""
    )
    expect(frame).to_have_css("pointer-events", "none")


def test_events_are_listed_with_cause_and_delivery(overlaid, ledger):
    page = overlaid('<p data-nl-product="A">A</p><h1 data-nl-landing="L">L</h1>', query="oak")
    page.click("p")
    page.evaluate("neuralens('track', 'SHARE', {id: 'S'})")
    page.evaluate("neuralens('track', 'SHARE', {})")
    page.evaluate("neuralens('nonsense')")
    page.evaluate("neuralens('flush')")
    listed = page.locator("neuralens-overlay li:has(b)")
    expect(listed.filter(has_text="delivered").filter(has_not_text="not")).to_have_count(4)
    texts = sorted(text.replace("\n", " | ") for text in listed.all_inner_texts())
    assert texts == [
        "CLICK_PRODUCT A | “oak” (page) | sent: the shopper acted · delivered",
        texts[1],
        "Error | items must be a list of {id}, by id or ids",
        "LAND_PRODUCT_PAGE L | PRODUCT_PAGE · “oak” (page) | "
        "sent: the page is about it · delivered",
        "SHARE S | “oak” | sent: the page called · delivered",
        "SHARE | “oak” | suppressed: items must be a list of {id}, by id or ids",
        "VIEW_PRODUCT A | “oak” (page) | sent: half of it stayed in view · delivered",
    ]
    assert texts[1].startswith("Error | a call must be one of")
    assert all("source" not in event for event in ledger.wait_for_all(page))


def test_it_is_enabled_by_the_url(show, put, context, ledger):
    page = show('<p data-nl-product="A">A</p>')
    ledger.wait_for_all(page)
    assert page.locator("neuralens-overlay").count() == 0
    page.goto("/?nl-debug")
    expect(panel(page)).to_be_visible()
    # The overlay itself is not captured.
    page.locator("neuralens-overlay summary").first.click()
    events = ledger.wait_for_all(page)
    assert {event.id for event in events} == {"A"}


def test_it_works_under_a_strict_policy(overlaid, runtime):
    if runtime != "javascript":
        pytest.skip("other runtimes have policies of their own")
    policy = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:"
    page = overlaid(
        RESULTS[: RESULTS.index('<li data-nl-product=""')],
        headers={"Content-Security-Policy": policy},
    )
    assert panel(page).evaluate("(panel) => getComputedStyle(panel).position") == "fixed"
    assert page.console_messages == []


def test_keyboard_operation(overlaid):
    page = overlaid()
    expect(page.locator("neuralens-overlay .frame:visible")).to_have_count(9)
    pressed: list[str] = []
    page.keyboard.press("Tab")
    for _ in range(30):
        focused = page.evaluate(
            "document.activeElement.shadowRoot?.activeElement?.textContent ?? ''"
        )
        pressed.append(focused.split("\n")[0])
        if focused == "Outlines":
            page.keyboard.press("Enter")
            expect(page.locator("neuralens-overlay .frame:visible")).to_have_count(0)
            page.keyboard.press("Enter")
        if focused.endswith("wrong"):
            page.keyboard.press("Enter")
        if focused.startswith("C\n"):
            page.keyboard.press("Enter")
            expect(page.locator("neuralens-overlay .chosen")).to_have_count(1)
            break
        page.keyboard.press("Tab")
    assert [
        text for text in pressed if text in ("Outlines", "Close", "A", "B", "C") or "items" in text
    ] == ["Outlines", "Close", "9 items, 5 wrong", "A", "B", "C"]
    page.keyboard.press("Escape")
    expect(page.locator("neuralens-overlay")).to_have_count(0)


STARTED = f"neuralens {VERSION} started: app id test-app, endpoint /nl/events, "
SIGNAL = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true })"
TILE = """<ol data-nl-page="SEARCH_RESULT_PAGE" data-nl-query='12" \\ chair' data-nl-list="r">
    <li data-nl-product="A" data-nl-index="3">A <button data-nl-action="add-to-cart">+</button>
    </li></ol>"""
SEEN = r'VIEW_PRODUCT A #3 SEARCH_RESULT_PAGE "12\" \\ chair"'


class Console:
    """The tracker's console output on a page: lines, and the object after each."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._heard: list[ConsoleMessage] = []
        page.on("console", lambda message: self._heard.append(message))

    def messages(self) -> list[ConsoleMessage]:
        """Return the messages so far."""
        # Playwright handles console events only during calls.
        self._page.evaluate("true")
        return [heard for heard in self._heard if heard.type == "log"]

    def lines(self, count: int) -> list[str]:
        """Wait for ``count`` lines, and return them without their objects."""
        eventually(lambda: len(self.messages()) >= count)
        return [heard.args[0].json_value() for heard in self.messages()]

    def objects(self) -> list[Any]:
        """Return the objects after the lines."""
        return [heard.args[1].json_value() for heard in self.messages()]


@pytest.fixture
def printed(
    put: Callable[..., str], context: BrowserContext
) -> Callable[..., tuple[Page, Console]]:
    """Show a page, and return it with its console output from the beginning."""

    def printed(body: str = TILE, **settings: Any) -> tuple[Page, Console]:
        path = put(body, **{"debug": True, **settings})
        page = context.new_page()
        console = Console(page)
        page.goto(path)
        return page, console

    return printed


def test_each_event_is_a_line_on_the_console(printed, ledger, uid):
    page, console = printed()
    assert console.lines(2) == [STARTED + "consent granted, GPC off", f"neuralens {SEEN}"]
    settings, event = console.objects()
    assert (settings["appId"], settings["viewMs"]) == ("test-app", 150)
    assert (event["items"], event["rankSource"]) == ([{"id": "A"}], "explicit")
    page.evaluate("(order) => neuralens('track', 'PURCHASE', {ids: ['A', 'B'], order})", uid)
    assert console.lines(3)[2] == "neuralens PURCHASE A,B"
    events = [f"neuralens {describe_body(event)}" for event in ledger.wait_for_all(page)]
    assert sorted(console.lines(3)[1:3]) == sorted(events)


def test_a_held_event_is_printed_again_when_it_is_sent(printed, ledger):
    page, console = printed(consent="pending")
    held = f"neuralens {SEEN} held: consent is pending"
    assert console.lines(2) == [STARTED + "consent pending, GPC off", held]
    assert console.objects()[1]["event"] == "VIEW_PRODUCT"
    listed = page.locator("neuralens-overlay li:has(b)")
    expect(listed).to_contain_text("held: consent is pending")
    page.evaluate("neuralens('consent', 'granted')")
    assert console.lines(3)[2] == f"neuralens {SEEN}"
    page.evaluate("neuralens('flush')")
    expect(listed).to_contain_text("sent: half of it stayed in view · delivered")
    assert [event.id for event in ledger.wait_for_all(page)] == ["A"]


def test_a_suppressed_event_is_printed_with_the_reason(printed, ledger):
    page, console = printed(consent="pending")
    console.lines(2)
    page.evaluate("neuralens('consent', 'denied')")
    assert console.lines(3)[2] == f"neuralens {SEEN} suppressed: no consent"
    page.evaluate("neuralens('consent', 'granted')")
    page.click("button")
    page.evaluate("neuralens('track', 'ADD_TO_CART', {id: 'A'})")
    page.evaluate("neuralens('before', () => null)")
    page.evaluate("neuralens('track', 'SHARE', {id: 'B', index: 0})")
    page.evaluate("neuralens('track', 'SHARE', {})")
    added = SEEN.replace("VIEW_PRODUCT", "ADD_TO_CART")
    assert console.lines(7)[3:] == [
        f"neuralens {added}",
        "neuralens ADD_TO_CART A suppressed: already reported",
        "neuralens SHARE B #0 suppressed: a before hook dropped it",
        "neuralens SHARE suppressed: items must be a list of {id}, by id or ids",
    ]
    round_trip(page)
    assert [event.name for event in ledger.wait_for(1)] == ["ADD_TO_CART"]


@pytest.mark.parametrize("respected", [True, False])
def test_the_console_reports_global_privacy_control(printed, context, ledger, respected):
    context.add_init_script(SIGNAL)
    page, console = printed(respect_gpc=respected)
    if respected:
        assert console.lines(2) == [
            STARTED + "consent denied, GPC on",
            f"neuralens {SEEN} suppressed: Global Privacy Control",
        ]
    else:
        assert console.lines(2) == [
            STARTED + "consent granted, GPC on, not respected",
            f"neuralens {SEEN}",
        ]
    round_trip(page)
    assert len(ledger.wait_for(0 if respected else 1)) == (0 if respected else 1)


def test_the_console_reports_a_missing_app_id(shop, context):
    shop.put("/", '<script src="/nl/neuralens.js" data-debug data-endpoint="/x"></script>')
    page = context.new_page()
    console = Console(page)
    page.goto("/")
    assert console.lines(1) == [
        f"neuralens {VERSION} started: app id missing, endpoint /x, consent granted, GPC off"
    ]


def test_misspelled_settings_are_named(shop, context):
    tag = 'data-debug data-appid="A" data-endpont="/x" data-ga4-index-base="1"'
    shop.put("/", f'<script src="/nl/neuralens.js" {tag}></script>')
    page = context.new_page()
    console = Console(page)
    page.goto("/")
    (line,) = console.lines(1)
    assert line.endswith("GPC off, unknown setting appid, unknown setting endpont")


def test_misspelled_attributes_are_outlined(overlaid):
    page = overlaid(
        """<ol data-nl-list="r"><li data-nl-prodct="A">A</li>
        <li data-nl-product="B" data-nl-ofset="3">B</li><li data-nl-product="C">C</li></ol>
        <p data-nl-ignore><i data-nl-foo>none</i></p>
        <div><template shadowrootmode="open"><p data-nl-producct="D">D</p></template></div>"""
    )
    expect(page.locator("neuralens-overlay .frame:visible")).to_have_count(4)
    assert labels(page, "wrong") == [
        "unknown attribute data-nl-prodct",
        "unknown attribute data-nl-ofset",
        "unknown attribute data-nl-producct",
    ]


def test_settings_of_the_module_are_reported_too(shop, context):
    shop.put(
        "/",
        """<script type="module">
            import { start } from "/nl/neuralens.mjs";
            start({ appId: "test-app", consent: "pending", debug: true });
        </script>""",
    )
    page = context.new_page()
    console = Console(page)
    page.goto("/")
    assert console.lines(1) == [STARTED + "consent pending, GPC off"]
