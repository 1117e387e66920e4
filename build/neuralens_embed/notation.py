"""Formats and parses events on one line: ``VIEW_PRODUCT AV768 #3 SEARCH_RESULT_PAGE "oak chair"``.

The name, comma-separated ids, and rank, page and query if present.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from neuralens_tracker.vocabulary import EVENTS, PAGES

LINE = re.compile(
    r"(?P<event>[A-Z_]+) (?P<ids>.+?)(?: #(?P<index>\d+))?"
    rf"(?: (?P<page>{'|'.join(PAGES)}))?(?: (?P<query>\"(?:[^\"\\]|\\.)*\"))?"
)


def describe(
    event: str,
    ids: Sequence[str],
    index: int | None = None,
    page: str | None = None,
    query: str | None = None,
) -> str:
    """Format an event on one line."""
    parts = [event, ",".join(ids)]
    parts += [] if index is None else [f"#{index}"]
    parts += [] if page is None else [page]
    parts += [] if query is None else [json.dumps(query, ensure_ascii=False)]
    return " ".join(parts)


def describe_body(body: Mapping[str, Any]) -> str:
    """Format an event, given as the body of a request to the API, on one line."""
    ids = [str(item["id"]) for item in body["items"]]
    return describe(body["event"], ids, body.get("index"), body.get("page"), body.get("query"))


def parse(line: str) -> str:
    """Normalize a line to the form of ``describe``; raises ValueError if it is invalid."""
    match = LINE.fullmatch(" ".join(line.split()))
    if match is None or match["event"] not in EVENTS:
        raise ValueError(f'{line!r} is not an event: write {EVENTS[0]} ID #3 {PAGES[0]} "query"')
    index = None if match["index"] is None else int(match["index"])
    query = None if match["query"] is None else json.loads(match["query"])
    return describe(match["event"], match["ids"].split(","), index, match["page"], query)
