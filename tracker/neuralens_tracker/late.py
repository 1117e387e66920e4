"""How a heavy runtime starts: it takes over what ``early`` kept, here or on a page before."""

from typing import Any

from neuralens_tracker.capture.lifecycle import when_left, when_shown
from neuralens_tracker.events import make_event, named_ids
from neuralens_tracker.main import Tracker
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import is_number
from neuralens_tracker.vocabulary import KEPT_KEY, MAX_COUNT
from neuralens_tracker.web.configuration import find_tag
from neuralens_tracker.web.ffi import get, invoke, parse, window
from neuralens_tracker.web.storage import Storage

# The parts of an entry of version 0.1.0.
FIRST_LENGTH = 5


def read_first(eid: Any, milliseconds: Any, event: Any, fields: Any, key: Any) -> Fields | None:
    """Return {event, key} of an entry of version 0.1.0, which was a list of these.

    ``fields`` are those of a call of ``track``; None where one of them is wrong.
    """
    is_timed = is_number(milliseconds, 0, MAX_COUNT * 1000)
    if not is_timed or not isinstance(fields, dict) or not isinstance(key, str):
        return None
    made = make_event(event, named_ids(fields), fields, eid, int(milliseconds / 1000))
    return {"event": made, "key": key}


def upgrade(entry: Any) -> Fields | None:
    """Return an entry of storage as {event, key}; None for what is none, for it may be anything."""
    if isinstance(entry, list):
        entry = read_first(*entry) if len(entry) == FIRST_LENGTH else None
    return entry if isinstance(entry, dict) and isinstance(entry.get("event"), dict) else None


def restore(tracker: Tracker, entry: Fields) -> None:
    """Have the tracker track an entry {event, key} that was kept before."""
    key = entry.get("key")
    tracker.receive(entry["event"], key if isinstance(key, str) else None)


def start(tag: JSObject) -> None:
    """Start the tracker as ``main.start`` does, and send what was kept before."""
    stub = get(window, "neuralens")
    if stub is not None and get(stub, "version") is not None:
        return
    early = None if stub is None else get(stub, "early")
    handed = None if early is None else parse(invoke(early, "null"))
    tracker = Tracker(find_tag(tag))
    if not tracker.has_application():
        return
    storage = Storage()

    def restore_kept() -> None:
        """Take over what storage keeps, as soon as the shopper has consented."""
        if tracker.may_store():
            for name in storage.names(KEPT_KEY):
                entry = upgrade(parse(storage.read(name)))
                if entry is not None:
                    restore(tracker, entry)
                storage.erase(name)

    def follow(*_: JSObject) -> None:
        """Take over the rest after the page's own calls, whose hooks and location hold for it."""
        if handed is not None:
            for entry in handed["held"]:
                restore(tracker, entry)
        tracker.when_decided(restore_kept)
        restore_kept()
        when_left(tracker.finish)

    if handed is not None:
        # JSON leaves out what is undefined: nothing may have been typed.
        tracker.recall(handed["told"], handed.get("typed"))
    tracker.take_over(stub)
    when_shown(follow)
