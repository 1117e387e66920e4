"""A third-party shop: django-oscar, with attributes and the snippet in its templates."""

import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from neuralens_testing import Events, Plan, Sandbox
from playwright.sync_api import Browser, Page, Route

from tests.packages.wheels import environment
from tests.polling import TIMEOUT

pytestmark = pytest.mark.packages

SITE = Path(__file__).parent / "oscar"
# Seconds for creating the shop's tables.
SET_UP = 180
PLAN = Plan.read(SITE / "plan.toml")


@pytest.fixture(scope="module")
def oscar(
    install: Callable[..., Path],
    neuralens_sandbox: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The address of the shop, with the relay on its origin."""
    data = tmp_path_factory.mktemp("oscar")
    programs = install("audit,django", "django-oscar>=4", "sorl-thumbnail", "whoosh")
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [programs / "python", "serve.py"],
            cwd=SITE,
            env={
                **environment(programs),
                **neuralens_sandbox.settings,
                "DJANGO_SETTINGS_MODULE": "settings",
                "OSCAR_DATA": str(data),
                "NEURALENS_OUTBOX": f"sqlite:///{data}/outbox.db",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], SET_UP)
    address = process.stdout.readline().strip() if ready else ""
    try:
        assert address, (data / "log").read_text()
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT)
        process.stdout.close()


@pytest.fixture
def page(oscar: str, chromium: Browser) -> Iterator[Page]:
    """A tab without external requests, such as for Oscar's jQuery."""
    with chromium.new_context(base_url=oscar, viewport={"width": 1280, "height": 1400}) as context:
        # By a pattern, because a function would block beacons.
        context.route("https://**/*", lambda route: route.abort())
        yield context.new_page()


@pytest.fixture
def neuralens_events(neuralens_sandbox: Sandbox, page: Page) -> Events:
    """The events of the shop; Playwright handles aborted requests while waiting."""
    return Events(
        neuralens_sandbox,
        timeout=TIMEOUT,
        sleep=lambda seconds: page.wait_for_timeout(seconds * 1000),
    )


@pytest.fixture
def actions(page: Page) -> dict[str, Callable[[], object]]:
    """The shopper's actions, by their names in the plan."""

    def turn_page() -> None:
        page.locator("a[href*='page=2']").first.click()
        page.wait_for_url("**page=2**")

    def search() -> None:
        page.locator("input[name=q]:visible").first.fill("ladder")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search/**")

    def open_result() -> None:
        page.locator(".product_pod h3 a").first.click()
        page.wait_for_url("**/ladder-oak-chair_2/")

    return {
        "turn to the second page": turn_page,
        "search for a ladder chair": search,
        "open the first result": open_result,
        "add it to the basket": page.locator("#add_to_basket_form [type=submit]").click,
        "order as a guest": lambda: order(page),
        "load the confirmation again": page.reload,
    }


def test_the_shop_follows_its_plan(
    page: Page, neuralens_events: Events, actions: dict[str, Callable[[], object]]
) -> None:
    PLAN.follow(neuralens_events, page.goto, actions)


def test_differences_from_the_plan_are_shown(
    page: Page, neuralens_events: Events, actions: dict[str, Callable[[], object]]
) -> None:
    """The template of results lacks the query."""

    def forget_query(route: Route) -> None:
        answer = route.fetch()
        text = answer.text()
        assert ' data-nl-query="ladder"' in text
        route.fulfill(response=answer, body=text.replace(' data-nl-query="ladder"', ""))

    page.route("**/search/**", forget_query)
    with pytest.raises(AssertionError) as raised:
        replace(PLAN, steps=PLAN.steps[:4]).follow(neuralens_events, page.goto, actions)
    assert str(raised.value) == (
        "the journey differs from plan.toml:\n\n"
        "search for a ladder chair\n"
        '- VIEW_PRODUCT 2 #0 SEARCH_RESULT_PAGE "ladder"\n'
        "+ VIEW_PRODUCT 2 #0 SEARCH_RESULT_PAGE\n\n"
        "open the first result\n"
        '- CLICK_PRODUCT 2 #0 SEARCH_RESULT_PAGE "ladder"\n'
        "+ CLICK_PRODUCT 2 #0 SEARCH_RESULT_PAGE\n"
        '- LAND_PRODUCT_PAGE 2 #0 PRODUCT_PAGE "ladder"\n'
        "+ LAND_PRODUCT_PAGE 2 PRODUCT_PAGE"
    )


def order(page: Page) -> None:
    """Order the basket as a guest."""
    page.goto("/checkout/")
    page.locator("input[name=username]").fill("guest@example.com")
    page.locator("input[name=options][value=anonymous]").check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/shipping-address/")
    for name, value in {
        "first_name": "Ada",
        "last_name": "Alder",
        "line1": "1 Lane",
        "line4": "Utrecht",
        "postcode": "3511 AB",
    }.items():
        page.locator(f"input[name={name}]").fill(value)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/payment-details/")
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url("**/thank-you/")


@pytest.mark.parametrize(
    ("path", "events"),
    [("/catalogue/", 4), ("/search/?q=oak", 4), ("/catalogue/ladder-oak-chair_2/", 1)],
)
def test_the_audit_of_its_pages_has_no_problems(path: str, events: int, oscar: str) -> None:
    from neuralens_embed import audit

    report = audit.audit(httpx.get(f"{oscar}{path}", follow_redirects=True, timeout=TIMEOUT).text)
    assert report.problems == []
    assert len(report.events) >= events
