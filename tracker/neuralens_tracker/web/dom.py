"""The page as the captures see it: elements, attributes and events."""

from collections.abc import Callable

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.ffi import call, callback, elements, get, window

document: JSObject = get(window, "document")


def attribute(element: JSObject, name: str) -> JSObject:
    """Return the text of an attribute; None when the element has none of that name."""
    return call(element, "getAttribute", name)


def closest(element: JSObject, name: str) -> JSObject:
    """Return the nearest element, itself or an ancestor, that has the attribute; else None."""
    return call(element, "closest", "[" + name + "]")


def find_all(root: JSObject, selector: str) -> list[JSObject]:
    """Return the elements below root that match, in document order."""
    return elements(call(root, "querySelectorAll", selector))


def find_id(name: str) -> JSObject:
    """Return the element with that id, or None."""
    return call(document, "getElementById", name)


def listen(name: str, handler: Callable[..., None]) -> None:
    """Call handler with each event of that name, in the capture phase of the window.

    There a page's own stopPropagation comes too late to hide it.
    """
    call(window, "addEventListener", name, callback(handler), True)


def is_visible() -> bool:
    """Tell whether the page is shown: no background tab, not minimised."""
    return get(document, "visibilityState") == "visible"
