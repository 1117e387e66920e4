"""What the event tracking API's document demands of a request, written down a second time.

The tracker and the relay share one check, ``neuralens_tracker.events``. This one shares nothing
with it but the vocabulary, on purpose: a sandbox that judged with the tracker's own code would
pass every mistake that code makes. It reads the document strictly:

- ``uid``, ``items``, ``event`` and ``timestamp`` have to be there; ``uid`` alone may be null
  ("or null"). The other fields are left out where they do not apply.
- A whole number is written without a fraction: ``3``, not ``3.0``.
- A field that the document does not know is refused.
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
    """Why a request is refused: the HTTP status to answer and the reason in words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def check_headers(headers: Mapping[str, str], key: str, application: str) -> None:
    """Raise ``ContractError`` (401 or 403) unless both headers carry what they should.

    ``headers`` is looked up by the documented names; give a case-insensitive mapping.
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
    """Compare two secrets in a time that does not tell how much of them is right."""
    return hmac.compare_digest(given.encode(), expected.encode())


def parse(raw: bytes) -> dict[str, Any]:
    """Return the event in a body; raise ``ContractError`` (400) where it is no JSON object."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(400, f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ContractError(400, "the body must be a JSON object")
    return value


def check_body(event: Mapping[str, Any]) -> None:
    """Raise ``ContractError`` (422), naming the field, unless ``event`` is as documented."""
    for field in event:
        if field not in RULES:
            raise ContractError(422, f"{quote(field)} is not a documented field")
    for field in REQUIRED:
        if field not in event:
            raise ContractError(422, f"{field} is missing")
    for field, value in event.items():
        rule, wanted = RULES[field]
        if not rule(value):
            raise ContractError(422, f"{field} must be {wanted}")
    if len(event["items"]) != 1 and event["event"] != PURCHASE:
        raise ContractError(422, f"items must hold exactly one item unless event is {PURCHASE}")


def quote(name: str) -> str:
    """Shorten a name that came from outside, for a message."""
    return repr(name[:64])


def is_text(value: object) -> bool:
    """Tell whether value is a string of at least one character."""
    return isinstance(value, str) and value != ""


def is_whole(value: object) -> bool:
    """Tell whether value is a whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_degrees(value: object, limit: int) -> bool:
    """Tell whether value is a number of degrees, at most ``limit`` either way."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and -limit <= value <= limit
    )


def is_timestamp(value: object) -> bool:
    """Tell whether value is a time in whole Unix seconds; milliseconds are caught by their size."""
    return is_whole(value) and isinstance(value, int) and 0 <= value < 10**11


def is_items(value: object) -> bool:
    """Tell whether value is a list of ``{"id": text}``, one at least."""
    return (
        isinstance(value, list)
        and value != []
        and all(
            isinstance(item, dict) and set(item) == {"id"} and is_text(item["id"]) for item in value
        )
    )


def is_geo(value: object) -> bool:
    """Tell whether value is ``{lat, long, region}``, of which the region may be missing."""
    if not isinstance(value, dict) or not set(value) <= {"lat", "long", "region"} or not value:
        return False
    if "region" in value and not is_text(value["region"]):
        return False
    if "lat" not in value and "long" not in value:
        return True
    return is_degrees(value.get("lat"), 90) and is_degrees(value.get("long"), 180)


# Each documented field: the rule its value has to meet, and that rule in words.
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
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
