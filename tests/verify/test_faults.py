"""Each seeded fault is reported with its cause alone; a faultless shop has no findings."""

import base64
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from neuralens_verify.diagnoses import diagnose
from neuralens_verify.observations import Observations
from neuralens_verify.visit import Options, UnreachableError, visit
from playwright.sync_api import Browser, Locator, Playwright
from playwright.sync_api import Error as BrowserError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.verify.faults import (
    BASIC,
    FAULTLESS,
    FAULTS,
    in_page,
    rendered_late,
    with_banner,
    with_categories,
)
from tests.verify.shops import Shop, serving

# How each banner is reported: detected by its button texts, or by a rule of autoconsent.
BANNERS = {"own": "the banner", "platform": "Complianz"}
# The most seconds of a visit, also on a busy machine.
MAX_SECONDS = 60
# Run by default: a faultless shop with a banner, and a fault of each part of an event's path. The
# others run nightly.
QUICK = {
    "platform's banner",
    "stale integrity",
    "prefix stripped",
    "another path of the relay",
    "SPA without context",
    "refused key",
}


def parameters(names: Iterable[str]) -> list[ParameterSet]:
    """Return names as parameters, marked as nightly unless they are in ``QUICK``."""
    nightly = [pytest.mark.nightly]
    return [pytest.param(name, marks=() if name in QUICK else nightly) for name in names]


def observe(
    browser: Browser, shop: Shop, folder: Path, options: Options | None = None
) -> Observations:
    with serving(shop, folder) as served:
        default = Options(query="chair", relay=f"{served.relay_url}/nl")
        return visit(browser, served.url, options or default)


@pytest.mark.parametrize("name", parameters(FAULTLESS))
def test_a_faultless_shop_has_no_findings(name: str, chromium: Browser, tmp_path: Path) -> None:
    seen = observe(chromium, FAULTLESS[name], tmp_path)
    assert diagnose(seen) == []
    captured = {event.eid for event in seen.events}
    assert captured
    assert seen.banner.startswith(BANNERS.get(FAULTLESS[name].banner, ""))
    assert captured <= seen.acknowledged
    assert list(seen.steps) == ["open", "search", "results", "page 2", "product"]


@pytest.mark.nightly
def test_categories_are_opened_where_there_is_no_search(chromium: Browser, tmp_path: Path) -> None:
    seen = observe(chromium, Shop(rewrite=with_categories), tmp_path)
    assert diagnose(seen) == []
    assert {event.ids for event in seen.events if event.step == "category"} == {("CH-0",)}


@pytest.mark.nightly
@pytest.mark.parametrize(
    "link", ['href="/search?q=chair&amp;page=2"', 'href="?q=chair&amp;page=2"']
)
def test_page_2_is_found_by_its_address(link: str, chromium: Browser, tmp_path: Path) -> None:
    """In any language, and not by a filter whose address has a 2, too."""
    links = f'<nav><a href="?q=oak&amp;size=2">2</a></nav><a {link}>Seite 2</a>'
    named = in_page(r'<nav><a [^>]* rel="next">Next</a></nav>', links)
    seen = observe(chromium, Shop(rewrite=named), tmp_path)
    assert diagnose(seen) == []
    assert [view.url for view in seen.views if view.step == "page 2"] == [
        f"{seen.address}/search?q=chair&page=2"
    ]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["shop.localhost", "bücher.localhost"])
def test_a_shop_whose_name_only_browsers_resolve_is_visited(
    name: str, chromium: Browser, tmp_path: Path
) -> None:
    with serving(Shop(), tmp_path) as shop:
        address = shop.url.replace("127.0.0.1", name)
        seen = visit(chromium, address, Options(query="chair", relay=f"{shop.relay_url}/nl"))
    assert diagnose(seen) == []
    assert {event.eid for event in seen.events} == seen.acknowledged


@pytest.mark.nightly
def test_a_slow_shop_is_visited_in_time(chromium: Browser, tmp_path: Path) -> None:
    started = time.monotonic()
    seen = observe(chromium, Shop(slowness=5), tmp_path)
    assert time.monotonic() - started < MAX_SECONDS
    assert diagnose(seen) == []
    assert {"results", "product"} <= {event.step for event in seen.events}
    assert seen.steps["results"] == ""


