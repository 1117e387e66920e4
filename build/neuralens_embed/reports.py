"""Formats the report of an audit as text, JSON, or GitHub annotations."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from neuralens_embed.annotations import escape_data, escape_property
from neuralens_embed.audit import Event, Report


def as_text(name: str, report: Report) -> Iterator[str]:
    """Yield a line per event and problem, and a summary."""
    for event in report.events:
        yield f"{name}:{event.line}: {describe(event)}"
    for problem in report.problems:
        yield f"{name}:{problem.line}: wrong: {problem.message}"
    yield f"{name}: {report.summary()}"


def describe(event: Event) -> str:
    """Format an event."""
    parts = [event.event, " ".join(f'"{item}"' for item in event.ids)]
    if event.index is not None:
        parts.append(f"index {event.index}")
    if event.page is not None:
        parts.append(f"page {event.page}")
    if event.query is not None:
        parts.append(f'query "{event.query}"')
    return ", ".join(parts)


def as_json(name: str, report: Report) -> Iterator[str]:
    """Yield ``{"events": [...], "problems": [...]}`` as JSON on one line."""
    page = asdict(report)
    del page["hints"]
    yield json.dumps(page)


def as_github(name: str, report: Report) -> Iterator[str]:
    """Yield an error annotation per problem, and a summary."""
    for problem in report.problems:
        place = f"file={escape_property(name)},line={problem.line}"
        title = escape_property(problem.attribute)
        yield f"::error {place},title={title}::{escape_data(problem.message)}"
    yield escape_data(f"{name}: {report.summary()}")


FORMATS = {"text": as_text, "json": as_json, "github": as_github}
