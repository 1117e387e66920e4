"""Loads the overlay's script, if it is asked for."""

from collections.abc import Callable

from neuralens_tracker.addon_settings import name_file
from neuralens_tracker.hooks import HELD, LISTENED
from neuralens_tracker.types import JSFunction, JSObject, Settings
from neuralens_tracker.web.dom import create_element, document_property
from neuralens_tracker.web.ffi import call, callback, construct, get, put, window
from neuralens_tracker.web.platform import resolve_address


def is_debugged(settings: Settings) -> bool:
    """Return whether the overlay is asked for, by the setting or by ``nl-debug`` in the address."""
    return settings["debug"] or "nl-debug" in get(get(window, "location"), "search")


def load_overlay(
    tag: JSObject, settings: Settings, on: Callable[[str, JSFunction], object]
) -> None:
    """Insert the overlay's script, next to the tracker's own.

    Its tag holds the tracker's ``tag`` and the ``log``, an array to which names and details of
    events are pushed, alternating. Once loaded, the overlay replaces the array's ``push``.
    ``on(name, handler)`` registers a listener.
    """
    log = construct("Array")

    def record_events(name: str) -> None:
        def append(detail: JSObject, *_: JSObject) -> None:
            call(log, "push", name, detail)

        on(name, callback(append))

    record_events(HELD)
    for name in LISTENED:
        record_events(name)
    sibling = (get(tag, "src") if tag else None) or settings["endpoint"]
    parts = resolve_address(sibling).split("/")
    parts[len(parts) - 1] = name_file("overlay")
    script = create_element("script")
    put(script, "log", log)
    put(script, "nonce", get(tag, "nonce") if tag else None)
    put(script, "tag", tag)
    put(script, "src", "/".join(parts))
    call(document_property("head"), "append", script)
