"""An event on one line: ``VIEW_PRODUCT AV768 #3 SEARCH_RESULT_PAGE "oak chair"``.

Its name, its ids with commas between, and as far as there are any its rank, page and query.
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
    """Return an event on one line."""
    parts = [event, ",".join(ids)]
    parts += [] if index is None else [f"#{index}"]
    parts += [] if page is None else [page]
    parts += [] if query is None else [json.dumps(query, ensure_ascii=False)]
    return " ".join(parts)


def describe_body(body: Mapping[str, Any]) -> str:
    """Return an event, as the API is sent it, on one line."""
    ids = [str(item["id"]) for item in body["items"]]
    return describe(body["event"], ids, body.get("index"), body.get("page"), body.get("query"))


def parse(line: str) -> str:
    """Return a line as ``describe`` writes it; raises ValueError where it is none."""
    match = LINE.fullmatch(" ".join(line.split()))
    if match is None or match["event"] not in EVENTS:
        raise ValueError(f'{line!r} is no event: write {EVENTS[0]} ID #3 {PAGES[0]} "query"')
    index = None if match["index"] is None else int(match["index"])
    query = None if match["query"] is None else json.loads(match["query"])
    return describe(match["event"], match["ids"].split(","), index, match["page"], query)
