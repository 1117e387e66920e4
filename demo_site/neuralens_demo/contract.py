"""Validation of requests by the API's documentation, independent of the tracker's own.

Tracker and relay share one validator, ``neuralens_tracker.events``. This one shares only the
vocabulary with it, on purpose: a sandbox with the tracker's validator could not detect its bugs.
It interprets the documentation strictly:

- ``uid``, ``items``, ``event`` and ``timestamp`` are required; only ``uid`` may be null. Other
  fields are omitted where they do not apply.
- Integers have no fraction: ``3``, not ``3.0``.
- Undocumented fields are refused.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from neuralens_tracker.vocabulary import EVENTS, PAGES, PURCHASE

PATH = "/analytics/event"
KEY_HEADER = "X-Neuralens-API-Key"
APPLICATION_HEADER = "X-Neuralens-Application-ID"
SCHEME = "Bearer "


class ContractError(Exception):
    """A request is invalid: the HTTP status of the response, and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def check_headers(headers: Mapping[str, str], key: str, application: str) -> None:
    """Raise ``ContractError`` (401 or 403) unless both headers have the expected values.

    ``headers`` must be a case-insensitive mapping.
    """
    credentials = headers.get(KEY_HEADER)
    if credentials is None:
        raise ContractError(401, f"the header {KEY_HEADER} is missing")
    if not credentials.startswith(SCHEME):
        raise ContractError(401, f'the header {KEY_HEADER} must read "{SCHEME}YOUR_API_KEY"')
    if not equal(credentials.removeprefix(SCHEME), key):
        raise ContractError(403, f"the key in {KEY_HEADER} is not known")
    named = headers.get(APPLICATION_HEADER)
    if named is None:
        raise ContractError(401, f"the header {APPLICATION_HEADER} is missing")
    if not equal(named, application):
        raise ContractError(403, f"the application in {APPLICATION_HEADER} is not known")


def equal(given: str, expected: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def parse(raw: bytes) -> dict[str, object]:
    """Return the event in a body; raise ``ContractError`` (400) if it is not a JSON object."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(400, f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ContractError(400, "the body must be a JSON object")
    return value


def check_body(event: Mapping[str, Any]) -> None:
    """Raise ``ContractError`` (422), which names the field, unless ``event`` is as documented."""
    for field in event:
        if field not in RULES:
            raise ContractError(422, f"{quote(field)} is not a documented field")
    for field in REQUIRED:
        if field not in event:
            raise ContractError(422, f"{field} is missing")
    for field, value in event.items():
        is_valid, requirement = RULES[field]
        if not is_valid(value):
            raise ContractError(422, f"{field} must be {requirement}")
    if len(event["items"]) != 1 and event["event"] != PURCHASE:
        raise ContractError(422, f"items must hold exactly one item unless event is {PURCHASE}")


def quote(name: str) -> str:
    """Quote a name from a request for a message, truncated."""
    return repr(name[:64])


def is_text(value: object) -> bool:
    """Return whether a value is a nonempty string."""
    return isinstance(value, str) and value != ""


def is_whole(value: object) -> bool:
    """Return whether a value is an integer from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_degrees(value: object, limit: int) -> bool:
    """Return whether a value is a number from ``-limit`` to ``limit``."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and -limit <= value <= limit
    )


def is_timestamp(value: object) -> bool:
    """Return whether a value is a Unix time in integer seconds, and not in milliseconds."""
    return is_whole(value) and isinstance(value, int) and 0 <= value < 10**11


def is_items(value: object) -> bool:
    """Return whether a value is a nonempty list of ``{"id": text}``."""
    return (
        isinstance(value, list)
        and value != []
        and all(
            isinstance(item, dict) and set(item) == {"id"} and is_text(item["id"]) for item in value
        )
    )


def is_geo(value: object) -> bool:
    """Return whether a value is ``{lat, long, region}``; the region is optional."""
    if not isinstance(value, dict) or not set(value) <= {"lat", "long", "region"} or not value:
        return False
    if "region" in value and not is_text(value["region"]):
        return False
    if "lat" not in value and "long" not in value:
        return True
    return is_degrees(value.get("lat"), 90) and is_degrees(value.get("long"), 180)


# For each documented field, a predicate on its value, and what it requires.
RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "uid": (lambda value: value is None or is_text(value), "text or null"),
    "items": (is_items, 'a list of objects {"id": text}'),
    "query": (lambda value: isinstance(value, str), "text"),
    "page": (lambda value: value in PAGES, "one of " + ", ".join(PAGES)),
    "event": (lambda value: value in EVENTS, "one of " + ", ".join(EVENTS)),
    "index": (is_whole, "a whole number from 0"),
    "geo": (is_geo, "an object {lat, long, region}: degrees, and a name that may be missing"),
    "timestamp": (is_timestamp, "whole Unix seconds"),
}
REQUIRED = ("uid", "items", "event", "timestamp")
