"""Formats and parses events on one line: ``VIEW_PRODUCT AV768 #3 SEARCH_RESULT_PAGE "oak chair"``.

The name, comma-separated ids, and rank, page and query if present.
"""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from neuralens_tracker.vocabulary import EVENTS, PAGES

LINE = re.compile(
    r"(?P<event>[A-Z_]+)\s+(?P<ids>.+?)(?:\s+#(?P<index>\d+))?"
    rf"(?:\s+(?P<page>{'|'.join(PAGES)}))?(?:\s+(?P<query>\"(?:[^\"\\]|\\.)*\"))?"
)

EXAMPLE = f'{EVENTS[0]} ID #3 {PAGES[0]} "query"'


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
    match = LINE.fullmatch(line.strip())
    if match is None or match["event"] not in EVENTS:
        raise ValueError(f"{line!r} is not an event: write {EXAMPLE}")
    if misplaced := find_misplaced(match):
        raise ValueError(f"{line!r} is not an event because of {misplaced!r}: write {EXAMPLE}")
    index = None if match["index"] is None else int(match["index"])
    try:
        query = None if match["query"] is None else json.loads(match["query"])
    except ValueError:
        misplaced = match["query"]
        raise ValueError(
            f"{line!r} is not an event because of {misplaced!r}: write a backslash twice"
        ) from None
    return describe(match["event"], match["ids"].split(","), index, match["page"], query)


def find_misplaced(match: re.Match[str]) -> str:
    """Return what was read as a part of an id, but is a mistake in what follows it; or ""."""
    # The last one, because a mistake there has those before it read as parts of the id, too.
    words: list[str] = match["ids"].split()
    for place, word in reversed(list(enumerate(words))):
        is_rank = match["index"] is None and word.startswith("#")
        is_page = match["page"] is None and difflib.get_close_matches(word, PAGES, cutoff=0.8)
        is_query = match["query"] is None and place and word.startswith('"')
        if is_rank or is_page or is_query:
            return word
    return "" if all(match["ids"].split(",")) else ","
