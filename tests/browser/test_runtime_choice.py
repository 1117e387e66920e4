"""The demo's runtime switch: the same shop, hooks and events on each runtime."""

import httpx
import pytest
from neuralens_embed.snippet import RUNTIMES

from tests.clients import CERTIFICATES
from tests.polling import TIMEOUT, eventually

HOOKED_REGION = {"region": "Europe"}
SCRIPT_SOURCES = {
    "javascript": "script-src 'self';",
    "brython": "script-src 'self';",
    "pyscript": "script-src 'self' 'wasm-unsafe-eval';",
}


@pytest.fixture
def ledger(demo):
    """Wait for ``count`` events of this test, and return them."""
    httpx.delete(demo.ledger, timeout=TIMEOUT, verify=CERTIFICATES).raise_for_status()

    def ledger(count):
        def events():
            return [
                entry["body"]
                for entry in httpx.get(demo.ledger, timeout=TIMEOUT, verify=CERTIFICATES).json()
            ]

        eventually(lambda: len(events()) >= count)
        return events()

    return ledger


@pytest.fixture
def shopper(chromium, demo):
    """A shopper's page with consent; errors on the page fail the test."""
    with chromium.new_context(
        base_url=demo.shop, viewport={"width": 1280, "height": 900}
    ) as context:
        context.add_cookies([{"name": "consent", "value": "granted", "url": demo.shop}])
        page = context.new_page()
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type != "log" else None)
        yield page
        assert wrong == []


def choose(page, word):
    page.get_by_role("button", name=word, exact=True).click()
    page.locator(f"button[value={word}][aria-current=true]").wait_for()


def wait_for_tracker(page):
    """Wait without eval, as a strict policy requires."""
    eventually(lambda: page.evaluate("Boolean(window.neuralens?.version)"))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_each_runtime_sends_the_same_events(shopper, ledger, runtime):
    shopper.goto("/")
    choose(shopper, runtime)
    response = shopper.goto("/product/AV768")
    assert SCRIPT_SOURCES[runtime] in response.headers["content-security-policy"]
    tag = shopper.locator("script[data-app-id]").first
    loaded = tag.get_attribute("data-src") or tag.get_attribute("src")
    assert loaded.startswith(f"/nl/{RUNTIMES[runtime]}?v=")
    wait_for_tracker(shopper)
    shopper.get_by_role("button", name="Add to cart").first.click()
    events = {event["event"]: event for event in ledger(2) if event["items"] == [{"id": "AV768"}]}
    assert set(events) == {"LAND_PRODUCT_PAGE", "ADD_TO_CART"}
    for event in events.values():
        assert event["geo"] == HOOKED_REGION
        assert event["page"] == "PRODUCT_PAGE"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_staff_is_not_tracked(shopper, ledger, runtime):
    shopper.goto("/cart")
    choose(shopper, runtime)
    choose(shopper, "staff")
    shopper.goto("/product/AV768")
    wait_for_tracker(shopper)
    shopper.get_by_role("button", name="Add to cart").first.click()
    # An event of a guest, which would arrive after those of the staff.
    shopper.goto("/cart")
    choose(shopper, "guest")
    shopper.goto("/product/SF768")
    assert [event["items"] for event in ledger(1)] == [[{"id": "SF768"}]]


def test_the_choice_is_stored_for_the_session(shopper):
    shopper.goto("/")
    choose(shopper, "brython")
    shopper.goto("/category/chairs")
    assert shopper.locator("button[value=brython]").get_attribute("aria-current") == "true"
    [cookie] = [c for c in shopper.context.cookies() if c["name"] == "runtime"]
    assert cookie["expires"] == -1
    assert cookie["httpOnly"]
