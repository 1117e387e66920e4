"""The shop's and the inspector's own scripts, in Chromium."""

import time
import uuid

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(chromium, demo):
    with chromium.new_context(
        base_url=demo.url, viewport={"width": 1280, "height": 900}
    ) as context:
        errors = []
        opened = context.new_page()
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        yield opened
        assert errors == []


def test_combobox_by_keyboard(page):
    page.goto("/")
    box = page.get_by_role("combobox")
    expect(box).to_have_attribute("aria-expanded", "false")
    # At once: each letter would have a list of its own.
    box.fill("oak ch")
    expect(box).to_have_attribute("aria-expanded", "true")
    options = page.get_by_role("option")
    expect(options).to_have_count(9)

    def active():
        return page.evaluate(
            "() => document.querySelector('[role=option][aria-selected=true]')?.id ?? null"
        )

    assert active() is None
    box.press("ArrowDown")
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "suggestion-1")
    assert active() == "suggestion-1"
    for _ in range(3):
        box.press("ArrowUp")
    expect(box).to_have_attribute("aria-activedescendant", "product-2")
    box.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert active() is None
    assert box.input_value() == "oak ch"
    box.press("ArrowDown")
    chosen = options.first.get_attribute("data-nl-suggestion")
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"“{chosen}”")


def test_combobox_by_mouse(page):
    page.goto("/")
    box = page.get_by_role("combobox")
    box.fill("sofa")
    option = page.locator("[data-nl-product][role=option]").first
    product = option.get_attribute("data-nl-product")
    option.click()
    page.wait_for_url(f"**/product/{product}")


def test_combobox_closes_on_blur_and_when_emptied(page):
    page.goto("/")
    box = page.get_by_role("combobox")
    box.press_sequentially("lamp")
    expect(page.get_by_role("listbox")).to_be_visible()
    box.press("Tab")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.focus()
    expect(page.get_by_role("listbox")).to_be_visible()
    box.fill("")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.fill("zzzz")
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("No results for “zzzz”")


def test_cart_and_favorites_without_a_page_load(page):
    page.goto("/search?q=chair")
    tile = page.locator(".tile").first
    tile.get_by_role("button", name="Add to cart").click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    heart = tile.locator(".favorite button")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "false")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("/search?q=chair")
    page.reload()
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-cart-count]")).to_have_text("1")


def test_show_more_appends_products_until_all_are_shown(page):
    page.goto("/category/chairs")
    tiles = page.locator(".tile")
    for count in (24, 30):
        page.get_by_role("link", name="Show more").click()
        expect(tiles).to_have_count(count)
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)
    ids = tiles.evaluate_all("tiles => tiles.map(tile => tile.dataset.nlProduct)")
    assert len(set(ids)) == 30


def test_the_carousel_wraps_around(page):
    page.goto("/")
    strip = page.locator("[data-carousel-slides]")
    slides = strip.locator(".tile")
    expect(slides).to_have_count(16)
    clones = strip.locator(".tile[aria-hidden=true]")
    expect(clones).to_have_count(8)
    expect(clones.locator("a:not([tabindex='-1']), button:not([tabindex='-1'])")).to_have_count(0)
    first = slides.nth(4)
    expect(first).not_to_have_attribute("aria-hidden", "true")
    strip.scroll_into_view_if_needed()

    def position():
        """Return the index of the first slide in view, 0 for the first that is not a clone."""
        return page.evaluate(
            """() => {
                const strip = document.querySelector("[data-carousel-slides]");
                const [a, b] = strip.children;
                return Math.round(strip.scrollLeft / (b.offsetLeft - a.offsetLeft)) - 4;
            }"""
        )

    assert position() == 0
    page.get_by_role("button", name="Previous").click()
    page.wait_for_function(
        """() => {
            const strip = document.querySelector("[data-carousel-slides]");
            const [a, b] = strip.children;
            return Math.round(strip.scrollLeft / (b.offsetLeft - a.offsetLeft)) === 4 + 7;
        }"""
    )
    assert position() == 7


def test_quick_view(page):
    page.goto("/category/chairs")
    tile = page.locator(".tile").nth(1)
    product = tile.get_attribute("data-nl-product")
    tile.get_by_role("link", name="Quick view").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[data-nl-landing]")).to_have_attribute("data-nl-landing", product)
    dialog.get_by_role("button", name="Add to cart").click()
    expect(page.locator("[data-cart-count]")).to_have_text("1")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.url.endswith("/category/chairs")


