"""The report of a benchmark: a table, remarks, and bounds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Bound:
    """A value and its upper bound."""

    what: str
    value: float
    most: float

    @property
    def holds(self) -> bool:
        """Whether the value is within its bound."""
        return self.value <= self.most

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "BROKEN"
        value = f"{self.value:,.2f}".removesuffix(".00")
        return f"{verdict}: {self.what}: {value}, at most {self.most:,}"


@dataclass
class Report:
    """A table, whose first column has names, with remarks and bounds."""

    title: str
    columns: Sequence[str]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether all values are within their bounds."""
        return all(bound.holds for bound in self.bounds)

    def __str__(self) -> str:
        table = [tuple(self.columns), *self.rows]
        widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
        lines = [
            "  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]).rstrip()
            for first, *rest in table
        ]
        return "\n".join(["", self.title, "", *lines, "", *self.remarks, *map(str, self.bounds)])


def spread(samples: Iterable[float]) -> str:
    """Format the median and the range of samples in milliseconds."""
    values = list(samples)
    return f"{median(values):,.1f} ({min(values):,.1f} to {max(values):,.1f})"
