"""The command ``dev``: events of another shop in the inspector."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from neuralens_embed.cli import main
from playwright.sync_api import Browser, expect

from tests.clients import CERTIFICATES
from tests.polling import TIMEOUT, eventually

COMMAND = Path(sys.executable).with_name("neuralens-tracker")
TILE = '<p data-nl-page="CATEGORY_PAGE"><a data-nl-product="LIMITED-7" href="#">A lamp</a></p>'


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shop's pages."""
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def shop(pages: Path) -> Iterator[str]:
    """The address of a shop of static files, without a proxy."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=pages)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def development(shop: str) -> Iterator[str]:
    """The output of the running command."""
    with subprocess.Popen(
        [COMMAND, "dev", "--app-id", "LAMPS", "--port", "0", "--origins", shop],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "NEURALENS_API_KEY" in line:
                break
        yield "".join(lines)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT)
        assert (process.returncode, errors) == (0, "")


def test_events_of_a_shop_without_a_proxy(
    development: str, shop: str, pages: Path, chromium: Browser
) -> None:
    here = re.search(r"Inspector: (\S+?)/ ", development)[1]
    snippet = development.partition("without a proxy:\n")[2].partition("\nWith a")[0]
    (pages / "index.html").write_text(f"<!doctype html>{snippet}{TILE}")
    with chromium.new_context() as context:
        inspector, page = context.new_page(), context.new_page()
        inspector.goto(here)
        expect(inspector).to_have_title("Inspector · LAMPS")
        page.goto(shop)
        events = eventually(
            lambda: httpx.get(f"{here}/ledger", timeout=TIMEOUT, verify=CERTIFICATES).json()
        )
        assert [entry["body"]["items"] for entry in events] == [[{"id": "LIMITED-7"}]]
        expect(inspector.locator(".event .words")).to_have_text("Saw LIMITED-7 in a department")
        assert inspector.get_by_role("link", name="Open the shop").get_attribute("href") == shop


def test_another_relay_can_forward_to_the_sandbox(development: str) -> None:
    settings = dict(re.findall(r"^  NEURALENS_(\w+)=(\S+)$", development, re.MULTILINE))
    response = httpx.post(
        settings["API_URL"],
        json={"uid": None, "items": [{"id": "A"}], "event": "SHARE", "timestamp": 1795626000},
        headers={
            "X-Neuralens-API-Key": f"Bearer {settings['API_KEY']}",
            "X-Neuralens-Application-ID": settings["APPLICATION_ID"],
        },
        timeout=TIMEOUT,
        verify=CERTIFICATES,
    )
    assert response.json()["status"] == "success"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--app-id"),
        (["--app-id", ""], "Error: --app-id must be"),
        (["--app-id", "A", "--origins", "localhost"], "Error: --origins has 'localhost'"),
    ],
)
def test_invalid_options_are_reported(options: list[str], message: str) -> None:
    done = CliRunner().invoke(main, ["dev", *options])
    assert done.exit_code != 0
    assert message in done.stderr
