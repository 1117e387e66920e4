"""The outcome of events under each fault: tables that are printed and kept in docs/faults.md."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# The names of the test properties that contain a row.
BROWSER = "fault"
RELAY = "fault of the relay"


@dataclass(frozen=True)
class Section:
    """A section of the document: its heading, introduction, and the columns of its table.

    The first ``key`` columns identify the fault.
    """

    heading: str
    introduction: str
    columns: tuple[str, ...]
    key: int = 1

    def as_text(self, rows: list[list[str]]) -> str:
        """Return the table in Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *sorted(rows)]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def other_rows(self, document: str, rows: list[list[str]]) -> list[list[str]]:
        """Return the rows of a document for faults that are not among ``rows``."""
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
        "Each row is a test with a real browser, a relay process and real sockets. It shows\n"
        "how many events were tracked, how many the sandbox of the API received, how many it\n"
        "received twice, for how many the relay does not know whether the API received them\n"
        "(ambiguous), and the bytes that the browser sent, as a multiple of those needed to\n"
        "send each event once.",
        ("fault", "browser", "tracked", "received", "duplicated", "ambiguous", "bytes sent"),
        key=2,
    ),
    RELAY: Section(
        "The relay",
        "Each row is a test with one or two relay processes, under load from clients that\n"
        "resend each batch until it is acknowledged. It shows how many events were\n"
        "acknowledged, how many the sandbox of the API received, how many the relay reports\n"
        "as not sent (dead letters, events on damaged pages), how many were lost without a\n"
        "report, how many were received twice, and for how many the relay does not know\n"
        "whether the API received them (ambiguous).",
        (
            *("fault", "acknowledged", "received", "reported", "lost", "duplicated", "ambiguous"),
            "remarks",
        ),
    ),
}
TITLE = (
    "# Faults\n\nWhat happens to events when something fails, as measured by `make test-faults`.\n"
)


def save(path: Path, rows: dict[str, list[list[str]]], whole: bool) -> None:
    """Write the rows of this run and, unless ``whole``, previous rows of other faults."""
    old = path.read_text("utf-8") if path.exists() else ""
    parts = [TITLE]
    for name, section in SECTIONS.items():
        kept = [] if whole else section.other_rows(old, rows[name])
        if kept or rows[name]:
            parts.append(section.render([*kept, *rows[name]]))

    path.write_text("\n".join(parts), "utf-8")


@pytest.fixture
def add_row(
    record_property: Callable[[str, Any], None], engine: str, request: pytest.FixtureRequest
) -> Callable[[list[str]], None]:
    """Add a row to the table, as ``Accounts.reconcile`` returns it.

    Its fault is the name of the test, with the parameters that are not the browser.
    """

    def add_row(row: list[str]) -> None:
        name, *parameters = re.split(r"[\[\]-]", request.node.name)
        given = [each for each in parameters if each not in ("", engine)]
        fault = name.removeprefix("test_").replace("_", " ")
        record_property(BROWSER, [": ".join([fault, *given]), engine, *row])

    return add_row
