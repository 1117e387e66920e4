"""How the overlay comes to a page: as a script beside the tracker's own."""

from typing import Any

from neuralens_tracker.addon_settings import name_file
from neuralens_tracker.hooks import LISTENED
from neuralens_tracker.types import JSObject, Settings
from neuralens_tracker.web.dom import document
from neuralens_tracker.web.ffi import call, callback, construct, get, put, window


def is_debugged(settings: Settings) -> bool:
    """Tell whether somebody wants to see what the tracker does: the shop, or by the address."""
    return settings["debug"] or "nl-debug" in get(get(window, "location"), "search")


def load_overlay(tag: JSObject, settings: Settings, on: Any) -> None:
    """Insert the overlay's script, with what is told until it has come: names and details in turn.

    ``on(name, handler)`` has the handler told.
    """
    log = construct("Array")

    def keep(name: str) -> None:
        def note(detail: JSObject, *_: Any) -> None:
            call(log, "push", name, detail)

        on(name, callback(note))

    for name in LISTENED:
        keep(name)
    near = (get(tag, "src") if tag else None) or settings["endpoint"]
    base = construct("URL", near, get(get(window, "location"), "href"))
    script = call(document, "createElement", "script")
    put(script, "log", log)
    put(script, "nonce", get(tag, "nonce") if tag else None)
    put(script, "src", get(construct("URL", name_file("overlay"), base), "href"))
    call(get(document, "head"), "append", script)
