"""``neuralens_testing``, used as in a shop's own tests."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from neuralens_demo import contract
from neuralens_embed.names import RELAY_PATH
from neuralens_embed.snippet import Snippet
from neuralens_testing import Events, Plan, PlanError, Sandbox, expect
from neuralens_testing.sandbox import start_sandbox
from playwright.sync_api import Browser, Page

from tests.integrations.shops.catalog import CHAIRS
from tests.polling import TIMEOUT

PLAN = """
[[step]]
page = "/search?q=oak"
events = [
    'VIEW_PRODUCT {0} #0 SEARCH_RESULT_PAGE "oak"',
    'VIEW_PRODUCT {1} #1 SEARCH_RESULT_PAGE "oak"',
    'VIEW_PRODUCT {2} #2 SEARCH_RESULT_PAGE "oak"',
]

[[step]]
action = "open the second chair"
events = [
    'CLICK_PRODUCT {1} #1 SEARCH_RESULT_PAGE "oak"',
    'LAND_PRODUCT_PAGE {1} #1 PRODUCT_PAGE "oak"',
]
"""


@pytest.fixture
def shop(serve: Callable[..., str], neuralens_sandbox: Sandbox) -> str:
    """A FastAPI shop whose relay sends to the plugin's sandbox."""
    return serve("fastapi", **neuralens_sandbox.settings)


@pytest.fixture
def page(chromium: Browser, shop: str) -> Iterator[Page]:
    with chromium.new_context(base_url=shop) as context:
        yield context.new_page()


def write_plan(folder: Path, text: str = PLAN) -> Plan:
    path = folder / "plan.toml"
    path.write_text(text.format(*(chair.key for chair in CHAIRS)), "utf-8")
    return Plan.read(path)


def test_a_journey_and_its_plan(page: Page, neuralens_events: Events, tmp_path: Path) -> None:
    actions = {"open the second chair": lambda: page.get_by_text(CHAIRS[1].name).click()}
    write_plan(tmp_path).follow(neuralens_events, page.goto, actions)
    expect(neuralens_events).to_have(
        "LAND_PRODUCT_PAGE", id=CHAIRS[1].key, index=1, query="oak", page="PRODUCT_PAGE"
    )
    expect(neuralens_events).not_to_have("ADD_TO_CART")
    expect(neuralens_events).to_have_nothing_refused()

    # The same journey differs from another plan.
    wrong = PLAN.replace("#1 PRODUCT", "#7 PRODUCT")
    with pytest.raises(AssertionError) as raised:
        write_plan(tmp_path, wrong).follow(neuralens_events, page.goto, actions)
    key = CHAIRS[1].key
    assert str(raised.value) == (
        "the journey differs from plan.toml:\n\nopen the second chair\n"
        f'  CLICK_PRODUCT {key} #1 SEARCH_RESULT_PAGE "oak"\n'
        f'- LAND_PRODUCT_PAGE {key} #7 PRODUCT_PAGE "oak"\n'
        f'+ LAND_PRODUCT_PAGE {key} #1 PRODUCT_PAGE "oak"'
    )


ROUTED = "https://shop.example/"
# Seconds; the events of a page that is not let through would never arrive.
SHORT = 0.2


