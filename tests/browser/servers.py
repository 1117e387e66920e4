"""The relay and the sandbox of the API, each as a process."""

from collections.abc import Iterator

import pytest

from tests.processes import RELAY, SANDBOX, Process

KEY = "test-key-4711"
APPLICATION = "test-app"
# Settings of a relay that does not wait long.
PROMPT = {
    # One after the other, so that the ledger is in the order in which the events came.
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
    environment = PROMPT | {
        "NEURALENS_API_URL": f"{sandbox.url}/analytics/event",
        "NEURALENS_RATE_LIMIT": "0",
    }
    folder = tmp_path_factory.mktemp("relay")
    process = Process(RELAY, environment=credentials | environment, cwd=folder)
    yield process
    process.end()


@pytest.fixture
def relay(relay_process: Process) -> Iterator[Process]:
    """The relay; a test that ends it need not start it again."""
    yield relay_process
    if not relay_process.runs:
        relay_process.start()
