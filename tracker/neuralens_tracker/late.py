"""Starts a heavy runtime and replays the events that ``early`` recorded, here or on other pages."""

from neuralens_tracker.capture.lifecycle import on_activation
from neuralens_tracker.events import make_event, named_ids
from neuralens_tracker.main import Tracker
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import is_number
from neuralens_tracker.vocabulary import EARLY_KEY, MAX_COUNT
from neuralens_tracker.web.configuration import find_tag
from neuralens_tracker.web.ffi import get, invoke, parse, window
from neuralens_tracker.web.storage import Storage

# The length of an entry of version 0.1.0, which was a list.
LIST_LENGTH = 5


def upgrade_list(
    eid: object, milliseconds: object, event: object, fields: object, key: object
) -> Fields | None:
    """Convert the elements of a version 0.1.0 entry to {event, key}; None if one is invalid.

    ``fields`` are those of a call of ``track``.
    """
    if not is_number(milliseconds, 0, MAX_COUNT * 1000) or not isinstance(fields, dict):
        return None
    if not isinstance(eid, str) or not isinstance(key, str):
        return None
    made = make_event(event, named_ids(fields), fields, eid, int(milliseconds / 1000))
    return {"event": made, "key": key}


def upgrade(entry: object) -> Fields | None:
    """Return a stored entry as {event, key}, whatever its version; None if it is invalid."""
    if isinstance(entry, list):
        entry = upgrade_list(*entry) if len(entry) == LIST_LENGTH else None
    return entry if isinstance(entry, dict) and isinstance(entry.get("event"), dict) else None


def replay(tracker: Tracker, entry: Fields) -> None:
    """Track a recorded event, given as {event, key}."""
    key = entry.get("key")
    tracker.receive(entry["event"], key if isinstance(key, str) else None)


def start(tag: JSObject) -> None:
    """Start the tracker as ``main.start`` does, and replay recorded events."""
    stub = get(window, "neuralens")
    if stub is not None and isinstance(get(stub, "version"), str):
        return
    early = None if stub is None else get(stub, "early")
    handover = None if early is None else parse(invoke(early, "null"))
    handed: Fields | None = handover if isinstance(handover, dict) else None
    tracker = Tracker(find_tag(tag))
    if not tracker.has_application():
        return
    storage = Storage()

    def replay_stored() -> None:
        """Replay the events in storage, once the shopper has consented."""
        if tracker.may_store():
            for name in storage.names(EARLY_KEY):
                entry = upgrade(parse(storage.read(name)))
                if entry is not None:
                    replay(tracker, entry)
                storage.erase(name)

    def replay_all(*_: JSObject) -> None:
        """Replay after the page's queued calls, so that its hooks and location apply."""
        if handed is not None:
            for entry in handed["held"]:
                replay(tracker, entry)
        tracker.on_consent(replay_stored)
        replay_stored()

    if handed is not None:
        # "typed" is absent if nothing was typed, since JSON omits undefined.
        tracker.restore(handed["told"], handed.get("typed"))
    tracker.replace_stub(stub)
    on_activation(replay_all)