@pytest.fixture
def open_routed(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page that ``page.route`` serves: ``open_routed(tag, *permissions)``."""
    with ExitStack() as contexts:

        def open_routed(tag: str, *permissions: str) -> Page:
            page = contexts.enter_context(chromium.new_context(permissions=permissions)).new_page()
            body = f'{tag}<main data-nl-landing="AV768">Oak chair</main>'
            page.route(ROUTED, lambda route: route.fulfill(body=body, content_type="text/html"))
            page.goto(ROUTED)
            return page

        yield open_routed


def test_a_page_served_by_page_route(
    open_routed: Callable[..., Page], neuralens_sandbox: Sandbox
) -> None:
    events = Events(neuralens_sandbox)
    open_routed(neuralens_sandbox.snippet(), "local-network-access")
    expect(events).to_have("LAND_PRODUCT_PAGE", id="AV768")


def test_a_page_that_cannot_reach_the_sandbox_is_explained(
    open_routed: Callable[..., Page], neuralens_sandbox: Sandbox, tmp_path: Path
) -> None:
    events = Events(neuralens_sandbox, timeout=SHORT)
    open_routed(neuralens_sandbox.snippet())
    reason = f'nothing has reached {neuralens_sandbox.url}, .* "local-network-access"'
    with pytest.raises(AssertionError, match=reason):
        expect(events).to_have("LAND_PRODUCT_PAGE")
    with pytest.raises(AssertionError, match=reason):
        expect(events).to_be(["LAND_PRODUCT_PAGE AV768"])
    with pytest.raises(AssertionError, match=reason):
        write_plan(tmp_path).follow(events, lambda page: None, {"open the second chair": list})


def test_a_refused_page_is_explained(
    open_routed: Callable[..., Page], neuralens_sandbox: Sandbox
) -> None:
    events = Events(neuralens_sandbox, timeout=TIMEOUT)
    refused = neuralens_sandbox.batches()[400]
    prefix = neuralens_sandbox.url + RELAY_PATH
    open_routed(Snippet("another", prefix=prefix).render(), "local-network-access")
    assert events.wait_for(lambda: neuralens_sandbox.batches()[400] > refused)
    events.timeout = SHORT
    with pytest.raises(AssertionError, match="answered 400: check the page's data-app-id"):
        expect(events).to_have("LAND_PRODUCT_PAGE")


def test_a_relay_that_the_sandbox_refuses_is_explained() -> None:
    with start_sandbox("APP") as sandbox:
        credentials = {
            contract.KEY_HEADER: contract.SCHEME + sandbox.settings["NEURALENS_API_KEY"],
            contract.APPLICATION_HEADER: "another",
        }
        httpx.post(sandbox.settings["NEURALENS_API_URL"], json={}, headers=credentials)
        # The relay was refused before this part of the journey, and has sent nothing since.
        events = Events(sandbox, timeout=SHORT)
        reason = "refused the shop's relay: the application in .* Start the shop with"
        with pytest.raises(AssertionError, match=reason):
            expect(events).to_have("LAND_PRODUCT_PAGE")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no steps"),
        ("[[step]]\nevent = []", "step 1 has the key 'event': it may have page, action, events"),
        ("title = 'x'\n[[step]]", "has the key 'title': it may have steps only"),
        ("step = [1]", "step 1 is not a table"),
        ("[[step]]\nevents = ['CLICK']", "step 1: 'CLICK' is not an event"),
        ("[[step", "cannot be read"),
    ],
)
def test_an_invalid_plan_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=re.escape(message)):
        write_plan(tmp_path, text)


def test_a_plan_in_another_encoding_is_one_sentence(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("[[step]]", "utf-16")
    with pytest.raises(PlanError, match="cannot be read"):
        Plan.read(plan)


def test_a_plan_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[step]]\npage = "/"', "utf-8-sig")
    assert [step.page for step in Plan.read(plan).steps] == ["/"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"page": "SEARCH"}, "there is no page SEARCH: there are SEARCH_RESULT_PAGE"),
        ({"index": "3"}, "index must be a whole number, not '3'"),
        ({"ids": "A1"}, "ids must be a list, not 'A1': for one item, write id"),
    ],
)
def test_an_expectation_that_no_event_can_meet_is_refused(
    fields: dict[str, Any], message: str, neuralens_events: Events
) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        expect(neuralens_events).not_to_have("CLICK_PRODUCT", **fields)
    with pytest.raises(TypeError, match="a list of lines"):
        expect(neuralens_events).to_be("CLICK_PRODUCT A1")
