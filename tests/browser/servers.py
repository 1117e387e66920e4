"""Processes of the relay and the sandbox of the API."""

from collections.abc import Iterator

import pytest

from tests.processes import APPLICATION, KEY, RELAY, SANDBOX, Process

# Settings of a relay with short delays.
SHORT_DELAYS = {
    # Sequential requests, so that the ledger has the order of the events.
    "NEURALENS_CONCURRENCY": "1",
    "NEURALENS_BACKOFF_BASE": "0.02",
    "NEURALENS_BACKOFF_CAP": "0.1",
    "NEURALENS_PROBE": "0.2",
}


@pytest.fixture(scope="session")
def credentials() -> dict[str, str]:
    return {"NEURALENS_API_KEY": KEY, "NEURALENS_APPLICATION_ID": APPLICATION}


@pytest.fixture(scope="session")
def sandbox(
    tmp_path_factory: pytest.TempPathFactory, credentials: dict[str, str]
) -> Iterator[Process]:
    process = Process(SANDBOX, environment=credentials, cwd=tmp_path_factory.mktemp("sandbox"))
    yield process
    process.end()


@pytest.fixture(scope="session")
def relay_process(
    tmp_path_factory: pytest.TempPathFactory, credentials: dict[str, str], sandbox: Process
) -> Iterator[Process]:
    environment = SHORT_DELAYS | {
        "NEURALENS_API_URL": f"{sandbox.url}/analytics/event",
        "NEURALENS_RATE_LIMIT": "0",
    }
    folder = tmp_path_factory.mktemp("relay")
    process = Process(RELAY, environment=credentials | environment, cwd=folder)
    yield process
    process.end()


@pytest.fixture
def relay(relay_process: Process) -> Iterator[Process]:
    """The relay, which is restarted after a test that has ended it."""
    yield relay_process
    if not relay_process.runs:
        relay_process.start()
