"""The page as the captures see it: elements, attributes and events.

Elements and the document are reached by these functions alone, which apply what the prototypes had
when the tracker came: ``form.closest`` may be a field of that name, ``document.cookie`` an image.
"""

from typing import Any

from neuralens_tracker.web.ffi import call, callback, elements, get, method, reader, window

document: Any = get(window, "document")
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
bounds: Any = method("Element", "getBoundingClientRect")
boxes: Any = method("Element", "getClientRects")
root_of: Any = method("Node", "getRootNode")
contains: Any = method("Node", "contains")
node_type: Any = reader("Node", "nodeType")
parent_of: Any = reader("Node", "parentElement")
is_connected: Any = reader("Node", "isConnected")
text_of: Any = reader("Node", "textContent")
children_of: Any = reader("Node", "childNodes")
shadow_of: Any = reader("Element", "shadowRoot")
visibility_of: Any = reader("Document", "visibilityState")
state_of: Any = reader("Document", "readyState")
is_prerendering: Any = reader("Document", "prerendering")
root_element_of: Any = reader("Document", "documentElement")
focus_of: Any = reader("Document", "activeElement")


def attribute(element: Any, name: str) -> Any:
    """Return the text of an attribute; None when the element has none of that name."""
    return get_attribute(element, name)


def host_of(node: Any) -> Any:
    """Return the element whose shadow tree holds a node; None when it is in none."""
    root = root_of(node)
    return get(root, "host") if node_type(root) == SHADOW_NODE else None


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
    kind = node_type(root)
    if kind == ELEMENT_NODE:
        return elements(find_in_element(root, selector))
    if kind == DOCUMENT_NODE:
        return elements(find_in_document(root, selector))
    # A shadow root has no names that a page could give away.
    return elements(call(root, "querySelectorAll", selector))


def find_everywhere(selector: str) -> list[Any]:
    """Return the elements of the document that match, then those of its open shadow trees."""
    found: list[Any] = []
    found.extend(find_all(document, selector))
    for root in shadow_roots:
        if is_connected(root):
            found.extend(find_all(root, selector))
    return found


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
    found: list[Any] = []
    for name in names:
        if name != "":
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            for each in find_all(root_of(element), '[id="' + quoted + '"]'):
                found.append(each)
    return found


def listen(name: str, handler: Any) -> None:
    """Call handler with each event of that name, in the capture phase of the window.

    There a page's own stopPropagation comes too late to hide it.
    """
    call(window, "addEventListener", name, callback(handler), True)


def target_of(event: Any) -> Any:
    """Return the innermost element of an event, inside open shadow trees too."""
    return elements(call(event, "composedPath"))[0]


def is_visible() -> bool:
    """Tell whether the page is shown: no background tab, not minimised."""
    return visibility_of(document) == "visible"
