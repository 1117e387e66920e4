"""What an add-on has of the tracker: its public calls, and settings in the same places."""

from collections.abc import Callable

from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import DENIED, GRANTED, PENDING
from neuralens_tracker.web.ffi import call, callback, get, invoke, method, record, same, window
from neuralens_tracker.web.platform import wait

# Milliseconds until the second look for what a page may load later.
LOOK_MS = 100
# Milliseconds until the next look for a data layer in place of the one that is followed.
LOOK_LAYER_MS = 1000

# The document without ``web.dom``, which most add-ons have no other use for.
find_in_page: JSObject = method("Document", "querySelector")


def tell(*values: JSObject) -> None:
    """Call ``neuralens(...)``; before the tracker is there, its stub keeps the call."""
    call(window, "neuralens", *values)


def find_one(selector: str) -> JSObject:
    """Return the first element of the document that matches, or None."""
    return find_in_page(get(window, "document"), selector)


def find_setting(name: str, tag: JSObject) -> JSObject:
    """Return what an add-on's own tag, the tracker's, or ``neuralensConfig`` says, as it is."""
    value: JSObject = None
    for script in (tag, find_one("script[data-app-id]")):
        if value is None and script:
            value = property_of(get(script, "dataset"), name)
    config = get(window, "neuralensConfig")
    return invoke(property_of, None, config, name) if value is None and config else value


def property_of(thing: JSObject, name: str) -> JSObject:
    """Return the property of an object whose name is only known now."""
    return call(get(window, "Reflect"), "get", thing, name)


def listen_for(name: str, handler: Callable[..., object]) -> None:
    """Call a handler with each event of a name that reaches the window."""
    call(window, "addEventListener", name, callback(handler))


def follow_data_layer(notice: Callable[[JSObject], None]) -> None:
    """Call ``notice(entries)`` with the entries of ``dataLayer``, and with those of each push.

    The page may replace the array by another, and others may replace its ``push`` in turn.
    """
    followed: JSObject = None
    noticed = callback(notice)

    def look() -> None:
        nonlocal followed
        layer = get(window, "dataLayer")
        if not layer or same(layer, followed):
            return
        followed = layer
        noticed(layer)
        push = get(layer, "push")

        def run(*entries: JSObject) -> JSObject:
            result = call(push, "apply", layer, entries)
            noticed(entries)
            return result

        # Not enumerable, as the page's own code may iterate the array.
        replaced = record({"value": run, "writable": True, "configurable": True})
        call(get(window, "Object"), "defineProperty", layer, "push", replaced)

    call(window, "setInterval", callback(look), LOOK_LAYER_MS)
    look()


def look_until(look: Callable[[], JSObject]) -> None:
    """Call ``look`` until it returns something true, each time after a longer delay.

    So what is never there costs little, and what comes is found in half as long again as it took.
    """
    delay: float = LOOK_MS

    def repeat() -> None:
        nonlocal delay
        if not look():
            wait(delay, repeat)
            delay = delay * 1.5

    repeat()


def tell_consent(granted: JSObject, decided: JSObject) -> None:
    """Pass on what a consent platform says: before a decision nothing but a grant counts."""
    tell("consent", GRANTED if granted else DENIED if decided else PENDING)
