"""The pytest plugin: ``neuralens_sandbox`` for the run, ``neuralens_events`` for each test."""

from collections.abc import Iterator

import pytest

from neuralens_testing.events import Events
from neuralens_testing.sandbox import Sandbox, start_sandbox

APPLICATION = "test-app"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("neuralens")
    group.addoption(
        "--neuralens-url",
        metavar="URL",
        help="Use what `neuralens-tracker dev` serves there already.",
    )
    group.addoption(
        "--neuralens-app-id",
        metavar="APP",
        default=APPLICATION,
        help=f"Application id of the shop's pages (default: {APPLICATION}).",
    )


@pytest.fixture(scope="session")
def neuralens_sandbox(pytestconfig: pytest.Config) -> Iterator[Sandbox]:
    """Relay and sandbox; each worker of pytest-xdist has its own, unless one is named."""
    application = pytestconfig.getoption("--neuralens-app-id")
    url = pytestconfig.getoption("--neuralens-url")
    if url:
        yield Sandbox(url, application)
    else:
        with start_sandbox(application) as sandbox:
            yield sandbox


@pytest.fixture
def neuralens_events(neuralens_sandbox: Sandbox) -> Events:
    """Return the events of this test."""
    return Events(neuralens_sandbox)