def test_the_inspector_shows_the_sources_of_rank_and_query(page, demo):
    sent = event("CLICK_PRODUCT", "AV768", page="SEARCH_RESULT_PAGE", query="oak", index=0)
    page.goto("/search?q=oak")
    with page.expect_response("**/inspector/sources") as response:
        page.evaluate(
            """(event) => {
                const [, , listener] = neuralens.q.find((call) => call[0] === "on");
                listener({ ...event, rankSource: "order", querySource: "markup" });
            }""",
            sent,
        )
    assert response.value.status == 204
    page.goto("/inspector")
    expect(page.locator("[data-live]")).to_have_text("live")
    demo.send(sent)
    expect(page.locator("[data-feed] .event").first.locator(".sources")).to_have_text(
        "rank from the position in the list, query from the markup"
    )


def test_consent_reaches_the_tracker_and_the_next_page(page):
    page.goto("/")
    page.evaluate("() => { window.calls = []; window.neuralens = (...call) => calls.push(call); }")
    page.get_by_role("button", name="Allow").click()
    expect(page.locator("[data-consent-banner]")).to_have_count(0)
    assert page.evaluate("() => calls") == [["consent", "granted"]]
    page.reload()
    expect(page.locator("script[data-app-id]")).to_have_attribute("data-consent", "granted")
    expect(page.locator("[data-consent-banner]")).to_have_count(0)


def test_refusal_reaches_a_tracker_that_has_not_loaded_yet(page):
    page.goto("/")
    assert page.evaluate("() => window.neuralens") is None
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator("[data-consent-banner]")).to_have_count(0)
    expect(page.locator("script[data-app-id]")).to_have_attribute("data-consent", "denied")


def test_share_shows_a_message(page):
    page.context.grant_permissions(["clipboard-write"])
    page.goto("/product/AV768")
    page.get_by_role("link", name="Share").click()
    expect(page.locator("[data-toast]")).to_contain_text("link")


@pytest.mark.parametrize("width", [1280, 768, 390])
@pytest.mark.parametrize(
    "path", ["/", "/search?q=chair", "/category/beds", "/product/SF768", "/cart", "/inspector"]
)
def test_no_horizontal_scrolling(page, path, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(path)
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def event(name, product, **fields):
    return {
        "eid": str(uuid.uuid4()),
        "uid": "u",
        "items": [{"id": product}],
        "event": name,
        "timestamp": int(time.time()),
    } | fields


def test_inspector_shows_events_live(page, demo):
    page.goto("/inspector")
    expect(page.locator("[data-live]")).to_have_text("live")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[data-feed-empty]")).to_be_visible()
    hostile = "<img src=x onerror=alert(1)>"
    demo.send(
        event("VIEW_PRODUCT", "AV768", page="SEARCH_RESULT_PAGE", query=hostile, index=0),
        event("VIEW_PRODUCT", "AV805", page="SEARCH_RESULT_PAGE", query=hostile, index=1),
        event("CLICK_PRODUCT", "AV805", page="SEARCH_RESULT_PAGE", query=hostile, index=1),
    )
    rows = page.locator("[data-feed] .event")
    expect(rows).to_have_count(3)
    expect(page.locator("[data-count=events]")).to_have_text("3")
    click = rows.filter(has_text="CLICK_PRODUCT")
    expect(click.locator(".words")).to_have_text(
        f"Opened Alder spindle chair AV805 in the search results for “{hostile}” at rank 1"
    )
    click.locator(".words").click()
    detail = page.locator(".detail")
    expect(detail.locator("pre")).to_contain_text('"event": "CLICK_PRODUCT"')
    expect(detail.locator(".hops b")).to_have_text(["Page", "Beacon", "Relay", "API"])
    click.locator(".words").click()
    expect(detail).to_have_count(0)
    cells = page.locator("[data-table=ranks] td")
    expect(cells).to_have_text(["0", "1", "0", "0 %", "1", "1", "1", "100 %"])
    counts = page.locator("[data-table=funnel] td:nth-child(2)")
    expect(counts).to_have_text(["2", "1", "0", "0", "0"])
    for chart in ("ranks", "funnel"):
        expect(page.locator(f"[data-chart={chart}] canvas")).to_be_visible()
    page.locator("[data-filter]").select_option("VIEW_PRODUCT")
    expect(rows.locator("visible=true")).to_have_count(2)


def test_shop_and_inspector_side_by_side(page):
    page.goto("/beside")
    expect(page.frame_locator("iframe >> nth=0").get_by_role("combobox")).to_be_visible()
    expect(page.frame_locator("iframe >> nth=1").locator("[data-live]")).to_have_text("live")
