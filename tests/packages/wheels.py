"""The wheel of this checkout, and environments in which it is installed."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email.parser import HeaderParser
from pathlib import Path

import pytest
from neuralens_embed import bundles
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
# The sources of a wheel, in addition to the bundles.
SOURCES = ("pyproject.toml", ".gitignore", "README.md", "LICENSE")
COMPONENTS = ("tracker", "build", "relay", "integrations", "demo_site")
UV = Path(sys.executable).with_name("uv")


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


@pytest.fixture(scope="session")
def wheel(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, or the one given by ``--wheel``."""
    named: Path | None = pytestconfig.getoption("--wheel")
    if named:
        return named.resolve()
    sources = copy_sources(tmp_path_factory.mktemp("sources"))
    shutil.copytree(bundles.directory(), sources / "dist")
    output = tmp_path_factory.mktemp("wheel")
    done = build_wheel(sources, output)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = output.glob("neuralens_tracker-*.whl")
    return found


def requirements(wheel: Path) -> list[Requirement]:
    """Return the requirements of a wheel, including those of its extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        headers = HeaderParser().parsestr(archive.read(name).decode())
    return [Requirement(line) for line in headers.get_all("Requires-Dist", [])]


def lowest(wheel: Path) -> list[str]:
    """Return every required library at the lowest version of its range."""
    pins = set()
    for requirement in requirements(wheel):
        for specifier in requirement.specifier:
            if specifier.operator in (">=", "=="):
                # A version with fewer parts means its first release.
                pins.add(f"{requirement.name}=={specifier.version}")
    return sorted(pins)


@pytest.fixture(scope="session")
def install(
    pytestconfig: pytest.Config, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Install the wheel with extras, and other requirements, into a new environment.

    Returns the folder of the environment's programs.
    """
    python = pytestconfig.getoption("--interpreter")

    def install(extras: str = "", *others: str) -> Path:
        home = tmp_path_factory.mktemp("environment")
        programs = home / "bin"
        subprocess.run([UV, "venv", "--quiet", "--python", python, home], check=True)
        what = f"neuralens-tracker{f'[{extras}]' if extras else ''} @ {wheel.as_uri()}"
        command = [UV, "pip", "install", "--quiet", "--python", programs / "python", what, *others]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return programs

    return install


def environment(programs: Path) -> dict[str, str]:
    """Return environment variables with the environment's programs on PATH, and without Node."""
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "TMPDIR", "LANG")}
    return {**kept, "PATH": str(programs), "PYTHONUNBUFFERED": "1"}
