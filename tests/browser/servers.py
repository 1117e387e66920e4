"""The relay and the sandbox of the API, each as a process."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.polling import PATIENCE

KEY = "test-key-4711"
APPLICATION = "test-app"


class Process:
    """A command of the project as a process; ``url`` is the address that it prints."""

    def __init__(self, command: str, environment: dict[str, str], folder: Path) -> None:
        self._command = command
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NEURALENS_")}
        self._environment = inherited | {"PYTHONUNBUFFERED": "1"} | environment
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Start the command, in the same folder as before."""
        with (self._folder / "log").open("ab") as errors:
            self._popen = subprocess.Popen(
                [Path(sys.executable).parent / "neuralens-tracker", self._command, "--port", "0"],
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._popen.stdout
        ready, _, _ = select.select([self._popen.stdout], [], [], PATIENCE)
        line = self._popen.stdout.readline() if ready else ""
        assert "http" in line, f"{self._command} did not start: {self.log()}"
        self.url = line.split()[1]

    def log(self) -> str:
        return (self._folder / "log").read_text()

    @property
    def runs(self) -> bool:
        return self._popen.poll() is None

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait for the end."""
        self._popen.send_signal(number)
        try:
            self._popen.wait(PATIENCE)
        finally:
            self._popen.kill()
            self._popen.wait()
            assert self._popen.stdout
            self._popen.stdout.close()


@pytest.fixture(scope="session")
def credentials() -> dict[str, str]:
    return {"NEURALENS_API_KEY": KEY, "NEURALENS_APPLICATION_ID": APPLICATION}


@pytest.fixture(scope="session")
def sandbox(
    tmp_path_factory: pytest.TempPathFactory, credentials: dict[str, str]
) -> Iterator[Process]:
    process = Process("sandbox", credentials, tmp_path_factory.mktemp("sandbox"))
    yield process
    process.end()


@pytest.fixture(scope="session")
def relay_process(
    tmp_path_factory: pytest.TempPathFactory, credentials: dict[str, str], sandbox: Process
) -> Iterator[Process]:
    environment = {
        "NEURALENS_API_URL": f"{sandbox.url}/analytics/event",
        # One after the other, so that the ledger is in the order in which the events came.
        "NEURALENS_CONCURRENCY": "1",
        "NEURALENS_BACKOFF_BASE": "0.02",
        "NEURALENS_BACKOFF_CAP": "0.1",
        "NEURALENS_PROBE": "0.2",
        "NEURALENS_RATE_LIMIT": "0",
    }
    folder = tmp_path_factory.mktemp("relay")
    process = Process("relay", credentials | environment, folder)
    yield process
    process.end()


@pytest.fixture
def relay(relay_process: Process) -> Iterator[Process]:
    """The relay; a test that ends it need not start it again."""
    yield relay_process
    if not relay_process.runs:
        relay_process.start()
