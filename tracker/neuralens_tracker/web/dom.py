"""The page as the captures see it: elements, attributes and events."""

from typing import Any

from neuralens_tracker.web.ffi import call, callback, elements, get, window

document: Any = get(window, "document")


def attribute(element: Any, name: str) -> Any:
    """Return the text of an attribute; None when the element has none of that name."""
    return call(element, "getAttribute", name)


def closest(element: Any, name: str) -> Any:
    """Return the nearest element, itself or an ancestor, that has the attribute; else None."""
    return call(element, "closest", "[" + name + "]")


def find_all(root: Any, selector: str) -> list[Any]:
    """Return the elements below root that match, in document order."""
    return elements(call(root, "querySelectorAll", selector))


def find_id(name: str) -> Any:
    """Return the element with that id, or None."""
    return call(document, "getElementById", name)


def listen(name: str, handler: Any) -> None:
    """Call handler with each event of that name, in the capture phase of the window.

    There a page's own stopPropagation comes too late to hide it.
    """
    call(window, "addEventListener", name, callback(handler), True)


def is_visible() -> bool:
    """Tell whether the page is shown: no background tab, not minimised."""
    return get(document, "visibilityState") == "visible"
