"""esbuild, which bundles and minifies: found in the checkout or on PATH."""

import shutil
import subprocess

from neuralens_build.checkout import CHECKOUT

# Browsers with Object.hasOwn and String.replaceAll: those of the last four years.
TARGET = "es2021"


class BundlerError(RuntimeError):
    """A program of the build is missing, or refused its input."""


def find(name: str) -> str:
    """Return the path of a program from npm; BundlerError when there is none."""
    local = CHECKOUT / "node_modules" / ".bin" / name
    found = str(local) if local.is_file() else shutil.which(name)
    if found is None:
        raise BundlerError(f"{name} is missing: run `npm install {name}` and try again")
    return found


def run_program(name: str, *arguments: str, text: str | None = None) -> str:
    """Run a program from npm and return what it writes; the text is its input.

    Raises BundlerError where it is missing, or refuses its input.
    """
    done = subprocess.run(  # noqa: S603 - a fixed program with the build's own arguments
        [find(name), *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise BundlerError(f"{name} refused its input: {done.stderr}")
    return done.stdout


def run(*arguments: str, text: str | None = None) -> str:
    """Run esbuild; as run_program does."""
    return run_program("esbuild", f"--target={TARGET}", "--charset=utf8", *arguments, text=text)
