"""Determines whether an element is visible, and its visible text."""

from neuralens_tracker.types import JSObject
from neuralens_tracker.value_types import split_words
from neuralens_tracker.web.dom import (
    ELEMENT_NODE,
    TEXT_NODE,
    bounds,
    check_visibility,
    children_of,
    contains,
    find_at,
    find_below,
    lines_of,
    matches,
    node_type,
    text_of,
)
from neuralens_tracker.web.ffi import call, elements, get, record, window

# The former names of the options, which older browsers know, too:
# https://drafts.csswg.org/cssom-view/#dom-element-checkvisibility
OPTIONS: JSObject = record({"checkOpacity": True, "checkVisibilityCSS": True})


def display_of(element: JSObject) -> str:
    """Return the computed ``display`` of an element."""
    display: str = get(call(window, "getComputedStyle", element), "display")
    return display


def area_of(element: JSObject) -> float:
    """Return the area of an element's box in square pixels; 0 for None."""
    if not element:
        return 0
    box = bounds(element)
    area: float = get(box, "width") * get(box, "height")
    return area


def box_of(element: JSObject) -> JSObject:
    """Return the element whose box represents an element: itself or its largest descendant.

    The latter if it has no box (``display: contents``) or an empty one, because its content floats
    or is positioned. None if it is not rendered.
    """
    largest: JSObject = element if check_visibility(element) else None
    if area_of(largest) == 0 and (largest or display_of(element) == "contents"):
        for part in find_below(element, "*"):
            if area_of(part) > area_of(largest):
                largest = part
    return largest


def is_opaque(box: JSObject) -> bool:
    """Return whether a box has an area and neither it nor an ancestor is hidden or transparent.

    None has no area. One of a pixel at most is scaled down to close it, or visually hidden.
    """
    visible: bool = area_of(box) > 1 and check_visibility(box, OPTIONS)
    return visible


def is_on_screen(box: JSObject) -> bool:
    """Return whether a box is visible, and at least a part of it in the viewport."""
    if is_opaque(box):
        edges = bounds(box)
        across = get(edges, "right") > 0 and get(edges, "left") < get(window, "innerWidth")
        down = get(edges, "bottom") > 0 and get(edges, "top") < get(window, "innerHeight")
        return across and down
    return False


def is_shown(element: JSObject) -> bool:
    """Return whether the center of an element, or of one of its lines, is visible in the viewport.

    Hit testing accounts for overlays, clipping and scrolling. An element that wraps, such as a
    link, may have other text in the center of the box around its lines.
    """
    box = box_of(element)
    if is_opaque(box):
        for edges in elements(lines_of(box)):
            x = get(edges, "left") + get(edges, "width") / 2
            if contains(box, find_at(box, x, get(edges, "top") + get(edges, "height") / 2)):
                return True
    return False


def is_left_out(part: JSObject) -> bool:
    """Return whether an element is visually hidden, or hidden from assistive technology."""
    found: bool = matches(part, "[aria-hidden=true]") or (
        display_of(part) != "contents" and (area_of(part) <= 1 or get(bounds(part), "right") < 0)
    )
    return found


def collect_text(element: JSObject, is_rendered: bool) -> str:
    """Return the text of an element, with spaces around blocks."""
    text = ""
    for node in elements(children_of(element)):
        if node_type(node) == TEXT_NODE:
            text += text_of(node)
        elif node_type(node) == ELEMENT_NODE:
            is_read = not (is_rendered and is_left_out(node))
            part = collect_text(node, is_rendered) if is_read else ""
            # Inline elements may be parts of one word, blocks are not.
            is_inline = display_of(node) in ("inline", "contents") and not matches(node, "br")
            text += part if is_inline else " " + part + " "
    return text


def text_of_markup(element: JSObject) -> str:
    """Return the text of an element's markup, before CSS transforms, with whitespace collapsed.

    Descendants that are visually hidden, or hidden from assistive technology, are left out.
    """
    text = collect_text(element, check_visibility(element))
    for space in "\n\t\u00a0":
        text = text.replace(space, " ")
    return " ".join(split_words(text))
