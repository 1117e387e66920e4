"""DOM access for the captures: elements, attributes, events, and shadow trees.

Elements and the document are accessed only through methods and getters captured from the prototypes
at the start, because of DOM clobbering: ``form.closest`` may be a field of that name, and
``document.cookie`` an image.
"""

from typing import Any

from neuralens_tracker.web.ffi import (
    attempt,
    call,
    callback,
    dump,
    elements,
    get,
    method,
    reader,
    window,
)

document: Any = get(window, "document")
document_prototype: Any = get(get(window, "Document"), "prototype")
# The roots of the open shadow trees found so far.
shadow_roots: list[Any] = []

ELEMENT_NODE = 1
TEXT_NODE = 3
DOCUMENT_NODE = 9
SHADOW_NODE = 11

get_attribute: Any = method("Element", "getAttribute")
find_closest: Any = method("Element", "closest")
matches: Any = method("Element", "matches")
find_in_element: Any = method("Element", "querySelectorAll")
find_first: Any = method("Element", "querySelector")
find_in_document: Any = method("Document", "querySelectorAll")
create_in_document: Any = method("Document", "createElement")
find_at_point: Any = method("Document", "elementFromPoint")
bounds: Any = method("Element", "getBoundingClientRect")
check_visibility: Any = method("Element", "checkVisibility")
root_of: Any = method("Node", "getRootNode")
contains: Any = method("Node", "contains")
node_type: Any = reader("Node", "nodeType")
parent_of: Any = reader("Node", "parentElement")
is_connected: Any = reader("Node", "isConnected")
text_of: Any = reader("Node", "textContent")
children_of: Any = reader("Node", "childNodes")
shadow_of: Any = reader("Element", "shadowRoot")


def document_property(name: str) -> Any:
    """Return a property of the document; None if it throws, as the cookie does when sandboxed."""
    return attempt(get(window, "Reflect"), "get", document_prototype, name, document)


def create_element(name: str) -> Any:
    """Return a new element."""
    return create_in_document(document, name)


def attribute(element: Any, name: str) -> Any:
    """Return an attribute's text, or None."""
    return get_attribute(element, name)


def is_shadow(node: Any) -> bool:
    """Return whether a node is a shadow root, whose properties cannot be clobbered."""
    kind: int = node_type(node)
    return kind == SHADOW_NODE


def host_of(node: Any) -> Any:
    """Return the host of the shadow tree that a node is in, or None."""
    root = root_of(node)
    return get(root, "host") if is_shadow(root) else None


def closest(element: Any, selector: str) -> Any:
    """Return the closest matching element or ancestor, also across shadow trees, or None."""
    while element is not None:
        found = find_closest(element, selector)
        if found:
            return found
        element = host_of(element)
    return None


def parent_or_host(element: Any) -> Any:
    """Return the parent element, or the host for a top-level element of a shadow tree, or None."""
    return parent_of(element) or host_of(element)


def find_all(root: Any, selector: str) -> list[Any]:
    """Return the matching descendants of an element, document or shadow root."""
    if is_shadow(root):
        return elements(call(root, "querySelectorAll", selector))
    find = find_in_document if node_type(root) == DOCUMENT_NODE else find_in_element
    return elements(find(root, selector))


def find_at(element: Any, x: float, y: float) -> Any:
    """Return the topmost element at a point of the viewport, within an element's tree, or None."""
    root = root_of(element)
    if is_shadow(root):
        return call(root, "elementFromPoint", x, y)
    return find_at_point(root, x, y)


def find_everywhere(selector: str) -> list[Any]:
    """Return the matching elements of the page and its open shadow trees, in tree order."""
    return find_below(document, selector)


def find_below(root: Any, selector: str) -> list[Any]:
    """Return the matching descendants, also in open shadow trees, in tree order."""
    if len(shadow_roots) == 0:
        return find_all(root, selector)
    found: list[Any] = []
    for element in find_all(root, "*"):
        if matches(element, selector):
            found.append(element)
        shadow = shadow_of(element)
        if shadow:
            found.extend(find_below(shadow, selector))
    return found


def find_by_ids(element: Any, names: list[str]) -> list[Any]:
    """Return the elements with these ids in an element's tree; "" is skipped."""
    named = ["[id=" + dump(name) + "]" for name in names if name != ""]
    return find_all(root_of(element), ",".join(named)) if len(named) > 0 else []


def listen(names: str, handler: Any) -> None:
    """Register a handler for space-separated event types, on the window in the capture phase.

    There it runs before the page's listeners could stop the event's propagation.
    """
    guarded = callback(handler)
    for name in names.split(" "):
        call(window, "addEventListener", name, guarded, True)


def target_of(event: Any) -> Any:
    """Return the innermost target of an event, also inside open shadow trees."""
    return elements(call(event, "composedPath"))[0]


def is_visible() -> bool:
    """Return whether the page is visible: not in a background tab or minimized."""
    return str(document_property("visibilityState")) == "visible"
