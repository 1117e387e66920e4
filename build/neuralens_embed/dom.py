"""A static DOM: the part of the DOM's API that the tracker uses to read a page.

justhtml parses HTML by the standard. Names are those of the DOM, because the tracker accesses them
by name. There is no layout: every element that the markup does not hide counts as visible.
Source: https://dom.spec.whatwg.org/ and https://html.spec.whatwg.org/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from types import SimpleNamespace
from typing import Any

try:
    from justhtml import JustHTML, matches
except ModuleNotFoundError as error:
    remedy = "audit needs justhtml: run pip install 'neuralens-tracker[audit]'"
    raise ModuleNotFoundError(remedy, name="justhtml") from error

ELEMENT_NODE = 1
TEXT_NODE = 3
DOCUMENT_FRAGMENT_NODE = 11
# Elements that are never rendered. https://html.spec.whatwg.org/#hidden-elements
NEVER_SHOWN = frozenset(
    "area base datalist head link meta noscript param rp script style template title".split()  # noqa: SIM905
)
# Elements displayed as blocks. https://html.spec.whatwg.org/#flow-content-3
BLOCKS = frozenset(
    """
    address article aside blockquote body center dd details dialog dir div dl dt fieldset
    figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav
    ol optgroup option p pre search section summary table tr ul
    """.split()  # noqa: SIM905
)
# Besides custom elements. https://dom.spec.whatwg.org/#valid-shadow-host-name
SHADOW_HOSTS = frozenset(
    """
    article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span
    """.split()  # noqa: SIM905
)
# The bounding rectangles of elements that are rendered, and that are not.
BOX = SimpleNamespace(x=0, y=0, left=0, top=0, right=100, bottom=100, width=100, height=100)
NO_BOX = SimpleNamespace(x=0, y=0, left=0, top=0, right=0, bottom=0, width=0, height=0)


class Text:
    """A text node."""

    nodeType = TEXT_NODE

    def __init__(self, parent: Element | ShadowRoot, data: str) -> None:
        self.parentElement = parent if isinstance(parent, Element) else None
        self.parentNode = parent
        self.data = data
        self.nodeValue = data
        self.textContent = data


class Parent:
    """A node with children, in a document."""

    def __init__(self, document: Document) -> None:
        self.ownerDocument = document
        self.childNodes: list[Element | Text] = []

    @property
    def children(self) -> list[Element]:
        """Return the child elements."""
        return [child for child in self.childNodes if isinstance(child, Element)]

    def querySelectorAll(self, selector: str) -> list[Element]:
        """Return the matching descendants in document order."""
        return self.ownerDocument.search(self, selector)

    def querySelector(self, selector: str) -> Element | None:
        """Return the first matching descendant, or None."""
        return next(iter(self.querySelectorAll(selector)), None)

    def walk(self) -> Iterator[Element]:
        """Yield the descendants in document order."""
        pending = self.children[::-1]
        while pending:
            element = pending.pop()
            yield element
            pending += element.children[::-1]


class ShadowRoot(Parent):
    """The root of an open shadow tree, which ``<template shadowrootmode="open">`` declares."""

    nodeType = DOCUMENT_FRAGMENT_NODE
    mode = "open"

    def __init__(self, host: Element) -> None:
        super().__init__(host.ownerDocument)
        self.host = host


class Element(Parent):
    """An element; ``line`` (from 1) is that of its start tag."""

    nodeType = ELEMENT_NODE
    isConnected = True

    def __init__(
        self, document: Document, parent: Element | ShadowRoot | None, node: Any, line: int
    ) -> None:
        super().__init__(document)
        self.parentElement = parent if isinstance(parent, Element) else None
        self.parentNode = parent or document
        self.shadowRoot: ShadowRoot | None = None
        # None outside shadow trees.
        self._root: ShadowRoot | None = None
        if parent is not None:
            self._root = parent if isinstance(parent, ShadowRoot) else parent._root
        self.localName: str = node.name
        self.tagName: str = node.name.upper()
        self.line = line
        self._node = node
        # The cached results of ``matches``: the page is static.
        self._matches: dict[str, bool] = {}

    @property
    def attributes(self) -> dict[str, str]:
        """Return all attributes; those without a value have an empty string."""
        return {name: value or "" for name, value in self._node.attrs.items()}

    def getAttribute(self, name: str) -> str | None:
        """Return an attribute's text, or None."""
        return (self._node.attrs[name] or "") if name in self._node.attrs else None

    def hasAttribute(self, name: str) -> bool:
        """Return whether there is an attribute of that name."""
        return name in self._node.attrs

    @property
    def id(self) -> str:
        """Return the attribute ``id``."""
        return self.getAttribute("id") or ""

    @property
    def dataset(self) -> dict[str, str]:
        """Return the attributes ``data-*`` by their names in camelCase."""
        return {
            re.sub("-([a-z])", lambda found: found[1].upper(), name.removeprefix("data-")): value
            for name, value in self.attributes.items()
            if name.startswith("data-")
        }

    def matches(self, selector: str) -> bool:
        """Return whether the element matches a CSS selector."""
        if selector not in self._matches:
            self._matches[selector] = matches(self._node, selector)
        return self._matches[selector]

    @property
    def assignedSlot(self) -> Element | None:
        """Return the slot of the parent's shadow tree that renders the element, or None."""
        return find_slot_of(self)

    @cached_property
    def assigned(self) -> list[Element | Text]:
        """Return the nodes of the host that a slot renders in place of its own content."""
        host = self._root.host if self._root else None
        if host is None or self.localName != "slot":
            return []
        return [child for child in host.childNodes if find_slot_of(child) is self]

    def assignedElements(self, options: object) -> list[Element]:
        """Return the elements that a slot renders, with nested slots replaced by theirs."""
        assigned = [node for node in self.assigned if isinstance(node, Element)]
        found: list[Element] = []
        for element in assigned if self.assigned else self.children:
            is_slot = element.localName == "slot"
            found += element.assignedElements(options) if is_slot else [element]
        return found

    def closest(self, selector: str) -> Element | None:
        """Return the closest matching element or ancestor in its own tree, or None."""
        element: Element | None = self
        while element is not None and not element.matches(selector):
            element = element.parentElement
        return element

    def getRootNode(self) -> Document | ShadowRoot:
        """Return the root of the tree that the element is in."""
        return self._root or self.ownerDocument

    @property
    def container(self) -> Element | None:
        """Return the parent in the flat tree: the slot, the parent element, or the host."""
        return self.assignedSlot or self.parentElement or (self._root.host if self._root else None)

    @property
    def is_in_flat_tree(self) -> bool:
        """Return whether slots, if any, render the element.

        They render none of a host's children that no slot names, and their own content only if
        nothing is assigned to them. Source: https://drafts.csswg.org/css-scoping/#flattening.
        """
        element: Element | None = self
        while element is not None:
            parent = element.parentElement
            if parent and (parent.assigned or (parent.shadowRoot and not element.assignedSlot)):
                return False
            element = element.container
        return True

    @property
    def style(self) -> dict[str, str]:
        """Return the properties of the ``style`` attribute, in lower case."""
        pairs = (part.partition(":") for part in (self.getAttribute("style") or "").split(";"))
        return {
            name.strip().lower(): value.lower().removesuffix("!important").strip()
            for name, _, value in pairs
        }

    @cached_property
    def display(self) -> str:
        """Return the element's ``display`` according to the markup: "none", "block", "inline"."""
        if self.localName in NEVER_SHOWN or self.hasAttribute("hidden"):
            return self.style.get("display", "none")
        return self.style.get("display", "block" if self.localName in BLOCKS else "inline")

    def inherited(self, name: str, otherwise: str) -> str:
        """Return the inherited value of a property from ``style`` attributes."""
        element: Element | None = self
        while element is not None:
            if name in element.style:
                return element.style[name]
            element = element.container
        return otherwise

    @property
    def is_rendered(self) -> bool:
        """Return whether the element has a box: neither it nor an ancestor is hidden."""
        element: Element | None = self
        while element is not None and element.display != "none":
            element = element.container
        return element is None and self.is_in_flat_tree

    def getBoundingClientRect(self) -> SimpleNamespace:
        """Return a rectangle in the viewport, which is empty if the element is not rendered."""
        return BOX if self.is_rendered else NO_BOX

    def checkVisibility(self, options: object = None) -> bool:
        """Return whether the element has a box."""
        return self.is_rendered

    @property
    def textContent(self) -> str:
        """Return the text of the element, as in the markup."""
        pieces: list[str] = []
        pending: list[Element | Text] = self.childNodes[::-1]
        while pending:
            node = pending.pop()
            if isinstance(node, Text):
                pieces.append(node.data)
            else:
                pending += node.childNodes[::-1]
        return "".join(pieces)

    @property
    def innerText(self) -> str:
        """Return the rendered text; for a hidden element, its ``textContent``."""
        if not self.is_rendered:
            return self.textContent
        pieces: list[str] = []
        # Nodes, and line breaks at the ends of blocks.
        pending: list[Element | Text | str] = [*self.childNodes[::-1]]
        while pending:
            node = pending.pop()
            if isinstance(node, str):
                pieces.append(node)
            elif isinstance(node, Text):
                pieces.append(re.sub(r"[ \t\n\f\r]+", " ", node.data))
            elif node.localName == "br":
                pieces.append("\n")
            elif node.display != "none":
                is_block = node.display != "inline"
                pending += ["\n"] * is_block + node.childNodes[::-1] + ["\n"] * is_block
        text = re.sub(" *\n[ \n]*", "\n", "".join(pieces))
        return re.sub(" +", " ", text).strip()

    @property
    def outerHTML(self) -> str:
        """Return the element as HTML."""
        return str(self._node.to_html(pretty=False))


