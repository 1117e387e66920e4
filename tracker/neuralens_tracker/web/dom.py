"""The page as the captures see it: elements, attributes and events.

Elements and the document are reached by these functions alone, which apply what the prototypes had
when the tracker came: ``form.closest`` may be a field of that name, ``document.cookie`` an image.
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
# The open shadow trees that were found so far, each by its root.
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


def of_document(name: str) -> Any:
    """Return a property of the document; None where it throws, as the cookie may."""
    return attempt(get(window, "Reflect"), "get", document_prototype, name, document)


def attribute(element: Any, name: str) -> Any:
    """Return the text of an attribute; None when the element has none of that name."""
    return get_attribute(element, name)


def is_shadow(node: Any) -> bool:
    """Tell whether a node is the root of a shadow tree; it has no names that a page gives away."""
    kind: int = node_type(node)
    return kind == SHADOW_NODE


def host_of(node: Any) -> Any:
    """Return the element whose shadow tree holds a node; None when it is in none."""
    root = root_of(node)
    return get(root, "host") if is_shadow(root) else None


def closest(element: Any, selector: str) -> Any:
    """Return the nearest element that matches: itself, an ancestor, or one around shadow trees."""
    while element is not None:
        found = find_closest(element, selector)
        if found:
            return found
        element = host_of(element)
    return None


def around(element: Any) -> Any:
    """Return the parent of an element, of a shadow tree's first element its host; else None."""
    return parent_of(element) or host_of(element)


def find_all(root: Any, selector: str) -> list[Any]:
    """Return the elements below an element, a document or a shadow root, in document order."""
    if is_shadow(root):
        return elements(call(root, "querySelectorAll", selector))
    find = find_in_document if node_type(root) == DOCUMENT_NODE else find_in_element
    return elements(find(root, selector))


def find_at(element: Any, x: float, y: float) -> Any:
    """Return what a point of the window shows of the tree of an element; else None."""
    root = root_of(element)
    if is_shadow(root):
        return call(root, "elementFromPoint", x, y)
    return find_at_point(root, x, y)


def find_everywhere(selector: str) -> list[Any]:
    """Return the elements of the page, those in open shadow trees too, in the order of the page."""
    return find_below(document, selector)


def find_below(root: Any, selector: str) -> list[Any]:
    """Return the elements below an element, those in shadow trees too, in the order of the page."""
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


def find_named(element: Any, names: list[str]) -> list[Any]:
    """Return the elements that have one of the ids, in the tree of an element; "" names none."""
    named = ["[id=" + dump(name) + "]" for name in names if name != ""]
    return find_all(root_of(element), ",".join(named)) if len(named) > 0 else []


def listen(names: str, handler: Any) -> None:
    """Call handler with each event of these names, in the capture phase of the window.

    There a page's own stopPropagation comes too late to hide it.
    """
    guarded = callback(handler)
    for name in names.split(" "):
        call(window, "addEventListener", name, guarded, True)


def target_of(event: Any) -> Any:
    """Return the innermost element of an event, inside open shadow trees too."""
    return elements(call(event, "composedPath"))[0]


def is_visible() -> bool:
    """Tell whether the page is shown: no background tab, not minimised."""
    return str(of_document("visibilityState")) == "visible"
