"""A shop that nobody here wrote: django-oscar, with attributes and the snippet in its templates."""

import select
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.servers import APPLICATION, KEY
from tests.packages.wheels import environment
from tests.polling import PATIENCE, eventually
from tests.processes import Process

pytestmark = pytest.mark.packages

SITE = Path(__file__).parent / "oscar"
# Seconds in which the shop's own tables are made.
SET_UP = 180
# The chairs of the shop, of which a page of the catalogue shows four.
CHAIRS = ["1", "2", "3", "4", "5", "6"]


@pytest.fixture(scope="module")
def oscar(
    install: Callable[..., Path], sandbox: Process, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the shop, which has the relay behind its own origin."""
    data = tmp_path_factory.mktemp("oscar")
    programs = install("audit,django", "django-oscar>=4", "sorl-thumbnail", "whoosh")
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [programs / "python", "serve.py"],
            cwd=SITE,
            env={
                **environment(programs),
                "DJANGO_SETTINGS_MODULE": "settings",
                "OSCAR_DATA": str(data),
                "NEURALENS_API_KEY": KEY,
                "NEURALENS_APPLICATION_ID": APPLICATION,
                "NEURALENS_API_URL": f"{sandbox.url}/analytics/event",
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
        process.wait(PATIENCE)
        process.stdout.close()


@pytest.fixture
def page(oscar: str, chromium: Browser) -> Iterator[Page]:
    """A tab in which nothing comes from elsewhere, as Oscar's jQuery would."""
    with chromium.new_context(base_url=oscar, viewport={"width": 1280, "height": 1400}) as context:
        # By a pattern: a function would be asked of each beacon, by whoever waits for it.
        context.route("https://**/*", lambda route: route.abort())
        yield context.new_page()


@pytest.fixture
def taken(sandbox: Process) -> Callable[[int], list[tuple[Any, ...]]]:
    """Wait for so many events, and return all: (event, ids, index, query, page)."""
    httpx.delete(f"{sandbox.url}/ledger").raise_for_status()

    def read() -> list[tuple[Any, ...]]:
        bodies = [entry["body"] for entry in httpx.get(f"{sandbox.url}/ledger").json()]
        return [
            (
                body["event"],
                " ".join(item["id"] for item in body["items"]),
                *(body.get(name) for name in ("index", "query", "page")),
            )
            for body in bodies
        ]

    def taken(count: int) -> list[tuple[Any, ...]]:
        eventually(lambda: len(read()) >= count)
        return read()

    return taken


def test_a_journey_gives_the_exact_ledger(page: Page, taken: Callable[..., Any]) -> None:
    page.goto("/catalogue/")
    taken(4)
    page.locator("a[href*='page=2']").first.click()
    page.wait_for_url("**page=2**")
    taken(6)
    page.locator("input[name=q]:visible").first.fill("ladder")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/**")
    taken(7)
    page.locator(".product_pod h3 a").first.click()
    page.wait_for_url("**/ladder-oak-chair_2/")
    taken(9)
    page.locator("#add_to_basket_form [type=submit]").click()
    # Oscar leads back to the product's page, which is another view of it.
    taken(11)
    order(page)
    taken(12)
    page.reload()
    page.wait_for_function("window.neuralens?.version")
    page.evaluate("neuralens('track', 'SHARE', {id: 'end'})")
    events = Counter(taken(13))
    assert events == Counter(
        [
            *(
                ("VIEW_PRODUCT", each, rank, None, "CATEGORY_PAGE")
                for rank, each in enumerate(CHAIRS)
            ),
            ("VIEW_PRODUCT", "2", 0, "ladder", "SEARCH_RESULT_PAGE"),
            ("CLICK_PRODUCT", "2", 0, "ladder", "SEARCH_RESULT_PAGE"),
            *[("LAND_PRODUCT_PAGE", "2", 0, "ladder", "PRODUCT_PAGE")] * 2,
            ("ADD_TO_CART", "2", 0, "ladder", "PRODUCT_PAGE"),
            ("PURCHASE", "2", 0, "ladder", None),
            ("SHARE", "end", None, None, None),
        ]
    )


def order(page: Page) -> None:
    """Order what is in the basket, as a guest."""
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
def test_the_audit_of_its_pages_has_no_finding(path: str, events: int, oscar: str) -> None:
    from neuralens_embed import audit

    report = audit.audit(httpx.get(f"{oscar}{path}", follow_redirects=True).text)
    assert report.problems == []
    assert len(report.events) >= events
