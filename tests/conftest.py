"""Chromium for all tests: Playwright's synchronous API runs only once per thread."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from bench.chromium import ARGUMENTS
from tests.npm import npm_package
from tests.polling import TIMEOUT
from tests.release_0_1_0 import release_0_1_0

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Chromium's engine without the application around it, which takes half the CPU time.
HEADLESS_SHELL = shutil.which("chromium-headless-shell") or CHROMIUM

# No deadline for examples, because the machine may be busy.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options with which ``make release`` selects artifacts and Pythons."""
    group = parser.getgroup("release")
    group.addoption("--wheel", type=Path, help="Test this wheel (default: build one).")
    group.addoption("--npm-package", type=Path, help="Test this npm package (default: pack one).")
    group.addoption(
        "--interpreter",
        metavar="PYTHON",
        default=sys.executable,
        help="Install the wheel beside this Python (default: the one that runs the tests).",
    )


def pytest_xdist_auto_num_workers() -> int:
    """Two workers per core, because tests wait for about as long as they compute."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=TIMEOUT * 1000)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium_options() -> dict[str, object]:
    """The arguments of ``launch``."""
    return {"executable_path": HEADLESS_SHELL, "args": list(ARGUMENTS)}


@pytest.fixture(scope="session")
def application_options(chromium_options: dict[str, object]) -> dict[str, object]:
    """Those for the application, which alone has background tabs and a back/forward cache."""
    return chromium_options | {"executable_path": CHROMIUM}


@pytest.fixture(scope="session")
def chromium(playwright: Playwright, chromium_options: dict[str, object]) -> Iterator[Browser]:
    started = playwright.chromium.launch(**chromium_options)
    yield started
    started.close()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: with a time in them, ids would differ between workers."""
    return argname if isinstance(val, bytes) else None
