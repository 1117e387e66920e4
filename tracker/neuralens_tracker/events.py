"""What an event is, and whether one is right: the same check in the browser and in the relay."""

from typing import Any

from neuralens_tracker.types import Event, Fields, ValueType
from neuralens_tracker.value_types import COUNT, TEXT, demand, is_number, read
from neuralens_tracker.vocabulary import EVENTS, PAGES, PURCHASE

ITEMS = "a list of {id}"
GEO = "{lat, long, region}"
# The types of coordinates: the most degrees either way.
LATITUDE = "90"
LONGITUDE = "180"
GEO_FIELDS: dict[str, ValueType] = {"lat": LATITUDE, "long": LONGITUDE, "region": TEXT}
ITEM_FIELDS: dict[str, ValueType] = {"id": TEXT}
# An event as it goes over the wire; eid stays behind at the relay, the rest is the API's.
FIELDS: dict[str, ValueType] = {
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


class Fault:
    """What is wrong with a record: the field, or "" when it is no record, and a sentence."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        self.sentence = sentence


def fits(value_type: ValueType, value: Any) -> bool:
    """Tell whether a value of an event is of its type: reading it changes nothing."""
    if value_type == LATITUDE or value_type == LONGITUDE:
        return is_number(value, 0 - int(value_type), int(value_type))
    if value_type == ITEMS:
        return isinstance(value, list) and is_items(value)
    if value_type == GEO:
        return is_geo(value)
    return read(value_type, value) == value


def is_items(items: list[Any]) -> bool:
    """Tell whether each of items is {id}, and there is one at least."""
    wrong = [item for item in items if find_field_fault(item, ITEM_FIELDS, ["id"]) is not None]
    return len(wrong) == 0 and len(items) > 0


def is_geo(geo: Any) -> bool:
    """Tell whether geo names a place: coordinates, both of them, a region, or all three."""
    if find_field_fault(geo, GEO_FIELDS, []) is not None:
        return False
    paired = (geo.get("lat") is None) == (geo.get("long") is None)
    return paired and (geo.get("lat") is not None or geo.get("region") is not None)


def find_field_fault(value: Any, fields: dict[str, ValueType], required: list[str]) -> Fault | None:
    """Return what is wrong first with a value that should be a dict with fields of these types."""
    if not isinstance(value, dict):
        return Fault("", "it must be an object")
    for name in required:
        if value.get(name) is None:
            return Fault(name, demand(name, fields[name]))
    for name in list(value.keys()):
        if name not in list(fields.keys()):
            return Fault(name, name + " is no field")
        if value[name] is not None and not fits(fields[name], value[name]):
            return Fault(name, demand(name, fields[name]))
    return None


def find_fault(event: Any) -> Fault | None:
    """Return what is wrong first with an event, a JSON value; None when it is right.

    Source: the event tracking API, "Request Body".
    """
    fault = find_field_fault(event, FIELDS, REQUIRED)
    if fault is None and event["event"] != PURCHASE and len(event["items"]) > 1:
        return Fault("items", "items must be one")
    return fault


def make_event(name: Any, ids: Any, fields: Fields, eid: str, timestamp: int) -> Event:
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


def named_ids(fields: Fields) -> Any:
    """Return what a call of ``track`` is about: a list of ids, or one id."""
    return fields.get("ids") or fields.get("id")
