"""The wheel: built, installed into an empty environment, and run there without Node."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from neuralens_embed import bundles
from neuralens_embed.snippet import Snippet

ROOT = Path(__file__).parents[2]
# What a wheel is made from, beside the bundles.
SOURCES = ("pyproject.toml", ".gitignore", "README.md", "LICENSE")
COMPONENTS = ("tracker", "build", "relay", "demo_site")
# Seconds for the demo to print its address, and to end.
PATIENCE = 60


def copy_sources(folder: Path) -> Path:
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / name)
    for name in COMPONENTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def build_wheel(sources: Path, output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    return subprocess.run(
        [*command, "--wheel-dir", output, sources], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, with the bundles that it holds."""
    sources = copy_sources(tmp_path_factory.mktemp("sources"))
    shutil.copytree(bundles.directory(), sources / "dist")
    output = tmp_path_factory.mktemp("wheel")
    done = build_wheel(sources, output)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = output.glob("neuralens_tracker-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment that holds the wheel and nothing else."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=True)
    programs = home / "bin"
    subprocess.run([programs / "pip", "install", "--quiet", wheel], check=True)
    return programs


def environment(programs: Path) -> dict[str, str]:
    """The variables of a machine that has the wheel's programs, and no Node."""
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "TMPDIR", "LANG")}
    return {**kept, "PATH": str(programs), "PYTHONUNBUFFERED": "1"}


def test_a_wheel_without_bundles_is_refused(tmp_path: Path) -> None:
    done = build_wheel(copy_sources(tmp_path), tmp_path / "wheel")
    assert done.returncode != 0
    assert "there are no bundles in" in done.stdout + done.stderr
    assert "make build" in done.stdout + done.stderr


def test_the_wheel_holds_what_it_runs(wheel: Path) -> None:
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
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            page = answer.read().decode()
        assert answer.status == 200
        assert "data-app-id" in page
        with urllib.request.urlopen(f"{address}/nl/neuralens.js", timeout=PATIENCE) as answer:
            assert answer.read() == (bundles.directory() / "demo" / "neuralens.js").read_bytes()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(PATIENCE) == 0, output.read_text()
    finally:
        if demo.poll() is None:
            demo.kill()
            demo.wait()


def wait_for_address(demo: "subprocess.Popen[bytes]", output: Path) -> str:
    """The address that the demo prints, without a slash at its end."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and demo.poll() is None:
        found = re.search(r"http://[\w.:\[\]-]+", output.read_text())
        if found is not None:
            return found.group()
        time.sleep(0.05)
    raise AssertionError(f"the demo printed no address: {output.read_text()}")
