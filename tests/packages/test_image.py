"""The content of the image of deploy/Dockerfile, run from a new environment.

The image itself is not built here: that needs Docker, and the base image from a registry.
"""

import json
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packages.wheels import ROOT, environment

pytestmark = pytest.mark.packages
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
# 80 MB without the base image's 45 MB.
ROOM = 35_000_000


@pytest.fixture(scope="module")
def programs(install: Callable[..., Path]) -> Path:
    """The programs of an environment with the content of the image."""
    (extras,) = re.findall(r'"\$\{wheel\}\[([\w,]+)\]"', DOCKERFILE)
    programs = install(extras)
    (site,) = programs.parent.glob("lib/python*/site-packages")
    (removed,) = re.findall(r"&& rm -r (.+?) \\$", DOCKERFILE, re.MULTILINE)
    for name in removed.split():
        shutil.rmtree(site / name)
    return programs


def test_size(programs: Path, tmp_path: Path) -> None:
    strip = shutil.which("strip")
    if strip is None:
        pytest.skip("strip is not installed here")
    (site,) = programs.parent.glob("lib/python*/site-packages")
    total = 0
    for path in site.rglob("*"):
        if path.suffix == ".so":
            # The file is a hard link into the installer's cache.
            packed = tmp_path / "packed.so"
            subprocess.run([strip, "--strip-unneeded", "-o", packed, path], check=True)
            total += packed.stat().st_size
        elif path.is_file() and path.suffix != ".pyc":
            total += path.stat().st_size
    assert total < ROOM


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
    assert all(path.name.startswith("outbox") for path in tmp_path.iterdir())
