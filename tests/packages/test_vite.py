"""A shop built by Vite with the npm package, tested with the package's Playwright fixtures."""

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
# Timeout of a Playwright run in seconds.
TIMEOUT = 180


@pytest.fixture(scope="module")
def dev() -> Iterator[Sandbox]:
    with start_sandbox(APPLICATION) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def shop(npm_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built shop, with its dependencies installed."""
    folder = tmp_path_factory.mktemp("vite") / "shop"
    shutil.copytree(SHOP, folder)
    shutil.copy(npm_package, folder / "neuralens-tracker.tgz")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", folder=folder)
    run("npm", "run", "build", folder=folder)
    return folder


@pytest.fixture
def run_tests(
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

    def run_tests(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["npx", "playwright", "test", "--reporter=line", *arguments],
            cwd=shop,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    return run_tests


def test_the_shop_follows_its_plan(
    run_tests: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_tests()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_differences_from_the_plan_are_shown(
    shop: Path, run_tests: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """The list lacks the query."""
    source = shop / "src" / "main.js"
    text = source.read_text()
    assert ' data-nl-query="${query}"' in text
    source.write_text(text.replace(' data-nl-query="${query}"', ""))
    run("npm", "run", "build", folder=shop)
    done = run_tests("--grep", "plan")
    source.write_text(text)
    assert done.returncode == 1, done.stdout + done.stderr
    output = "\n".join(line.strip() for line in done.stdout.splitlines())
    assert (
        "the journey differs from the plan:\n\n/search?q=chair\n"
        '- VIEW_PRODUCT CH1 #0 SEARCH_RESULT_PAGE "chair"\n'
        "+ VIEW_PRODUCT CH1 #0 SEARCH_RESULT_PAGE\n"
    ) in output
    assert (
        "add it to the cart\n"
        '- ADD_TO_CART CH3 #1 PRODUCT_PAGE "oak"\n'
        "+ ADD_TO_CART CH3 PRODUCT_PAGE\n"
    ) in output
