"""The content of the image of deploy/Dockerfile, installed as it says, and run.

The image itself is not built here: that needs the base image from a registry.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.packages.wheels import ROOT, UV, environment

pytestmark = pytest.mark.packages
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
# 80 MB without the base image's 45 MB.
ROOM = 35_000_000


@pytest.fixture(scope="module")
def programs(
    pytestconfig: pytest.Config, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The programs of an environment with the content of the image."""
    if shutil.which("strip") is None:
        pytest.skip("strip is not installed here")
    home, wheels = tmp_path_factory.mktemp("image"), tmp_path_factory.mktemp("wheels")
    shutil.copy(wheel, wheels)
    # An older one in release/, which cannot be installed.
    (wheels / "neuralens_tracker-0.0.1-py3-none-any.whl").touch()
    python = pytestconfig.getoption("--interpreter")
    subprocess.run([UV, "venv", "--quiet", "--python", python, home], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    (installation,) = re.findall(r"^RUN (pip=.+?[^\\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    for folder, here in {
        "/opt/neuralens/lib/python3.13/site-packages": site,
        "/opt/neuralens": home,
        "/tmp/release": wheels,
    }.items():
        assert folder in installation
        installation = installation.replace(folder, str(here))
    done = subprocess.run(
        ["sh", "-ec", installation],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "bin"


def test_size(programs: Path) -> None:
    (site,) = programs.parent.glob("lib/python*/site-packages")
    files = (path for path in site.rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert sum(path.stat().st_size for path in files) < ROOM


def test_the_relay_runs(programs: Path, tmp_path: Path) -> None:
    """All files except the outbox are read-only."""
    settings = {
        "NEURALENS_APPLICATION_ID": "APP",
        "NEURALENS_API_KEY": "KEY",
        "NEURALENS_API_URL": "http://127.0.0.1:9/",
        "NEURALENS_OUTBOX": f"sqlite:///{tmp_path}/outbox.db",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    relay = subprocess.Popen(
        [programs / "neuralens-tracker", "relay", "--port", "0"],
        cwd=tmp_path,
        env={**environment(programs), **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    with relay:
        assert relay.stdout
        address = relay.stdout.readline().split()[1].removesuffix("/nl")
        (check,) = re.findall(r'"http://127.0.0.1:8787(/nl/health\S+)"', DOCKERFILE)
        with urllib.request.urlopen(address + check, timeout=30) as response:
            assert json.load(response) == {"live": True}
        with urllib.request.urlopen(f"{address}/nl/neuralens.js", timeout=30) as response:
            assert response.status == 200
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(60) == 0
    # The volume of the outbox.
    names = {path.name for path in tmp_path.iterdir()}
    assert "outbox.db" in names
    assert all(name.startswith("outbox") for name in names)
