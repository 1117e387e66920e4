"""HTML as a tree of elements that know their line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

# https://html.spec.whatwg.org/#void-elements
VOID = frozenset(
    "area base br col embed hr img input link meta source track wbr".split()  # noqa: SIM905
)
# The open elements that a start tag ends: https://html.spec.whatwg.org/#optional-tags
ENDED_BY = {
    "li": ("li",),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
    "option": ("option",),
    "optgroup": ("option", "optgroup"),
    "td": ("td", "th"),
    "th": ("td", "th"),
    "tr": ("td", "th", "tr"),
    "tbody": ("td", "th", "tr", "thead", "tbody"),
    **dict.fromkeys(
        ("address", "article", "aside", "blockquote", "div", "dl", "fieldset", "footer", "form"),
        ("p",),
    ),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "header", "main", "nav", "ol", "p"), ("p",)),
    **dict.fromkeys(("section", "table", "ul"), ("p",)),
}


@dataclass(eq=False)
class Element:
    """An element: its attributes (an empty text for those without value) and where it begins.

    ``nearest`` holds, for each attribute that the tree is built for, the nearest element, itself
    or an ancestor, that has it; elements without such attributes share their parent's.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    parent: Element | None
    depth: int = 0
    nearest: dict[str, Element] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def ancestry(self) -> Iterator[Element]:
        """Yield the element itself, then its ancestors from the nearest on."""
        element: Element | None = self
        while element is not None:
            yield element
            element = element.parent

    def closest(self, *names: str) -> Element | None:
        """Return the nearest element, itself or an ancestor, that has one of the attributes."""
        found = [self.nearest[name] for name in names if name in self.nearest]
        return max(found, key=lambda element: element.depth, default=None)

    def walk(self) -> Iterator[Element]:
        """Yield the element itself and all below it, in document order."""
        pending = [self]
        while pending:
            element = pending.pop()
            yield element
            pending += reversed(element.children)

    def text(self) -> str:
        """Return the text in it, with single spaces."""
        return " ".join("".join(piece for e in self.walk() for piece in e.pieces).split())


class TreeBuilder(HTMLParser):
    """Builds the tree; what is not closed ends with what is around it."""

    def __init__(self, prefix: str) -> None:
        super().__init__(convert_charrefs=True)
        self.prefix = prefix
        self.root = Element("", {}, 1, None)
        self.open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element, after ending those that its tag ends."""
        while self.open.tag in ENDED_BY.get(tag, ()) and self.open.parent is not None:
            self.open = self.open.parent
        values: dict[str, str] = {}
        for name, value in attrs:
            values.setdefault(name, value or "")
        around = self.open.nearest
        element = Element(tag, values, self.getpos()[0], self.open, self.open.depth + 1, around)
        own = [name for name in values if name.startswith(self.prefix)]
        if own:
            element.nearest = {**around, **dict.fromkeys(own, element)}
        self.open.children.append(element)
        if tag not in VOID:
            self.open = element

    def handle_endtag(self, tag: str) -> None:
        """Close the nearest open element of that tag; an end tag without one is passed over."""
        found = next((e for e in self.open.ancestry() if e.tag == tag), None)
        if found is not None and found.parent is not None:
            self.open = found.parent

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.open.pieces.append(data)


def parse(html: str, prefix: str) -> Element:
    """Return the root of the tree of an HTML text; the root has no tag of its own.

    ``closest`` finds the attributes whose names begin with ``prefix``.
    """
    builder = TreeBuilder(prefix)
    builder.feed(html)
    builder.close()
    return builder.root
