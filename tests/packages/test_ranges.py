"""The wheel with the lowest and highest versions of its ranges, and with frameworks."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from neuralens_embed import Snippet

from tests.packages.wheels import environment, lowest, requirements

pytestmark = pytest.mark.packages

HERE = Path(__file__).parent
TAG = str(Snippet("APP"))


def run(programs: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [programs / arguments[0], *arguments[1:]],
        cwd=folder,
        env=environment(programs),
        capture_output=True,
        text=True,
        check=False,
    )


def play(programs: Path, folder: Path, script: str, *names: str) -> dict[str, Any]:
    """Run a script of this folder in an environment, and return its result."""
    done = run(programs, folder, "python", str(HERE / script), *names)
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def expect_journey(result: dict[str, Any]) -> None:
    assert result["page"] == f'{TAG}<p data-nl-product="A" data-nl-index="3">'
    events = [(e["event"], e["ids"], e["index"]) for e in result["audit"]["events"]]
    assert events == [("VIEW_PRODUCT", ["A"], 3), ("CLICK_PRODUCT", ["A"], 3)]
    assert result["audit"]["problems"] == []
    assert (result["accepted"], result["received"]) == (1, ["A"])


def test_the_lowest_versions(install: Callable[..., Path], wheel: Path, tmp_path: Path) -> None:
    pins = dict(pin.split("==") for pin in lowest(wheel))
    result = play(install("all", *lowest(wheel)), tmp_path, "journey.py", *pins)
    expect_journey(result)
    for name, version in pins.items():
        assert f"{result['versions'][name]}.".startswith(f"{version}."), name


def test_the_highest_versions(install: Callable[..., Path], wheel: Path, tmp_path: Path) -> None:
    expect_journey(play(install("all"), tmp_path, "journey.py"))


def test_with_frameworks(install: Callable[..., Path], tmp_path: Path) -> None:
    result = play(install("relay", "fastapi", "flask", "django"), tmp_path, "frameworks.py")
    assert result["flask"] == TAG
    assert result["django"] == TAG
    assert result["own"] == {"own": True}
    assert result["answer"]["accepted"] == 1


def test_ranges_are_ranges(wheel: Path) -> None:
    """One library has an exact version, because the build patches it; no other has."""
    exact = [r.name for r in requirements(wheel) if any(s.operator == "==" for s in r.specifier)]
    assert set(exact) == {"brython"}


@pytest.fixture(scope="module")
def bare(install: Callable[..., Path]) -> Path:
    """An environment without extras."""
    return install()


def test_the_bare_install_prints_the_snippet(bare: Path, tmp_path: Path) -> None:
    done = run(bare, tmp_path, "neuralens-tracker", "snippet", "--app-id", "APP")
    assert (done.returncode, done.stdout) == (0, f"{TAG}\n")


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("audit", "audit"),
        ("build", "build"),
        ("demo", "demo"),
        ("relay", "relay"),
        ("sandbox", "demo"),
    ],
)
def test_a_missing_extra_is_one_sentence(
    bare: Path, tmp_path: Path, command: str, extra: str
) -> None:
    done = run(bare, tmp_path, "neuralens-tracker", command)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {command} needs ")
    assert done.stderr.endswith(f": run pip install 'neuralens-tracker[{extra}]'\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["audit", "build", "verify"])
def test_help_needs_no_extra(bare: Path, tmp_path: Path, command: str) -> None:
    done = run(bare, tmp_path, "neuralens-tracker", command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: neuralens-tracker {command} ")


def test_a_missing_redis_library_is_one_sentence(
    install: Callable[..., Path], tmp_path: Path
) -> None:
    programs = install("relay")
    done = subprocess.run(
        [programs / "neuralens-tracker", "relay"],
        cwd=tmp_path,
        env={
            **environment(programs),
            "NEURALENS_API_KEY": "key",
            "NEURALENS_APPLICATION_ID": "APP",
            "NEURALENS_OUTBOX": "redis://127.0.0.1:6379/0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "run pip install 'neuralens-tracker[redis]'" in done.stderr
    assert done.stderr.count("\n") == 1
