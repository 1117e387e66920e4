"""The report of an audit as text, as JSON, and as annotations of GitHub's workflows."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from neuralens_embed.audit import Event, Report


def as_text(name: str, report: Report) -> Iterator[str]:
    """Yield a line for each event, then one for each problem; ``name`` is the page's."""
    for event in report.events:
        yield f"{name}:{event.line}: {describe(event)}"
    for problem in report.problems:
        yield f"{name}:{problem.line}: wrong: {problem.message}"


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
    yield json.dumps(asdict(report), ensure_ascii=False)


def as_github(name: str, report: Report) -> Iterator[str]:
    """Yield an error annotation for each problem, and a line that counts the events.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
    """
    for problem in report.problems:
        place = f"file={escape_property(name)},line={problem.line}"
        title = escape_property(problem.attribute)
        yield f"::error {place},title={title}::{escape_data(problem.message)}"
    yield f"{escape_data(name)}: events {len(report.events)}, problems {len(report.problems)}"


def escape_data(text: str) -> str:
    """Return a text as it stands behind ``::`` in a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Return a text as it stands among the properties of a workflow command."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS = {"text": as_text, "json": as_json, "github": as_github}