def test_a_fault_of_a_handler_ends_the_visit(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of verify's own is no message of a page that merely resembles its own."""
    monkeypatch.setattr("neuralens_verify.banners.CONFIG", None)
    with pytest.raises(TypeError, match="NoneType"):
        observe(chromium, Shop(), tmp_path)


@pytest.mark.nightly
def test_a_script_that_never_ends_ends_the_visit(
    playwright: Playwright,
    chromium_options: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("neuralens_verify.visit.MAX_TOTAL", 5)
    endless = Shop(rewrite=with_banner("<script>for (;;) {}</script>"))
    # The visit stops the browser, too, which the other tests need.
    browser = playwright.chromium.launch(**chromium_options)
    with serving(endless, tmp_path) as shop, pytest.raises(UnreachableError, match="never ends"):
        visit(browser, shop.url, Options())


@pytest.mark.parametrize("name", parameters(FAULTS))
def test_a_fault_is_reported(name: str, chromium: Browser, tmp_path: Path) -> None:
    cause, shop = FAULTS[name]
    started = time.monotonic()
    findings = diagnose(observe(chromium, shop, tmp_path))
    assert [finding.cause for finding in findings] == [cause]
    assert time.monotonic() - started < MAX_SECONDS


def mislabeled(request: Request) -> Response:
    return HTMLResponse("<p>Chairs</p>", headers={"Content-Encoding": "gzip"})


def robots(request: Request) -> Response:
    return HTMLResponse("<title>Just a moment...</title>", 200)


def login(request: Request) -> Response | None:
    if request.url.path == "/login":
        return HTMLResponse('<form><input name="user"><input type="password"></form>')
    return RedirectResponse("/login")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("gate", "remedy"),
    [
        (lambda request: Response(status_code=401, headers=BASIC), "https://USER:PASSWORD@HOST/"),
        (lambda request: Response(status_code=403), "allow this machine"),
        (lambda request: RedirectResponse(request.url), "redirects in a circle"),
        (robots, "bot protection"),
        (lambda request: Response(status_code=500), "the shop fails"),
        (lambda request: JSONResponse([]), "is application/json, not a page"),
        (lambda request: Response(status_code=204), "has no content"),
        (mislabeled, "compresses it"),
        (login, "leads to {url}/login, which asks to log in"),
    ],
)
def test_a_shop_that_cannot_be_visited_is_explained(
    gate: Callable[[Request], Response | None], remedy: str, chromium: Browser, tmp_path: Path
) -> None:
    with serving(Shop(gate=gate), tmp_path) as shop:
        with pytest.raises(UnreachableError) as raised:
            visit(chromium, shop.url, Options())
        assert remedy.format(url=shop.url) in str(raised.value)


@pytest.mark.nightly
def test_a_shop_with_a_password_is_visited_by_its_url(chromium: Browser, tmp_path: Path) -> None:
    given = "Basic " + base64.b64encode(b"anna:s p").decode()

    def gate(request: Request) -> Response | None:
        is_known = request.headers.get("Authorization") == given
        return None if is_known else Response(status_code=401, headers=BASIC)

    with serving(Shop(gate=gate), tmp_path) as shop:
        address = shop.url.replace("http://", "http://anna:s%20p@")
        seen = visit(chromium, address, Options(query="chair", relay=f"{shop.relay_url}/nl"))
    assert diagnose(seen) == []
    assert seen.acknowledged
    assert "anna" not in seen.address


@pytest.mark.nightly
def test_a_password_that_is_refused_is_reported(chromium: Browser, tmp_path: Path) -> None:
    refuse = Shop(gate=lambda request: Response(status_code=401, headers=BASIC))
    with serving(refuse, tmp_path) as shop:
        address = shop.url.replace("http://", "http://anna:secret@")
        with pytest.raises(UnreachableError, match="refuses the user name") as raised:
            visit(chromium, address, Options())
    assert "secret" not in str(raised.value)


@pytest.mark.nightly
def test_items_that_a_script_renders_late_are_seen(chromium: Browser, tmp_path: Path) -> None:
    seen = observe(chromium, Shop(rewrite=rendered_late), tmp_path)
    assert diagnose(seen) == []
    views = {event.step for event in seen.events if event.name == "VIEW_PRODUCT"}
    assert views == {"open", "results", "page 2"}
    assert seen.events[-1].name == "LAND_PRODUCT_PAGE"


@pytest.mark.nightly
def test_a_login_before_a_product_is_noted(chromium: Browser, tmp_path: Path) -> None:
    def gate(request: Request) -> Response | None:
        return login(request) if request.url.path.startswith(("/chairs", "/login")) else None

    seen = observe(chromium, Shop(gate=gate), tmp_path)
    assert diagnose(seen) == []
    assert seen.steps["product"].endswith("/login asks to log in")


@pytest.mark.nightly
def test_a_link_that_cannot_be_followed_is_noted(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a script keeps replacing it."""

    def press(target: Locator) -> None:
        raise BrowserError("Locator.evaluate: Timeout 4000ms exceeded.")

    monkeypatch.setattr("neuralens_verify.shopper.press", press)
    seen = observe(chromium, Shop(), tmp_path)
    assert diagnose(seen) == []
    assert seen.steps["page 2"] == "broke off: Timeout 4000ms exceeded."
    assert seen.steps["product"] == "broke off: Timeout 4000ms exceeded."


@pytest.mark.nightly
def test_a_product_that_opens_in_a_new_tab_is_read(chromium: Browser, tmp_path: Path) -> None:
    seen = observe(chromium, FAULTLESS["products in new tabs"], tmp_path)
    names = [event.name for event in seen.events if event.step == "product"]
    assert names == ["CLICK_PRODUCT", "LAND_PRODUCT_PAGE"]
    assert seen.views[-1].url == f"{seen.address}/chairs/4"


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["own banner", "platform's banner"])
def test_no_event_is_captured_after_a_refusal(name: str, chromium: Browser, tmp_path: Path) -> None:
    seen = observe(chromium, FAULTLESS[name], tmp_path, Options(refuse=True, query="chair"))

    assert seen.banner
    assert diagnose(seen) == []
    assert seen.events == []
    assert {each.reason for each in seen.suppressed} == {"consent"}
