"""Fixtures for the files of deploy/, in addition to those of the relay's tests."""

import os
import shutil
from pathlib import Path

import pytest

from tests.relay.conftest import (
    api_down,
    bundles,
    environment,
    sandbox,
    sandbox_process,
    spawn,
)

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
# The folders of the system's programs, and of those that build/machine.sh unpacks.
UNPACKED = ROOT / ".cache" / "programs" / "usr"
PLACES = ("/usr/sbin", "/usr/local/bin", "/usr/bin", "/bin", UNPACKED / "sbin", UNPACKED / "bin")


def program(name: str) -> str:
    """Return the path of a program; skip the test if it is not installed."""
    found = shutil.which(name, path=os.pathsep.join(map(str, PLACES)))
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found
