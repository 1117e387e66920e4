"""Whether an element can be seen, and the text that can be read in it."""

from neuralens_tracker.types import JSObject
from neuralens_tracker.value_types import words_of
from neuralens_tracker.web.dom import (
    ELEMENT_NODE,
    TEXT_NODE,
    bounds,
    check_visibility,
    children_of,
    contains,
    find_all,
    find_at,
    matches,
    node_type,
    text_of,
)
from neuralens_tracker.web.ffi import call, elements, get, record, window

# Both names of each option: https://drafts.csswg.org/cssom-view/#dom-element-checkvisibility
OPTIONS: JSObject = record(
    {
        "opacityProperty": True,
        "checkOpacity": True,
        "visibilityProperty": True,
        "checkVisibilityCSS": True,
    }
)


def display_of(element: JSObject) -> str:
    """Return how CSS has an element displayed."""
    return str(get(call(window, "getComputedStyle", element), "display"))


def area_of(element: JSObject) -> float:
    """Return how many square pixels the box of an element has; 0 for None."""
    box = bounds(element) if element else None
    return float(get(box, "width") * get(box, "height")) if box else 0


def box_of(element: JSObject) -> JSObject:
    """Return the element whose box stands for another: itself, or the largest part of its content.

    An element without a box of its own (``display: contents``), or with an empty one, whose content
    floats or is positioned, is seen by its content. None where nothing is rendered.
    """
    largest: JSObject = element if check_visibility(element) else None
    if area_of(largest) == 0 and (largest or display_of(element) == "contents"):
        for part in find_all(element, "*"):
            if area_of(part) > area_of(largest):
                largest = part
    return largest


def is_opaque(box: JSObject) -> bool:
    """Tell whether the box of an element has a size, and neither it nor what is around hides it."""
    return area_of(box) > 0 and check_visibility(box, OPTIONS) is True


def is_shown(element: JSObject) -> bool:
    """Tell whether an element can be seen in the window now.

    Its middle shows it, and nothing that lies over it; what clips it, and where it scrolled to, the
    browser knows.
    """
    box = box_of(element)
    if not box or not is_opaque(box):
        return False
    edges = bounds(box)
    x = get(edges, "left") + get(edges, "width") / 2
    return contains(box, find_at(box, x, get(edges, "top") + get(edges, "height") / 2)) is True


def is_left_out(part: JSObject) -> bool:
    """Tell whether a part of a text is for screen readers alone, or for nobody."""
    if matches(part, "[aria-hidden=true]"):
        return True
    # What has no box of its own shows what is in it.
    is_passed_on = display_of(part) == "contents"
    return not is_passed_on and (area_of(part) <= 1 or get(bounds(part), "right") < 0)


def collect_text(element: JSObject, is_rendered: bool) -> str:
    """Return the text of a part of the markup, with spaces around its blocks."""
    text = ""
    for node in elements(children_of(element)):
        if node_type(node) == TEXT_NODE:
            text += text_of(node)
        elif node_type(node) == ELEMENT_NODE:
            is_read = not (is_rendered and is_left_out(node))
            part = collect_text(node, is_rendered) if is_read else ""
            # Blocks stand apart from each other; words in one line do as their text says.
            is_inline = display_of(node) in ("inline", "contents") and not matches(node, "br")
            text += part if is_inline else " " + part + " "
    return text


def text_of_markup(element: JSObject) -> str:
    """Return the text of an element's markup, not what CSS makes of it, in single spaces.

    What is visually hidden, or hidden from assistive technology, is left out.
    """
    text = collect_text(element, check_visibility(element) is True)
    for space in ("\n", "\t", "\u00a0"):
        text = text.replace(space, " ")
    return " ".join(words_of(text))
