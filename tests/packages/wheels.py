"""The wheel of this checkout, and environments into which it is installed."""

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
# What a wheel is made from, beside the bundles.
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
    """The wheel of this checkout, with the bundles that it holds, or the one that is named."""
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
    """The requirements of a wheel, those of its extras too."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        headers = HeaderParser().parsestr(archive.read(name).decode())
    return [Requirement(line) for line in headers.get_all("Requires-Dist", [])]


def lowest(wheel: Path) -> list[str]:
    """Each library that the wheel or an extra requires, at the lowest version of its range."""
    pins = set()
    for requirement in requirements(wheel):
        for specifier in requirement.specifier:
            if specifier.operator in (">=", "=="):
                # A version of fewer parts stands for its first release.
                pins.add(f"{requirement.name}=={specifier.version}")
    return sorted(pins)


@pytest.fixture(scope="session")
def install(
    pytestconfig: pytest.Config, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Install the wheel with extras, and other requirements, into an environment of its own.

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
    """The variables of a machine that has the environment's programs, and no Node."""
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "TMPDIR", "LANG")}
    return {**kept, "PATH": str(programs), "PYTHONUNBUFFERED": "1"}
