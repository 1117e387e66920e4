"""Whether an element can be seen: it has a box, and nothing clips it or makes it invisible."""

from typing import Any

from neuralens_tracker.web.dom import (
    ELEMENT_NODE,
    TEXT_NODE,
    around,
    attribute,
    bounds,
    boxes,
    children_of,
    matches,
    node_type,
    text_of,
)
from neuralens_tracker.web.ffi import call, elements, get, method, record, window

check_visibility: Any = method("Element", "checkVisibility")
# Both names of each option: https://drafts.csswg.org/cssom-view/#dom-element-checkvisibility
OPTIONS: Any = record(
    {
        "opacityProperty": True,
        "checkOpacity": True,
        "visibilityProperty": True,
        "checkVisibilityCSS": True,
    }
)


def style_of(element: Any) -> Any:
    """Return the computed style of an element."""
    return call(window, "getComputedStyle", element)


def area_of(element: Any) -> float:
    """Return how many square pixels the box of an element has."""
    box = bounds(element)
    return get(box, "width") * get(box, "height")


def box_of(element: Any) -> Any:
    """Return the element whose box stands for another: itself, or the largest part of its content.

    An element without a box of its own (``display: contents``), or with an empty one, whose content
    floats or is positioned, is seen by its content. None where nothing is rendered.
    """
    is_rendered = len(elements(boxes(element))) > 0
    if area_of(element) > 0 or not (is_rendered or get(style_of(element), "display") == "contents"):
        return element if is_rendered else None
    largest: Any = element if is_rendered else None
    for child in elements(children_of(element)):
        box = box_of(child) if node_type(child) == ELEMENT_NODE else None
        if box and (largest is None or area_of(box) > area_of(largest)):
            largest = box
    return largest


def is_opaque(box: Any) -> bool:
    """Tell whether the box of an element has a size, and neither it nor what is around hides it."""
    return area_of(box) > 0 and check_visibility(box, OPTIONS) is True


def clip_of(element: Any) -> dict[str, float]:
    """Return the part of the window in which the content of an element can be seen, in pixels.

    What is positioned absolutely is clipped by no element below the one that it is positioned in.
    """
    clip = {
        "left": 0,
        "top": 0,
        "right": get(window, "innerWidth"),
        "bottom": get(window, "innerHeight"),
    }
    escapes = False
    # What the document's own two elements clip, the window does.
    while element is not None and not matches(element, "html,body"):
        style = style_of(element)
        position = get(style, "position")
        if not escapes or position != "static":
            if get(style, "overflowX") != "visible" or get(style, "overflowY") != "visible":
                box = bounds(element)
                clip["left"] = max(clip["left"], get(box, "left"))
                clip["top"] = max(clip["top"], get(box, "top"))
                clip["right"] = min(clip["right"], get(box, "right"))
                clip["bottom"] = min(clip["bottom"], get(box, "bottom"))
            if "(50%" in get(style, "clipPath") or "(100%" in get(style, "clipPath"):
                # Clipped to nothing, as texts for screen readers are.
                clip["right"] = clip["left"] - 1
            escapes = position == "absolute"
        element = None if position == "fixed" else around(element)
    return clip


def is_within(box: Any, clip: dict[str, float]) -> bool:
    """Tell whether any of an element's box is in a part of the window."""
    edges = bounds(box)
    return (
        get(edges, "left") < clip["right"]
        and get(edges, "right") > clip["left"]
        and get(edges, "top") < clip["bottom"]
        and get(edges, "bottom") > clip["top"]
    )


def is_shown(element: Any) -> bool:
    """Tell whether an element can be seen in the window now."""
    box = box_of(element)
    return box is not None and is_opaque(box) and is_within(box, clip_of(box))


def is_left_out(part: Any) -> bool:
    """Tell whether a part of a text is for screen readers alone, or for nobody."""
    if attribute(part, "aria-hidden") == "true":
        return True
    if len(elements(boxes(part))) == 0:
        return get(style_of(part), "display") != "contents"
    return area_of(part) <= 1 or get(bounds(part), "right") < 0


def collect_text(element: Any, is_rendered: bool) -> str:
    """Return the text of a part of the markup, with spaces around its blocks."""
    text = ""
    for node in elements(children_of(element)):
        if node_type(node) == TEXT_NODE:
            text += text_of(node)
        elif node_type(node) == ELEMENT_NODE and not (is_rendered and is_left_out(node)):
            part = collect_text(node, is_rendered)
            # Blocks stand apart from each other; words in one line do as their text says.
            is_block = get(style_of(node), "display") not in ("inline", "contents")
            text += " " + part + " " if is_block or matches(node, "br") else part
    return text


def text_of_markup(element: Any) -> str:
    """Return the text of an element's markup, not what CSS makes of it, in single spaces.

    What is visually hidden, or hidden from assistive technology, is left out.
    """
    text = collect_text(element, len(elements(boxes(element))) > 0)
    for space in ("\n", "\t", "\u00a0"):
        text = text.replace(space, " ")
    return " ".join([word for word in text.split(" ") if word != ""])
