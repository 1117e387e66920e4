"""Formats the difference between two lists of events."""

from collections import Counter
from collections.abc import Sequence


def compare(wanted: Sequence[str], got: Sequence[str]) -> str:
    """Return the difference line by line, or "" if there is none; the order does not matter.

    Lines start with two spaces if they are in both, with ``-`` if missing, and with ``+`` if
    unexpected. An unexpected line follows the missing one that it resembles.
    """
    missing, extra = Counter(wanted) - Counter(got), Counter(got) - Counter(wanted)
    if not missing and not extra:
        return ""
    lines = []
    for line in wanted:
        if missing[line] > 0:
            missing[line] -= 1
            lines.append(f"- {line}")
            instead = find_resembling(line, extra)
            if instead:
                extra[instead] -= 1
                lines.append(f"+ {instead}")
        else:
            lines.append(f"  {line}")
    lines += [f"+ {line}" for line in extra.elements()]
    return "\n".join(lines)


def find_resembling(line: str, lines: Counter[str]) -> str:
    """Return the line with the same event on the same item, or ""."""
    start = line.split()[:2]
    return next((other for other in lines.elements() if other.split()[:2] == start), "")
