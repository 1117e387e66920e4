"""What became of the events under each fault: the tables that are printed and kept in docs/."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# The names of properties that hold a row.
BROWSER = "fault"
RELAY = "fault of the relay"


@dataclass(frozen=True)
class Section:
    """A table of its own: its heading, what it is about, and its columns.

    The first ``key`` columns say which fault it is.
    """

    heading: str
    introduction: str
    columns: tuple[str, ...]
    key: int = 1

    def as_text(self, rows: list[list[str]]) -> str:
        """Return the table in Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *sorted(rows)]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def others(self, document: str, rows: list[list[str]]) -> list[list[str]]:
        """Return the rows that a document has of faults that are not among ``rows``."""
        found = re.search(rf"^## {re.escape(self.heading)}\n.*?(?=^## |\Z)", document, re.M | re.S)
        lines = found.group().splitlines() if found else []
        cells = [[c.strip() for c in line[1:-1].split("|")] for line in lines if line[:2] == "| "]
        known = {tuple(row[: self.key]) for row in rows}
        return [row for row in cells[2:] if tuple(row[: self.key]) not in known]

    def render(self, rows: list[list[str]]) -> str:
        """Return the section of the document."""
        return f"## {self.heading}\n\n{self.introduction}\n\n{self.as_text(rows)}\n"


SECTIONS = {
    BROWSER: Section(
        "Between page and API",
        "Each row is a real browser, a relay process and real sockets between them: events that\n"
        "were tracked, that the API's sandbox has in its ledger, those that it has twice, those\n"
        "that the relay counts as ambiguous, and bytes posted, as a multiple of the bytes needed.",
        ("fault", "browser", "tracked", "in the ledger", "doubled", "ambiguous", "posted"),
        key=2,
    ),
    RELAY: Section(
        "The relay",
        "Each row is one relay process or two, under load by pages that send each batch until it\n"
        "is acknowledged: events acknowledged, those that arrived at the API, those that the\n"
        "relay says it has not sent (dead letters, events on damaged pages), those lost in\n"
        "silence, those that arrived twice, and those that the relay counts as ambiguous.",
        (
            *("fault", "acknowledged", "arrived", "said", "lost", "doubled", "ambiguous"),
            "remarks",
        ),
    ),
}
TITLE = "# Faults\n\nWhat `make test-faults` saw.\n"


def save(path: Path, rows: dict[str, list[list[str]]], whole: bool) -> None:
    """Write the document: the rows of this run, and unless it was ``whole``, the others before."""
    old = path.read_text("utf-8") if path.exists() else ""
    parts = [TITLE]
    for name, section in SECTIONS.items():
        kept = [] if whole else section.others(old, rows[name])
        parts.append(section.render([*kept, *rows[name]]))
    path.write_text("\n".join(parts), "utf-8")


@pytest.fixture
def note(
    record_property: Callable[[str, Any], None], engine: str, request: pytest.FixtureRequest
) -> Callable[[list[str]], None]:
    """Put a row of ``Accounts.settle`` into the table."""

    def note(row: list[str]) -> None:
        name = request.node.name.removeprefix("test_").split("[")[0].replace("_", " ")
        record_property(BROWSER, [name, engine, *row])

    return note
