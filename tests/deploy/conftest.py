"""The files of deploy/, with the parts of the relay's tests."""

import os
import shutil
from pathlib import Path

import pytest

from tests.relay.conftest import (
    bundles,
    environment,
    offline,
    sandbox,
    sandbox_process,
    spawn,
)

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
# Where the system keeps them, and where build/machine.sh unpacks them.
UNPACKED = ROOT / ".cache" / "programs" / "usr"
PLACES = ("/usr/sbin", "/usr/local/bin", "/usr/bin", "/bin", UNPACKED / "sbin", UNPACKED / "bin")


def program(name: str) -> str:
    """The path of a program of the system; a test that needs one that is missing is left out."""
    found = shutil.which(name, path=os.pathsep.join(map(str, PLACES)))
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found
