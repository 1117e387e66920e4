"""Runs programs from npm, in the checkout or on PATH: esbuild and the Closure Compiler."""

import shutil
import subprocess
from pathlib import Path

from neuralens_build.checkout import CHECKOUT
from neuralens_build.errors import BuildError

# The syntax; the minimum browser versions (docs/browsers.md) also have Object.hasOwn.
TARGET = "es2021"


class NpmError(BuildError):
    """A program of the build is missing, or has failed."""


def find(name: str) -> str:
    """Return the path of a program from npm; raises NpmError if it is missing."""
    local = CHECKOUT / "node_modules" / ".bin" / name
    found = str(local) if local.is_file() else shutil.which(name)
    if found is None:
        raise NpmError(f"{name} is missing: run `npm install {name}` and try again")
    return found


def run_program(
    name: str, *arguments: str, text: str | None = None, folder: Path | None = None
) -> str:
    """Run a program from npm, in a folder if given, and return what it writes.

    The text is its input.

    Raises NpmError if it is missing, or fails.
    """
    done = subprocess.run(  # noqa: S603 - a fixed program with the build's own arguments
        [find(name), *arguments],
        input=text,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise NpmError(f"{name} refused its input: {done.stderr}")
    return done.stdout


def run_esbuild(*arguments: str, text: str | None = None, folder: Path | None = None) -> str:
    """Run esbuild; as run_program does."""
    return run_program(
        "esbuild", f"--target={TARGET}", "--charset=utf8", *arguments, text=text, folder=folder
    )
