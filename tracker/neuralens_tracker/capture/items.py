"""What an element of the page stands for: which item, at which rank, in which context."""

from typing import Any

from neuralens_tracker.attributes import (
    ACTION,
    IGNORE,
    INDEX,
    LANDING,
    LIST,
    OFFSET,
    PAGE,
    PRODUCT,
    PURCHASE_ORDER,
    QUERY,
    SUGGESTION,
    SUGGESTIONS,
)
from neuralens_tracker.value_types import COUNT, TEXT, read
from neuralens_tracker.vocabulary import (
    ACTIONS,
    AUTOCOMPLETE,
    CLICK_PRODUCT,
    CLICK_SUGGESTION,
    LAND_PRODUCT_PAGE,
    PAGES,
    PREFIX,
    PRODUCT_PAGE,
    PURCHASE,
    VIEW_PRODUCT,
    VIEW_SUGGESTION,
)
from neuralens_tracker.web.dom import (
    around,
    attribute,
    closest,
    contains,
    find_below,
    find_everywhere,
    find_named,
    is_connected,
    matches,
)
from neuralens_tracker.web.ffi import same
from neuralens_tracker.web.visibility import box_of, text_of_markup

OPTION = "[role=option]"
PRODUCT_SELECTOR = "[" + PRODUCT + "]"
# What an action may be about.
SUBJECT_SELECTOR = PRODUCT_SELECTOR + ",[" + LANDING + "]"
SUGGESTION_SELECTOR = "[" + SUGGESTION + "]," + OPTION
# Nothing in these is an item of its own.
UNREAD = "[" + IGNORE + "],[" + PURCHASE_ORDER + "]"
DECLARED = "[" + SUGGESTIONS + "]"
OWNERS = DECLARED + "," + DECLARED + " *"
WIDGET = "[role=combobox]"
# A listbox is a list without being declared one.
HIDDEN = "[aria-hidden=true]"
LISTS = "[" + LIST + "],[role=listbox]"
# The event of an item that is seen, and of one that is activated, by the item's kind.
SEEN = {
    PRODUCT: VIEW_PRODUCT,
    SUGGESTION: VIEW_SUGGESTION,
    LANDING: LAND_PRODUCT_PAGE,
    PURCHASE_ORDER: PURCHASE,
}
ACTIVATED = {PRODUCT: CLICK_PRODUCT, SUGGESTION: CLICK_SUGGESTION}


class Item:
    """What an element stands for.

    ``kind`` is the name of its attribute, ``id`` that attribute's value. An order has several ids.
    """

    def __init__(self, element: Any, kind: str, id: str, ids: list[str]) -> None:  # noqa: A002
        self.element = element
        self.kind = kind
        self.id = id
        self.ids = ids


class Count:
    """How one kind of item is counted in a list; the elements from ``next`` on are not read yet.

    ``positions`` holds the position of each id, with PREFIX before it.
    """

    def __init__(self, listing: Any, kind: str, elements: list[Any]) -> None:
        self.listing = listing
        self.kind = kind
        self.elements = elements
        self.next = 0
        self.total = 0
        self.positions: dict[str, Any] = {}


