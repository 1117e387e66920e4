"""A shop that Vite builds with the npm package, tested by the package's helper for Playwright."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neuralens_testing import Sandbox, start_sandbox

from tests.npm import run

pytestmark = pytest.mark.packages

SHOP = Path(__file__).parent / "vite_shop"
APPLICATION = "chairs"
# Seconds that a run of Playwright may take.
TIMEOUT = 180


@pytest.fixture(scope="module")
def dev() -> Iterator[Sandbox]:
    with start_sandbox(APPLICATION) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shop(npm_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with what it needs installed, built."""
    folder = tmp_path_factory.mktemp("vite") / "shop"
    shutil.copytree(SHOP, folder)
    shutil.copy(npm_package, folder / "neuralens-tracker.tgz")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", folder=folder)
    run("npm", "run", "build", folder=folder)
    return folder


@pytest.fixture
def test_it(
    shop: Path, dev: Sandbox, chromium_options: dict[str, object]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the shop's own tests."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "NEURALENS_URL": dev.url,
        "PORT": str(port),
        "CHROMIUM": str(chromium_options["executable_path"]),
        "CI": "1",
    }

    def test_it(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["npx", "playwright", "test", "--reporter=line", *arguments],
            cwd=shop,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    return test_it


def test_the_shop_keeps_its_plan(
    test_it: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = test_it()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_what_differs_from_the_plan_is_shown(
    shop: Path, test_it: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Somebody changes the list, and forgets what was searched for."""
    source = shop / "src" / "main.js"
    text = source.read_text()
    assert ' data-nl-query="${query}"' in text
    source.write_text(text.replace(' data-nl-query="${query}"', ""))
    run("npm", "run", "build", folder=shop)
    done = test_it("--grep", "plan")
    source.write_text(text)
    assert done.returncode == 1, done.stdout + done.stderr
    said = "\n".join(line.strip() for line in done.stdout.splitlines())
    assert (
        "the journey differs from the plan:\n\n/search?q=chair\n"
        '- VIEW_PRODUCT CH1 #0 SEARCH_RESULT_PAGE "chair"\n'
        "+ VIEW_PRODUCT CH1 #0 SEARCH_RESULT_PAGE\n"
    ) in said
    assert (
        "add it to the cart\n"
        '- ADD_TO_CART CH3 #1 PRODUCT_PAGE "oak"\n'
        "+ ADD_TO_CART CH3 PRODUCT_PAGE\n"
    ) in said
