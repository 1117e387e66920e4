"""What became of the events under each fault: the table that is printed and kept in docs/."""

from pathlib import Path

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