class Items:
    """Reads elements in the context of a visit.

    ``typed_for(listing)`` returns what was typed into the search box of a list of suggestions, or
    None; ``complain(element, attribute, value_type)`` is told of an attribute that is wrong.
    """

    def __init__(self, visit: Any, typed_for: Any, complain: Any) -> None:
        self._visit = visit
        self._typed_for = typed_for
        self._complain = complain
        # What is counted so far, until the page changes.
        self._counts: list[Count] = []
        # The elements whose options are suggestions, until the page changes; None before a look.
        self._declared: Any = None
        # Ranks that this page view has told, by PREFIX, list, kind, query and id. An unnamed list
        # goes by its place in _unnamed.
        self._told: dict[str, int] = {}
        self._unnamed: list[Any] = []

    def forget_ranks(self) -> None:
        """Count anew: the page has changed."""
        self._counts = []
        self._declared = None

    def begin_page_view(self) -> None:
        """Let ranks that were told before be others in this page view."""
        self._told = {}
        self._unnamed = []
        self.forget_ranks()

    def item_at(self, element: Any) -> Any:
        """Return the item that element is or is in; None when it is in none."""
        while element is not None:
            item = self.read(element)
            if item:
                return item
            element = around(element)
        return None

    def read(self, element: Any) -> Any:
        """Return the item that element itself is; None when it is none.

        An option of a declared listbox is a suggestion.
        """
        if closest(element, UNREAD):
            return None
        for kind in (LANDING, PRODUCT, SUGGESTION):
            value = attribute(element, kind)
            if value is None and kind == SUGGESTION and self._is_option(element):
                value = text_of_markup(element)
            if value == "":
                self._complain(element, kind, TEXT)
            elif value is not None:
                return Item(element, kind, value, [value])
        return None

    def read_purchase(self, element: Any) -> Any:
        """Return the order that an element confirms, with the ids of its lines.

        None where it is ignored or wrong. What is ignored inside an order is not bought.
        """
        if closest(element, "[" + IGNORE + "]"):
            return None
        ids: list[str] = []
        for line in find_below(element, PRODUCT_SELECTOR):
            value = attribute(line, PRODUCT)
            if value and value not in ids and not closest(line, "[" + IGNORE + "]"):
                ids.append(value)
        order = attribute(element, PURCHASE_ORDER)
        if order == "" or len(ids) == 0:
            self._complain(element, PURCHASE_ORDER, TEXT + ", around " + PRODUCT_SELECTOR)
            return None
        return Item(element, PURCHASE_ORDER, order, ids)

    def read_subject(self, control: Any) -> Any:
        """Return the item that the action of a control is about; None when nothing is to happen."""
        owner = closest(control, SUBJECT_SELECTOR)
        actions = list(ACTIONS.keys())
        if attribute(control, ACTION) not in actions:
            self._complain(control, ACTION, actions)
        elif not owner:
            self._complain(control, ACTION, "inside " + SUBJECT_SELECTOR)
        elif attribute(control, "aria-pressed") != "true":
            return self.read(owner)
        return None

    def _is_option(self, element: Any) -> bool:
        """Tell whether element is an option that ``data-nl-suggestions`` declares.

        Its listbox is one that the declaring element holds, owns or controls.
        """
        if matches(element, OPTION):
            if self._declared is None:
                self._declared = self._find_declared()
            for holder in self._declared:
                if contains(holder, element):
                    return True
        return False

    def _find_declared(self) -> list[Any]:
        """Return the elements that declare suggestions, and those that they own or control."""
        found: list[Any] = []
        for owner in find_everywhere(OWNERS):
            found.append(owner)
            found.extend(lists_of_widget(owner))
        return found

    def deduplication_key(self, item: Item) -> str:
        """Return what two views of one item have in common: its id, of a product its list too."""
        if item.kind != PRODUCT:
            return item.id
        listing = self.list_of(item)
        name = attribute(listing, LIST) if listing else None
        return (name or "") + "\n" + item.id

    def list_of(self, item: Item) -> Any:
        """Return the element inside which the item's rank counts; None when there is none."""
        return closest(item.element, LISTS)

    def _value(self, element: Any, name: str, kind: Any) -> Any:
        """Return what an attribute says, as a value of that kind; None when absent or wrong."""
        text = attribute(element, name)
        value = read(kind, text)
        if text is not None and value is None:
            self._complain(element, name, kind)
        return value

    def _nearest(self, element: Any, name: str, kind: Any) -> Any:
        """Return what the attribute says on the nearest element that has it."""
        return self._value(closest(element, "[" + name + "]") or element, name, kind)

    def _rank(self, item: Item, query: Any) -> dict[str, Any]:
        """Return the item's rank from 0, and its source: {index, rankSource}, None where none is.

        As the markup says, as ARIA says, or as its list shows it; the latter stays, once told.
        """
        rank = self._value(item.element, INDEX, COUNT)
        if rank is not None:
            return {"index": rank, "rankSource": "explicit"}
        position = self._value(item.element, "aria-posinset", COUNT)
        if position:
            return {"index": position - 1, "rankSource": "posinset"}
        listing = self.list_of(item)
        if not listing or item.kind == LANDING:
            return {"index": None, "rankSource": None}
        offset = self._nearest(item.element, OFFSET, COUNT) or 0
        key = self._list_key(listing, item.kind, query)
        position = self._position(listing, item, key, offset)
        if position is not None:
            self._told[PREFIX + key + item.id] = offset + position
        return {
            "index": None if position is None else offset + position,
            "rankSource": None if position is None else "order",
        }

    def _list_key(self, listing: Any, kind: str, query: Any) -> str:
        """Return what the ranks of one kind of item in a list, found by a query, are told by."""
        name = attribute(listing, LIST)
        if not name:
            place = 0
            while place < len(self._unnamed) and not same(self._unnamed[place], listing):
                place += 1
            if place == len(self._unnamed):
                self._unnamed.append(listing)
            name = str(place)
        return name + "\n" + kind + "\n" + str(query or "") + "\n"

    def _position(self, listing: Any, item: Item, told_key: str, offset: int) -> Any:
        """Return the item's position in its list; what stands behind it is not counted yet.

        Each id counts once, and what is not rendered, or is a copy, does not. After an item whose
        rank was told, as in a list of which only a part is rendered, counting goes on from there.
        """
        kind = item.kind
        told = self._told.get(PREFIX + told_key + item.id)
        if told is not None:
            return told - offset
        count: Any = None
        for made in self._counts:
            if made.kind == kind and same(made.listing, listing):
                count = made
        if count is None:
            selector = "[" + kind + "]," + OPTION
            count = Count(listing, kind, find_below(listing, selector))
            self._counts.append(count)
        positions = count.positions
        sought = PREFIX + item.id
        while positions.get(sought) is None and count.next < len(count.elements):
            element = count.elements[count.next]
            other = self.read(element)
            count.next += 1
            if (
                other
                and other.kind == kind
                and positions.get(PREFIX + other.id) is None
                and same(listing, self.list_of(other))
                and box_of(element)
                and not self._is_copy(count, other)
            ):
                told = self._told.get(PREFIX + told_key + other.id)
                position = count.total if told is None else told - offset
                positions[PREFIX + other.id] = position
                count.total = max(count.total, position + 1)
        return positions.get(sought)

    def _is_copy(self, count: Count, item: Item) -> bool:
        """Tell whether an item is a carousel's copy of another one of its list.

        A copy is hidden from assistive technology, and so are slides that are off the screen. So of
        several hidden ones of one id, one in front of all that are not hidden is the copy.
        """
        if not closest(item.element, HIDDEN):
            return False
        for element in count.elements:
            other = self.read(element)
            if (
                other
                and other.kind == item.kind
                and other.id == item.id
                and not same(element, item.element)
                and (count.total == 0 or not closest(element, HIDDEN))
            ):
                return True
        return False

    def stands(self, element: Any, item_id: str) -> bool:
        """Tell whether an element is on the page, and still is the item of that id."""
        item = self.read(element) if element is not None and is_connected(element) else None
        return item is not None and item.id == item_id

    def context(self, item: Item) -> dict[str, Any]:
        """Return an item's page, query and index: as its markup says, else as is usual.

        The query of a suggestion is what was typed, where something was. ``rankSource`` and
        ``querySource`` say where index and query are from.
        """
        element = item.element
        kind = item.kind
        usual = PRODUCT_PAGE if kind == LANDING else None
        if kind == SUGGESTION:
            usual = AUTOCOMPLETE
        holder = closest(element, "[" + QUERY + "]")
        query = attribute(holder, QUERY) if holder else self._visit.query()
        source = "markup" if holder else "page"
        typed = self._typed_for(self.list_of(item)) if kind == SUGGESTION else None
        if typed is not None:
            query = typed
            source = "typed"
        fields: dict[str, Any] = {"index": None}
        if kind != PURCHASE_ORDER:
            fields = self._rank(item, query)
        fields["page"] = self._nearest(element, PAGE, PAGES) or usual or self._visit.page()
        fields["query"] = query
        fields["querySource"] = source if query else None
        return fields


def lists_of_widget(element: Any) -> list[Any]:
    """Return what an element, and the combobox that it is part of, own or control."""
    widget = closest(element, WIDGET)
    found = owned_by(element)
    found.extend(owned_by(widget) if widget else [])
    return found


def owned_by(element: Any) -> list[Any]:
    """Return the elements that an element owns or controls, as ARIA says."""
    names = (
        (attribute(element, "aria-controls") or "") + " " + (attribute(element, "aria-owns") or "")
    )
    return find_named(element, names.split(" "))
