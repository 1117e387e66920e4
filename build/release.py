"""Builds the artifacts of a release in release/, checks them, and reports whether they may ship.

Run by ``make release``, which has built the bundles; by ``make packages`` with ``--unchecked``.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from neuralens_build import npm_package
from neuralens_embed import bundles
from neuralens_tracker.vocabulary import VERSION

ROOT = Path(__file__).parents[1]
RELEASE = ROOT / "release"
WHEEL = RELEASE / f"neuralens_tracker-{VERSION}-py3-none-any.whl"
SDIST = RELEASE / f"neuralens_tracker-{VERSION}.tar.gz"
PACKAGE = RELEASE / f"neuralens-tracker-{VERSION}.tgz"

UV = Path(sys.executable).with_name("uv")
TWINE = "twine==7.0.0"
PYTEST = (sys.executable, "-m", "pytest", "-q")
PACKAGES = (*PYTEST, "-m", "packages", f"--wheel={WHEEL}", f"--npm-package={PACKAGE}")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LANGUAGE = "Programming Language :: Python :: "
# The Pythons of the package's classifiers. The first is that of the development environment.
PYTHONS = [
    classifier.removeprefix(LANGUAGE)
    for classifier in PROJECT["classifiers"]
    if classifier.startswith(LANGUAGE)
]


class NotCheckedError(Exception):
    """A check is not possible on this machine; the message says why."""


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a program and return what it writes; CalledProcessError where it fails."""
    return subprocess.run(  # noqa: S603 - programs of the build
        command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ).stdout


def make() -> None:
    """Fill release/ with wheel, source distribution and npm package."""
    shutil.rmtree(RELEASE, ignore_errors=True)
    # The wheel is made from the source distribution, which so proves to be complete.
    run(UV, "build", "--quiet", "--no-build-isolation", "--out-dir", RELEASE)
    (RELEASE / ".gitignore").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        npm_package.assemble(bundles.directory(), Path(folder, "package"))
        npm_package.pack(Path(folder, "package"), RELEASE)


def check_changelog() -> None:
    """Check that the changelog has a dated section of this version, and nothing newer."""
    sections = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    if not re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d", sections[0]):
        raise AssertionError(f"CHANGELOG.md begins with {sections[0]}, not [{VERSION}] - DATE")


def check_commit() -> None:
    """Check that everything is committed."""
    changed = run("git", "status", "--porcelain")
    if changed:
        raise AssertionError(f"not committed:\n{changed}")


def check_metadata() -> None:
    """Check that PyPI would take wheel and source distribution."""
    run(UV, "tool", "run", TWINE, "check", "--strict", WHEEL, SDIST)


def check_npm() -> None:
    """Check the npm package with its users' tools."""
    run(*PYTEST, f"--npm-package={PACKAGE}", "tests/unit/test_npm_package.py")


def check_bare(distribution: Path) -> None:
    """Check the command line with nothing installed but what the distribution requires."""
    with tempfile.TemporaryDirectory() as folder:
        programs = Path(folder, "bin")
        run(UV, "venv", "--quiet", "--python", sys.executable, folder)
        run(UV, "pip", "install", "--quiet", "--python", programs / "python", distribution)
        command = programs / "neuralens-tracker"
        printed = run(command, "snippet", "--app-id", "APP")
        if bundles.integrity("neuralens.js") not in printed:
            raise AssertionError(f"the snippet does not name the script of this build: {printed}")
        version = run(command, "--version")
        if VERSION not in version:
            raise AssertionError(f"{version.strip()} is not version {VERSION}")


def check_packages() -> None:
    """Check the wheel at the ends of its ranges, with frameworks, and in complete shops."""
    run(*PACKAGES, "tests/packages")


def check_python(version: str) -> None:
    """Check the wheel with every extra, at the highest versions, on another Python."""
    tests = ("tests/packages/test_ranges.py", "-k", "highest or bare")
    run(*PACKAGES, f"--interpreter={find_python(version)}", *tests)


def find_python(version: str) -> str:
    """Return a Python of this version, of the system or of pyenv; raises NotCheckedError."""
    found = subprocess.run(  # noqa: S603
        [UV, "python", "find", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        return found.stdout.strip()
    pyenv = shutil.which("pyenv")
    if pyenv:
        for home in Path(run(pyenv, "root").strip(), "versions").glob(f"{version}.*"):
            return str(home / "bin" / "python")
    raise NotCheckedError("there is no such Python on this machine")


CHECKS: dict[str, Callable[[], None]] = {
    "changelog": check_changelog,
    "everything committed": check_commit,
    "twine": check_metadata,
    "npm package": check_npm,
    "wheel in a bare environment": partial(check_bare, WHEEL),
    "sdist in a bare environment": partial(check_bare, SDIST),
    f"tests/packages, Python {PYTHONS[0]}": check_packages,
    **{f"Python {version}": partial(check_python, version) for version in PYTHONS[1:]},
}


def report(name: str, check: Callable[[], None]) -> str:
    """Make a check and print a line on it; return "passed", "not checked" or "FAILED"."""
    start = time.monotonic()
    outcome, said = "passed", ""
    try:
        check()
    except NotCheckedError as reason:
        outcome, said = "not checked", str(reason)
    except subprocess.CalledProcessError as error:
        outcome, said = "FAILED", f"{error}\n{error.stdout}"
    except AssertionError as error:
        outcome, said = "FAILED", str(error)
    seconds = time.monotonic() - start
    print(f"{name:<30} {outcome:<11} {seconds:>6.1f} s  {said}".rstrip(), flush=True)
    return outcome


def main() -> int:
    """Make everything, and check it unless that is not wanted; return the exit status."""
    make()
    for path in sorted(RELEASE.iterdir()):
        print(f"{path.relative_to(ROOT)!s:<50} {path.stat().st_size:>10,} bytes")
    if "--unchecked" in sys.argv:
        return 0
    print()
    outcomes = {name: report(name, check) for name, check in CHECKS.items()}
    failed = [name for name, outcome in outcomes.items() if outcome == "FAILED"]
    unknown = [name for name, outcome in outcomes.items() if outcome == "not checked"]
    print()
    if failed:
        print(f"{VERSION} may not ship: {', '.join(failed)}")
        return 1
    print(f"{VERSION} may ship" + (f"; not checked: {', '.join(unknown)}" if unknown else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
