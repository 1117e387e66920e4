"""What an event is, and whether one is right: the same check in the browser and in the relay."""

from typing import Any

from neuralens_tracker.value_types import COUNT, TEXT, demand, is_number, read
from neuralens_tracker.vocabulary import EVENTS, PAGES, PURCHASE

ITEMS = "a list of {id}"
GEO = "{lat, long, region}"
# The kinds of coordinates: the most degrees either way.
LATITUDE = "90"
LONGITUDE = "180"
GEO_FIELDS: dict[str, Any] = {"lat": LATITUDE, "long": LONGITUDE, "region": TEXT}
ITEM_FIELDS: dict[str, Any] = {"id": TEXT}
# An event as it goes over the wire; eid stays behind at the relay, the rest is the API's.
FIELDS: dict[str, Any] = {
    "eid": TEXT,
    "event": EVENTS,
    "items": ITEMS,
    "timestamp": COUNT,
    "uid": TEXT,
    "query": TEXT,
    "page": PAGES,
    "index": COUNT,
    "geo": GEO,
}
# Without these there is no event; any other field may be absent or null.
REQUIRED = ["eid", "event", "items", "timestamp"]


def fits(kind: Any, value: Any) -> bool:
    """Tell whether a value of an event is of its kind: reading it changes nothing."""
    if kind == LATITUDE or kind == LONGITUDE:
        return is_number(value, 0 - int(kind), int(kind))
    if kind == ITEMS:
        return isinstance(value, list) and is_items(value)
    if kind == GEO:
        return is_geo(value)
    return read(kind, value) == value


def is_items(items: list[Any]) -> bool:
    """Tell whether each of items is {id}, and there is one at least."""
    wrong = [item for item in items if explain_fields(item, ITEM_FIELDS, ["id"]) != ""]
    return len(wrong) == 0 and len(items) > 0


def is_geo(geo: Any) -> bool:
    """Tell whether geo names a place: coordinates, both of them, a region, or all three."""
    if explain_fields(geo, GEO_FIELDS, []) != "":
        return False
    paired = (geo.get("lat") is None) == (geo.get("long") is None)
    return paired and (geo.get("lat") is not None or geo.get("region") is not None)


def explain_fields(record: Any, fields: dict[str, Any], required: list[str]) -> str:
    """Say what is wrong with a record whose fields are of these kinds; "" when it is right.

    The sentence begins with the name of the field.
    """
    if not isinstance(record, dict):
        return "it must be an object"
    for name in required:
        if record.get(name) is None:
            return demand(name, fields[name])
    for name in list(record.keys()):
        if name not in list(fields.keys()):
            return name + " is no field"
        kind = fields[name]
        if record[name] is not None and not fits(kind, record[name]):
            return demand(name, kind)
    return ""


def explain(event: Any) -> str:
    """Say in words what is wrong with an event, a JSON value; "" when it is right.

    Source: the event tracking API, "Request Body".
    """
    reason = explain_fields(event, FIELDS, REQUIRED)
    if reason == "" and event["event"] != PURCHASE and len(event["items"]) > 1:
        return "items must be one"
    return reason


def make_event(
    name: Any, ids: Any, fields: dict[str, Any], eid: str, timestamp: int
) -> dict[str, Any]:
    """Return an event, unchecked, on the item with an id, or on those with a list of ids.

    ``fields`` may hold page, query and index; ``timestamp`` is the Unix time in seconds.
    """
    if not isinstance(ids, list):
        ids = [ids]
    return {
        "eid": eid,
        "items": [{"id": read(TEXT, each)} for each in ids],
        "event": name,
        "timestamp": timestamp,
        "query": fields.get("query") or None,
        "page": fields.get("page"),
        "index": fields.get("index"),
    }


def named_ids(fields: dict[str, Any]) -> Any:
    """Return what a call of ``track`` is about: a list of ids, or one id."""
    return fields.get("ids") or fields.get("id")
