"""The npm package, and projects with it."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from neuralens_build import npm_package as packages
from neuralens_embed import bundles

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def npm_package(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of this checkout as a file, or the one given by ``--npm-package``."""
    named: Path | None = pytestconfig.getoption("--npm-package")
    if named:
        return named.resolve()
    folder = tmp_path_factory.mktemp("npm")
    packages.assemble(bundles.directory(), folder / "package")
    return packages.pack(folder / "package", folder)


def run(*command: str | Path, folder: Path) -> str:
    """Run a program in a folder and return its output; raise an error if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def unpack(package: Path, folder: Path) -> Path:
    """Unpack a package, and return its folder."""
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def make_project(package: Path, folder: Path) -> Path:
    """Create a project with the package and Playwright installed."""
    modules = folder / "node_modules"
    modules.mkdir()
    unpack(package, modules).rename(modules / "neuralens-tracker")
    for name in ("@playwright", "playwright", "playwright-core"):
        # Copied, because through a link it would be loaded as a second module.
        shutil.copytree(ROOT / "node_modules" / name, modules / name)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder
