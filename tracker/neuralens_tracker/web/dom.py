"""DOM access for the captures: elements, attributes, events, and shadow trees.

Elements and the document are accessed only through methods and getters captured from the prototypes
at the start, because of DOM clobbering: ``form.closest`` may be a field of that name, and
``document.cookie`` an image.
"""

from collections.abc import Callable

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.ffi import (
    attempt,
    call,
    callback,
    dump,
    elements,
    get,
    method,
    reader,
    record,
    same,
    window,
)

document: JSObject = get(window, "document")
document_prototype: JSObject = get(get(window, "Document"), "prototype")
# The roots of the open shadow trees found so far.
shadow_roots: list[JSObject] = []
# The functions that register the listeners.
registrations: list[Callable[[], None]] = []

# What a slot renders, in place of the slots among it.
FLATTEN: JSObject = record({"flatten": True})
ELEMENT_NODE = 1
TEXT_NODE = 3
DOCUMENT_NODE = 9
SHADOW_NODE = 11

get_attribute: JSObject = method("Element", "getAttribute")
find_closest: JSObject = method("Element", "closest")
matches: JSObject = method("Element", "matches")
find_in_element: JSObject = method("Element", "querySelectorAll")
find_in_document: JSObject = method("Document", "querySelectorAll")
create_in_document: JSObject = method("Document", "createElement")
find_at_point: JSObject = method("Document", "elementFromPoint")
bounds: JSObject = method("Element", "getBoundingClientRect")
# One rectangle for each line that an inline element is on, otherwise one.
lines_of: JSObject = method("Element", "getClientRects")
root_of: JSObject = method("Node", "getRootNode")
node_type: JSObject = reader("Node", "nodeType")
parent_of: JSObject = reader("Node", "parentElement")
is_connected: JSObject = reader("Node", "isConnected")
text_of: JSObject = reader("Node", "textContent")
children_of: JSObject = reader("Node", "childNodes")
shadow_of: JSObject = reader("Element", "shadowRoot")
slot_of: JSObject = reader("Element", "assignedSlot")
# ARIA relations that a script sets by elements instead of ids, which leaves the attribute empty.
active_descendant_of: JSObject = reader("Element", "ariaActiveDescendantElement")
controlled_by: JSObject = reader("Element", "ariaControlsElements")
owned_by: JSObject = reader("Element", "ariaOwnsElements")


def is_laid_out(element: JSObject, *_: JSObject) -> bool:
    """Stand in for ``checkVisibility``, which Safari has only since 17.4; ignores opacity."""
    visibility = get(call(window, "getComputedStyle", element), "visibility")
    return visibility == "visible" and get(lines_of(element), "length") > 0


native_check: JSObject = method("Element", "checkVisibility")
check_visibility: JSObject = native_check or is_laid_out


def document_property(name: str) -> JSObject:
    """Return a property of the document; None if it throws, as the cookie does when sandboxed."""
    return attempt(get(window, "Reflect"), "get", document_prototype, name, document)


def create_element(name: str) -> JSObject:
    """Return a new element."""
    return create_in_document(document, name)


def attribute(element: JSObject, name: str) -> JSObject:
    """Return an attribute's text without the spaces around it, or None."""
    text = get_attribute(element, name)
    return text.strip() if text else text


def is_shadow(node: JSObject) -> bool:
    """Return whether a node is a shadow root, whose properties cannot be clobbered."""
    kind: int = node_type(node)
    return kind == SHADOW_NODE


def host_of(node: JSObject) -> JSObject:
    """Return the host of the shadow tree that a node is in, or None."""
    root = root_of(node)
    return get(root, "host") if is_shadow(root) else None


def parent_or_host(element: JSObject) -> JSObject:
    """Return the parent in the flat tree: an element's slot, parent element or host; or None."""
    return slot_of(element) or parent_of(element) or host_of(element)


def closest(element: JSObject, selector: str) -> JSObject:
    """Return the closest matching element or ancestor in the flat tree, or None."""
    if element is not None and len(shadow_roots) == 0 and not host_of(element):
        # Quicker than a loop.
        return find_closest(element, selector)
    while element is not None and not matches(element, selector):
        element = parent_or_host(element)
    return element


def contains(element: JSObject, other: JSObject) -> bool:
    """Return whether another element is this one or a descendant in the flat tree."""
    while other is not None and not same(element, other):
        other = parent_or_host(other)
    return other is not None


def find_all(root: JSObject, selector: str) -> list[JSObject]:
    """Return the matching descendants of an element, document or shadow root."""
    if is_shadow(root):
        return elements(call(root, "querySelectorAll", selector))
    find = find_in_document if node_type(root) == DOCUMENT_NODE else find_in_element
    return elements(find(root, selector))


def find_at(element: JSObject, x: float, y: float) -> JSObject:
    """Return the topmost element at a point of the viewport, within an element's tree, or None."""
    root = root_of(element)
    if is_shadow(root):
        return call(root, "elementFromPoint", x, y)
    return find_at_point(root, x, y)


def find_everywhere(selector: str) -> list[JSObject]:
    """Return the matching elements of the page and its open shadow trees, in tree order."""
    return find_below(document, selector)


def find_below(root: JSObject, selector: str) -> list[JSObject]:
    """Return the matching descendants in the flat tree, in tree order.

    Those in its open shadow trees, its own and what its slots render included.
    """
    if len(shadow_roots) == 0:
        return find_all(root, selector)
    found: list[JSObject] = []
    if node_type(root) == ELEMENT_NODE:
        found = find_in_shadow(root, selector)
        # From outside a shadow tree, what is slotted into it is found in its own place.
        for slot in find_all(root, "slot"):
            for element in elements(call(slot, "assignedElements", FLATTEN)):
                if matches(element, selector):
                    found.append(element)
                found.extend(find_below(element, selector))
    for element in find_all(root, "*"):
        if matches(element, selector):
            found.append(element)
        found.extend(find_in_shadow(element, selector))
    return found


def find_in_shadow(host: JSObject, selector: str) -> list[JSObject]:
    """Return the matching elements of an element's open shadow tree, if it has one."""
    shadow = shadow_of(host)
    return find_below(shadow, selector) if shadow else []


def find_by_ids(element: JSObject, names: list[str]) -> list[JSObject]:
    """Return the elements with these ids in an element's tree; "" is skipped."""
    named = ["[id=" + dump(name) + "]" for name in names if name != ""]
    return find_all(root_of(element), ",".join(named)) if len(named) > 0 else []


def target_of(event: JSObject) -> JSObject:
    """Return the innermost target of an event, also inside open shadow trees.

    The root element stands for document and window, at which scripts dispatch events.
    """
    path = elements(call(event, "composedPath"))
    return path[0] if len(path) > 2 else document_property("documentElement")


def listen(names: str, handler: Callable[..., object]) -> None:
    """Register a handler for space-separated event types, on the window in the capture phase.

    There it runs before the page's listeners could stop the event's propagation.
    """
    guarded = callback(handler)

    def register() -> None:
        for name in names.split(" "):
            call(window, "addEventListener", name, guarded, True)

    registrations.append(register)
    register()


def restore_listeners() -> None:
    """Register all listeners, which ``document.open`` has removed; those that are left remain."""
    for register in registrations:
        register()


def is_visible() -> bool:
    """Return whether the page is visible: not in a background tab or minimized."""
    state: str = document_property("visibilityState")
    return state == "visible"
