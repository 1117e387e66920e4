"""The event schema, and its validation in both the browser and the relay."""

from neuralens_tracker.types import Event, Fields, Unchecked, ValueType
from neuralens_tracker.value_types import COUNT, TEXT, is_number, read, requirement
from neuralens_tracker.vocabulary import EVENTS, PAGES, PURCHASE

ITEMS = "a list of {id}, by id or ids"
GEO = "{lat, long, region}"
# Types of coordinates: the maximum of their absolute value, in degrees.
LATITUDE = "90"
LONGITUDE = "180"
GEO_FIELDS: dict[str, ValueType] = {"lat": LATITUDE, "long": LONGITUDE, "region": TEXT}
ITEM_FIELDS: dict[str, ValueType] = {"id": TEXT}
# An event on the wire. The relay strips eid; the rest are the API's fields.
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
# All other fields may be absent or null.
REQUIRED = ["eid", "event", "items", "timestamp"]


class Fault:
    """A validation error: the field ("" if the value is no object at all) and a message."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        self.sentence = sentence


def is_valid(value_type: ValueType, value: object) -> bool:
    """Return whether a field's value has its type, with no conversion needed."""
    if value_type == LATITUDE or value_type == LONGITUDE:
        return is_number(value, 0 - int(value_type), int(value_type))
    if value_type == ITEMS:
        return isinstance(value, list) and is_items(value)
    if value_type == GEO:
        return is_geo(value)
    return read(value_type, value) == value


def is_items(items: list[object]) -> bool:
    """Return whether items is a non-empty list of {id}."""
    wrong = [item for item in items if find_field_fault(item, ITEM_FIELDS, ["id"]) is not None]
    return len(wrong) == 0 and len(items) > 0


def is_geo(geo: Unchecked) -> bool:
    """Return whether geo is a location: both coordinates, a region, or all three."""
    if find_field_fault(geo, GEO_FIELDS, []) is not None:
        return False
    paired = (geo.get("lat") is None) == (geo.get("long") is None)
    return paired and (geo.get("lat") is not None or geo.get("region") is not None)


def find_field_fault(
    value: object, fields: dict[str, ValueType], required: list[str]
) -> Fault | None:
    """Return the first error of a value that should be a dict with fields of these types."""
    if not isinstance(value, dict):
        return Fault("", "it must be an object")
    for name in required:
        if value.get(name) is None:
            return Fault(name, requirement(name, fields[name]))
    for name in list(value.keys()):
        if name not in list(fields.keys()):
            return Fault(name, name + " is no field")
        if value[name] is not None and not is_valid(fields[name], value[name]):
            return Fault(name, requirement(name, fields[name]))
    return None


def find_fault(event: Unchecked) -> Fault | None:
    """Return the first error of an event, given as a JSON value; None if it is valid.

    Source: the event tracking API, "Request Body".
    """
    fault = find_field_fault(event, FIELDS, REQUIRED)
    if fault is None and event["event"] != PURCHASE and len(event["items"]) > 1:
        return Fault("items", "items must be one")
    return fault


def make_event(name: object, ids: object, fields: Fields, eid: str, timestamp: int) -> Event:
    """Build an event, without validation, for one item id or a list of ids.

    ``fields`` may hold page, query and index; ``timestamp`` is in Unix seconds.
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


def named_ids(fields: Fields) -> object:
    """Return the ids in a call of ``track``: a list, or a single id."""
    return fields.get("ids") or fields.get("id")
