"""The engine of a test, and browser profiles; each browser is started once, on first use."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from tests.browser.engines import VIEWPORT, installed_engines
from tests.browser.engines.firefox import Firefox
from tests.browser.engines.webkit import WebKit


def parametrize_engine(metafunc: pytest.Metafunc, *others: pytest.MarkDecorator) -> None:
    """Run tests marked ``every_engine`` in each installed engine, those but Chromium so marked."""
    marked = metafunc.definition.get_closest_marker("every_engine")
    alone = metafunc.definition.get_closest_marker("chromium_alone")
    if marked and not alone and "engine" in metafunc.fixturenames:
        engines = [
            pytest.param(name, marks=() if name == "chromium" else others)
            for name in installed_engines()
        ]
        metafunc.parametrize("engine", engines)


@pytest.fixture
def engine() -> str:
    """The engine of the test; Chromium by default."""
    return "chromium"


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    started = Firefox(tmp_path_factory.mktemp("firefox"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def webkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebKit]:
    started = WebKit(tmp_path_factory.mktemp("webkit"))
    yield started
    started.close()


@pytest.fixture
def new_profile(engine: str, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a function that creates a browser profile for a site."""

    def new_profile(base_url: str, viewport: dict[str, int] = VIEWPORT) -> Any:
        browser = request.getfixturevalue(engine)
        if engine == "chromium":
            return browser.new_context(base_url=base_url, viewport=viewport)
        return browser.new_context(base_url)

    return new_profile


@pytest.fixture
def caching(playwright, application_options, shop):
    """A browser profile with the back/forward cache, which Playwright disables."""
    disabled_arguments = ["--disable-back-forward-cache"]
    with playwright.chromium.launch(
        **application_options, ignore_default_args=disabled_arguments
    ) as browser:
        yield browser.new_context(base_url=shop.url)


def crash(page: Page) -> None:
    """Kill the renderer of a page of Chromium."""
    with pytest.raises(PlaywrightError):
        page.goto("chrome://crash")
