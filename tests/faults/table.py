"""What became of the events under each fault: the table that is printed and kept in docs/."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROPERTY = "fault"
COLUMNS = ("fault", "browser", "tracked", "in the ledger", "doubled", "ambiguous", "posted")
INTRODUCTION = """# Faults

What `make test-faults` saw. Each row is a real browser, a relay process and real sockets between
them: events that were tracked, that the API's sandbox has in its ledger, those that it has twice,
those that the relay counts as ambiguous, and bytes posted, as a multiple of the bytes needed.

"""


class Table:
    """Rows of text, a column each of COLUMNS."""

    def __init__(self, rows: list[list[str]]) -> None:
        self._rows = sorted(rows)

    def as_text(self) -> str:
        """Return the table in Markdown."""
        lines = [COLUMNS, ["---"] * len(COLUMNS), *self._rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def save(self, path: Path) -> None:
        """Write the document."""
        path.write_text(INTRODUCTION + self.as_text() + "\n")


@pytest.fixture
def note(
    record_property: Callable[[str, Any], None], engine: str, request: pytest.FixtureRequest
) -> Callable[[list[str]], None]:
    """Put a row of ``Accounts.settle`` into the table."""

    def note(row: list[str]) -> None:
        name = request.node.name.removeprefix("test_").split("[")[0].replace("_", " ")
        record_property(PROPERTY, [name, engine, *row])

    return note
