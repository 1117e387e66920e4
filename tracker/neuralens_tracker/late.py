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


def upgrade(entry: Any) -> Fields | None:
    """Return an entry of storage as {event, key}; None for what is none, for it may be anything.

    Version 0.1.0 kept a list: eid, Unix time in milliseconds, event, fields of a call of ``track``,
    deduplication key.
    """
    if isinstance(entry, list) and len(entry) == 5 and isinstance(entry[4], str):
        milliseconds = entry[1]
        fields = entry[3]
        if not isinstance(fields, dict) or not is_number(milliseconds, 0, MAX_COUNT * 1000):
            return None
        time = int(milliseconds / 1000)
        event = make_event(entry[2], named_ids(fields), fields, entry[0], time)
        entry = {"event": event, "key": entry[4]}
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
