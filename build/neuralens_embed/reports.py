"""The report of an audit as text, as JSON, and as annotations of GitHub's workflows."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from neuralens_embed.annotations import escape_data, escape_property
from neuralens_embed.audit import Event, Report


def as_text(name: str, report: Report) -> Iterator[str]:
    """Yield a line for each event, one for each problem, and one that sums the page up."""
    for event in report.events:
        yield f"{name}:{event.line}: {describe(event)}"
    for problem in report.problems:
        yield f"{name}:{problem.line}: wrong: {problem.message}"
    yield f"{name}: {report.summary()}"


def describe(event: Event) -> str:
    """Return an event in words."""
    parts = [event.event, " ".join(f'"{item}"' for item in event.ids)]
    if event.index is not None:
        parts.append(f"index {event.index}")
    if event.page is not None:
        parts.append(f"page {event.page}")
    if event.query is not None:
        parts.append(f'query "{event.query}"')
    return ", ".join(parts)


def as_json(name: str, report: Report) -> Iterator[str]:
    """Yield the page's JSON object, ``{"events": [...], "problems": [...]}``, on one line."""
    page = asdict(report)
    del page["hints"]
    yield json.dumps(page, ensure_ascii=False)


def as_github(name: str, report: Report) -> Iterator[str]:
    """Yield an error annotation for each problem, and a line that sums the page up."""
    for problem in report.problems:
        place = f"file={escape_property(name)},line={problem.line}"
        title = escape_property(problem.attribute)
        yield f"::error {place},title={title}::{escape_data(problem.message)}"
    yield escape_data(f"{name}: {report.summary()}")


FORMATS = {"text": as_text, "json": as_json, "github": as_github}
