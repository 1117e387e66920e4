"""Servers of small shops, whose relays forward to the sandbox of ``neuralens_testing``."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import neuralens_embed
import pytest
from neuralens_testing import Events, Sandbox

from tests.polling import TIMEOUT

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def neuralens_events(neuralens_sandbox: Sandbox) -> Events:
    """The events of a test, with a long timeout for busy machines."""
    return Events(neuralens_sandbox, timeout=TIMEOUT)


@pytest.fixture
def without_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the library of the extra ``audit`` missing, and what needs it imported anew."""
    monkeypatch.setitem(sys.modules, "justhtml", None)
    for name in ("audit", "dom"):
        monkeypatch.delitem(sys.modules, f"neuralens_embed.{name}", raising=False)
        monkeypatch.delattr(neuralens_embed, name, raising=False)


@pytest.fixture
def serve(neuralens_sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start a shop and return its address: ``serve(name, **environment)``, see ``serving``."""
    running: list[subprocess.Popen[str]] = []
    log = tmp_path / "log"

    def serve(name: str, **environment: str) -> str:
        with log.open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integrations.serving", name],
                cwd=ROOT,
                env={
                    **os.environ,
                    **neuralens_sandbox.settings,
                    "NEURALENS_OUTBOX": f"sqlite:///{tmp_path}/outbox.db",
                    **environment,
                },
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        running.append(process)
        assert process.stdout
        ready, _, _ = select.select([process.stdout], [], [], TIMEOUT)
        address = process.stdout.readline().strip() if ready else ""
        assert address, f"{name} did not start: {log.read_text()}"
        return address

    yield serve
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        try:
            process.wait(TIMEOUT)
        finally:
            process.kill()
            process.wait()
            assert process.stdout
            process.stdout.close()
