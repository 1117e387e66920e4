"""The wheel: built, installed into an empty environment, and run there without Node."""

import re
import shutil
import signal
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from neuralens_embed import bundles
from neuralens_embed.snippet import Snippet
from neuralens_tracker.vocabulary import VERSION

from tests.packages.wheels import ROOT, build_wheel, copy_sources, environment

pytestmark = pytest.mark.packages

# Seconds for the demo to print its address, and to stop.
TIMEOUT = 60


@pytest.fixture(scope="module")
def installed(install: Callable[..., Path]) -> Path:
    """The programs of an environment with the wheel and its extra ``demo``."""
    return install("demo")


def test_a_wheel_without_bundles_is_refused(tmp_path: Path) -> None:
    done = build_wheel(copy_sources(tmp_path), tmp_path / "wheel")
    assert done.returncode != 0
    assert "there are no bundles in" in done.stdout + done.stderr
    assert "make build" in done.stdout + done.stderr


def test_the_wheel_is_complete(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    built = {file.relative_to(bundles.directory()) for file in bundles.directory().rglob("*")}
    assert {f"neuralens_embed/dist/{file}" for file in built if file.suffix} <= held
    for folder, package in {
        "build": "neuralens_embed/templates",
        "demo_site": "neuralens_demo/templates",
        "demo_site/": "neuralens_demo/static",
    }.items():
        files = [file for file in (ROOT / folder / package).rglob("*") if file.is_file()]
        assert files != []
        assert {str(file.relative_to(ROOT / folder)) for file in files} <= held


def test_its_version_is_the_trackers(wheel: Path) -> None:
    assert wheel.name.startswith(f"neuralens_tracker-{VERSION}-")


def test_each_package_has_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    packages = {name.split("/")[0] for name in held if name.startswith("neuralens_")}
    packages = {name for name in packages if not name.endswith(".dist-info")}
    assert {f"{name}/py.typed" for name in packages} <= held


def test_the_snippet_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "neuralens-tracker", "snippet", "--app-id", "APP"],
        cwd=tmp_path,
        env=environment(installed),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{Snippet('APP')}\n"
    assert bundles.integrity("neuralens.js") in done.stdout


def test_the_demo_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    assert shutil.which("node", path=environment(installed)["PATH"]) is None
    output = tmp_path / "output"
    with output.open("wb") as file:
        demo = subprocess.Popen(
            [installed / "neuralens-tracker", "demo", "--port", "0"],
            cwd=tmp_path,
            env=environment(installed),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        address = wait_for_address(demo, output)
        with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
            page = response.read().decode()
        assert response.status == 200
        assert "data-app-id" in page
        with urllib.request.urlopen(f"{address}/nl/neuralens.js", timeout=TIMEOUT) as response:
            assert response.read() == (bundles.directory() / "demo" / "neuralens.js").read_bytes()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(TIMEOUT) == 0, output.read_text()
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()


def wait_for_address(demo: "subprocess.Popen[bytes]", output: Path) -> str:
    """Return the address that the demo prints, without a trailing slash."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and demo.poll() is None:
        found = re.search(r"http://[\w.:\[\]-]+", output.read_text())
        if found is not None:
            return found.group()
        time.sleep(0.05)
    raise AssertionError(f"the demo printed no address: {output.read_text()}")
