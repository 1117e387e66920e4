"""How a heavy runtime starts: it takes over what ``early`` kept, here or on a page before."""

from typing import Any

from neuralens_tracker.capture.lifecycle import when_left, when_shown
from neuralens_tracker.main import Tracker
from neuralens_tracker.value_types import TEXT, is_number, read
from neuralens_tracker.vocabulary import KEPT_KEY, MAX_COUNT
from neuralens_tracker.web.ffi import get, invoke, parse, window
from neuralens_tracker.web.storage import Storage


def is_kept(entry: list[Any]) -> bool:
    """Tell whether a list is an entry of ``early``'s; storage may hold anything."""
    return (
        len(entry) == 5
        and is_number(entry[1], 0, MAX_COUNT * 1000)
        and isinstance(entry[3], dict)
        and isinstance(entry[4], str)
    )


def restore(tracker: Tracker, entry: list[Any]) -> None:
    """Have the tracker track an entry [eid, Unix time in milliseconds, event, fields, once].

    The fields are those of a call of ``track``.
    """
    fields = entry[3]
    ids = fields.get("ids") or fields.get("id")
    event = {
        "eid": entry[0],
        "items": [{"id": read(TEXT, each)} for each in (ids if isinstance(ids, list) else [ids])],
        "event": entry[2],
        "timestamp": int(entry[1] / 1000),
        "query": fields.get("query") or None,
        "page": fields.get("page"),
        "index": fields.get("index"),
    }
    tracker.restore(event, entry[4])


def start(tag: Any) -> None:
    """Start the tracker as ``main.start`` does, and send what was kept before."""
    stub = get(window, "neuralens")
    if stub is not None and get(stub, "version") is not None:
        return
    early = None if stub is None else get(stub, "early")
    handed = None if early is None else parse(invoke(early, "null"))
    tracker = Tracker(tag)
    storage = Storage()

    def take_up() -> None:
        """Take in what storage keeps, as soon as the shopper has consented."""
        if tracker.may_send():
            for key in storage.names(KEPT_KEY):
                entry = parse(storage.read(key))
                if isinstance(entry, list) and is_kept(entry):
                    restore(tracker, entry)
                storage.erase(key)

    def follow(*_: Any) -> None:
        """Take in the rest after the page's own calls, whose hooks and place hold for it."""
        if handed is not None:
            for entry in handed[0]:
                restore(tracker, entry)
        tracker.when_decided(take_up)
        take_up()
        when_left(tracker.finish)

    if handed is not None:
        tracker.recall(handed[1], handed[2])
    tracker.take_over(stub)
    when_shown(follow)