def find_slot_of(node: Element | Text) -> Element | None:
    """Return the slot of the parent's shadow tree that renders a node, or None."""
    host = node.parentElement
    name = (node.getAttribute("slot") or "") if isinstance(node, Element) else ""
    slots = host.shadowRoot.querySelectorAll("slot") if host and host.shadowRoot else []
    return next((slot for slot in slots if (slot.getAttribute("name") or "") == name), None)


def find_host(template: Any, parent: Element | ShadowRoot | None) -> Element | None:
    """Return the element to which a node, as a template, gives an open shadow tree, or None.

    Source: https://html.spec.whatwg.org/#attr-template-shadowrootmode.
    """
    if template.name != "template" or not isinstance(parent, Element) or parent.shadowRoot:
        return None
    is_open = (template.attrs.get("shadowrootmode") or "").lower() == ShadowRoot.mode
    may_host = parent.localName in SHADOW_HOSTS or "-" in parent.localName
    return parent if is_open and may_host else None


class Document:
    """The document; ``open`` replaces it. ``all`` has the elements of shadow trees, too."""

    nodeType = 9
    host = None
    visibilityState = "visible"
    readyState = "complete"

    def __init__(self) -> None:
        self.open("")

    def open(self, html: str) -> None:
        """Parse HTML, replacing the previous document."""
        # Sanitizing would remove scripts, styles and attributes.
        root = JustHTML(html, sanitize=False, track_node_locations=True).root
        self.all: list[Element] = []
        self.shadow_roots: list[ShadowRoot] = []
        self.documentElement = self._add(root)
        # The elements outside shadow trees.
        self._own = [element for element in self.all if element.getRootNode() is self]
        # The cached results of queries.
        self._found: dict[tuple[Parent | None, str], list[Element]] = {}
        self._ids: dict[str, Element] = {}
        for element in self._own:
            self._ids.setdefault(element.id, element)

    def _add(self, root: object) -> Element:
        """Build the elements below a node, in document order; return the root element."""
        line = 1
        pending: list[tuple[Any, Element | ShadowRoot | None]] = [(root, None)]
        while pending:
            node, parent = pending.pop()
            if node.name == "#text":
                if parent is not None:
                    parent.childNodes.append(Text(parent, node.data))
                continue
            host = find_host(node, parent)
            if host is not None:
                host.shadowRoot = shadow = ShadowRoot(host)
                self.shadow_roots.append(shadow)
                pending += [(child, shadow) for child in reversed(node.template_content.children)]
                continue
            element = parent
            if not node.name.startswith(("#", "!")):
                # Implied elements, without a tag, get the line of the previous element.
                line = node.origin_line or line
                element = Element(self, parent, node, line)
                self.all.append(element)
                if parent is not None:
                    parent.childNodes.append(element)
            pending += [(child, element) for child in reversed(node.children or ())]
        return self.all[0]

    def search(self, root: Parent | None, selector: str) -> list[Element]:
        """Return the matching descendants of root, or of the document if None."""
        # Not by justhtml's query: it searches templates, and finds nothing for "ul *".
        if (root, selector) not in self._found:
            inside = self._own if root is None else root.walk()
            self._found[root, selector] = [e for e in inside if e.matches(selector)]
        return self._found[root, selector]

    def querySelectorAll(self, selector: str) -> list[Element]:
        """Return the matching elements in document order."""
        return self.search(None, selector)

    def querySelector(self, selector: str) -> Element | None:
        """Return the first matching element, or None."""
        return next(iter(self.search(None, selector)), None)

    def getElementById(self, name: str) -> Element | None:
        """Return the first element with an id, or None."""
        return self._ids.get(name) if name else None


class Window:
    """The window of a page."""

    def __init__(self) -> None:
        self.document = Document()

    def getComputedStyle(self, element: Element) -> SimpleNamespace:
        """Return the properties that determine visibility, without regard to style sheets."""
        return SimpleNamespace(
            display=element.display,
            visibility=element.inherited("visibility", "visible"),
            opacity=element.style.get("opacity", "1"),
        )
