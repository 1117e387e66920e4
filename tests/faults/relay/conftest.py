"""The fixtures of the relay's tests, and the table of outcomes."""

from collections.abc import Callable

import pytest

from tests.faults.relay.pages import Outcome
from tests.faults.table import RELAY
from tests.relay.conftest import (
    api_down,
    environment,
    redis_address,
    redis_process,
    sandbox,
    sandbox_process,
    spawn,
)


@pytest.fixture
def add_row(
    record_property: Callable[[str, object], None], request: pytest.FixtureRequest
) -> Callable[[str, Outcome], None]:
    """Add a row to the table; fail if an event is lost, or more are duplicated than ambiguous."""

    def add_row(fault: str, outcome: Outcome) -> None:
        record_property(RELAY, [fault, *outcome.row()])
        outcome.check()

    return add_row
