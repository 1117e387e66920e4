"""What an element of the page stands for: which item, at which rank, in which context."""

from collections.abc import Callable
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
from neuralens_tracker.types import Complain, Context, Fields, JSObject, ValueType
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
# The page of an item whose markup says none; None is that of the visit.
USUAL_PAGES = {
    LANDING: PRODUCT_PAGE,
    SUGGESTION: AUTOCOMPLETE,
    PRODUCT: None,
    PURCHASE_ORDER: None,
}


class Item:
    """What an element stands for.

    ``kind`` is the name of its attribute, ``id`` that attribute's value. An order has several ids.
    """

    def __init__(self, element: JSObject, kind: str, id: str, ids: list[str]) -> None:  # noqa: A002
        self.element = element
        self.kind = kind
        self.id = id
        self.ids = ids


class Ranking:
    """The ranks of one kind of item in a list, found by a query, as a page view tells them.

    ``told`` holds the ranks that were told, ``positions`` the places that are counted so far, both
    by PREFIX and id. ``elements`` are those that may count, until the page changes; from ``next``
    on they are not read yet.
    """

    def __init__(self, name: str, listing: JSObject, kind: str, query: str | None) -> None:
        self.name = name
        self.listing = listing
        self.kind = kind
        self.query = query
        self.told: dict[str, int] = {}
        self.elements: Any = None
        self.next = 0
        self.total = 0
        self.positions: dict[str, int] = {}


class Items:
    """Reads elements in the context of a visit.

    ``typed_for(listing)`` returns what was typed into the search box of a list of suggestions, or
    None; ``complain(element, attribute, value_type)`` is told of an attribute that is wrong.
    """

    def __init__(
        self, visit: Context, typed_for: Callable[[JSObject], Any], complain: Complain
    ) -> None:
        self._visit = visit
        self._typed_for = typed_for
        self._complain = complain
        self._rankings: list[Ranking] = []
        # The elements whose options are suggestions, until the page changes; None before a look.
        self._declared: Any = None

    def forget_ranks(self) -> None:
        """Count anew: the page has changed."""
        self._declared = None
        for ranking in self._rankings:
            ranking.elements = None

    def begin_page_view(self) -> None:
        """Let ranks that were told before be others in this page view."""
        self._declared = None
        self._rankings = []

    def item_at(self, element: JSObject) -> Item | None:
        """Return the item that element is or is in; None when it is in none."""
        item: Item | None = None
        while element is not None and not item:
            item = self.read(element)
            element = around(element)
        return item

    def read(self, element: JSObject) -> Item | None:
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

    def read_purchase(self, element: JSObject) -> Item | None:
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

    def read_subject(self, control: JSObject) -> Item | None:
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

    def _is_option(self, element: JSObject) -> bool:
        """Tell whether element is an option that ``data-nl-suggestions`` declares.

        Its listbox is one that the declaring element holds, owns or controls.
        """
        if not matches(element, OPTION):
            return False
        if self._declared is None:
            self._declared = []
            for owner in find_everywhere(OWNERS):
                self._declared.append(owner)
                self._declared.extend(lists_of_widget(owner))
        return len([holder for holder in self._declared if contains(holder, element)]) > 0

    def deduplication_key(self, item: Item) -> str:
        """Return what two views of one item have in common: its id, of a product its list too."""
        if item.kind != PRODUCT:
            return item.id
        listing = self.list_of(item)
        name = attribute(listing, LIST) if listing else None
        return (name or "") + "\n" + item.id

    def list_of(self, item: Item) -> JSObject:
        """Return the element inside which the item's rank counts; None when there is none."""
        return closest(item.element, LISTS)

    def _value(self, element: JSObject, name: str, kind: ValueType) -> Any:
        """Return what an attribute says, as a value of that kind; None when absent or wrong."""
        text = attribute(element, name)
        value = read(kind, text)
        if text is not None and value is None:
            self._complain(element, name, kind)
        return value

    def _nearest(self, element: JSObject, name: str, kind: ValueType) -> Any:
        """Return what the attribute says on the nearest element that has it."""
        return self._value(closest(element, "[" + name + "]") or element, name, kind)

    def _rank(self, item: Item, query: Any) -> Fields:
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
        if listing and item.kind != LANDING:
            rank = self._told_rank(self._ranking(listing, item.kind, query), item)
        return {"index": rank, "rankSource": None if rank is None else "order"}

    def _ranking(self, listing: JSObject, kind: str, query: Any) -> Ranking:
        """Return the ranks of one kind of item in a list: in one of its name, or else in itself."""
        name = attribute(listing, LIST) or ""
        for ranking in self._rankings:
            if (
                ranking.kind == kind
                and ranking.query == query
                and ranking.name == name
                and (name != "" or same(ranking.listing, listing))
            ):
                if not same(ranking.listing, listing):
                    ranking.listing = listing
                    ranking.elements = None
                return ranking
        ranking = Ranking(name, listing, kind, query)
        self._rankings.append(ranking)
        return ranking

    def _told_rank(self, ranking: Ranking, item: Item) -> Any:
        """Return the item's rank; what stands behind it in its list is not counted yet.

        Each id counts once, and what is not rendered, or is a copy, does not. After an item whose
        rank was told, as in a list of which only a part is rendered, counting goes on from there.
        """
        told = ranking.told
        offset = self._nearest(item.element, OFFSET, COUNT) or 0
        sought = PREFIX + item.id
        if told.get(sought) is not None:
            return told[sought]
        listing = ranking.listing
        if ranking.elements is None:
            ranking.elements = find_below(listing, "[" + item.kind + "]," + OPTION)
            ranking.next = 0
            ranking.total = 0
            ranking.positions = {}
        positions = ranking.positions
        while positions.get(sought) is None and ranking.next < len(ranking.elements):
            element = ranking.elements[ranking.next]
            other = self.read(element)
            ranking.next += 1
            if (
                other
                and other.kind == item.kind
                and positions.get(PREFIX + other.id) is None
                and same(listing, self.list_of(other))
                and box_of(element)
                and not self._is_copy(ranking, other)
            ):
                key = PREFIX + other.id
                positions[key] = ranking.total if told.get(key) is None else told[key] - offset
                ranking.total = max(ranking.total, positions[key] + 1)
        if positions.get(sought) is not None:
            told[sought] = offset + positions[sought]
        return told.get(sought)

    def _is_copy(self, ranking: Ranking, item: Item) -> bool:
        """Tell whether an item is a carousel's copy of another one of its list.

        A copy is hidden from assistive technology, and so are slides that are off the screen. So of
        several hidden ones of one id, one in front of all that are not hidden is the copy.
        """
        if not closest(item.element, HIDDEN):
            return False
        others = [
            element
            for element in ranking.elements
            if self.is_same(element, item)
            and not same(element, item.element)
            and (ranking.total == 0 or not closest(element, HIDDEN))
        ]
        return len(others) > 0

    def is_same(self, element: JSObject, item: Item) -> bool:
        """Tell whether an element is an item of the same kind and id as another."""
        other = self.read(element)
        return other is not None and other.kind == item.kind and other.id == item.id

    def stands(self, element: JSObject, item_id: str) -> bool:
        """Tell whether an element is on the page, and still is the item of that id."""
        item = self.read(element) if element is not None and is_connected(element) else None
        return item is not None and item.id == item_id

    def context(self, item: Item) -> Fields:
        """Return an item's page, query and index: as its markup says, else as is usual.

        The query of a suggestion is what was typed, where something was. ``rankSource`` and
        ``querySource`` say where index and query are from.
        """
        element = item.element
        kind = item.kind
        holder = closest(element, "[" + QUERY + "]")
        query = attribute(holder, QUERY) if holder else self._visit.query()
        source = "markup" if holder else "page"
        typed = self._typed_for(self.list_of(item)) if kind == SUGGESTION else None
        if typed is not None:
            query = typed
            source = "typed"
        fields: Fields = {"index": None} if kind == PURCHASE_ORDER else self._rank(item, query)
        fields["page"] = (
            self._nearest(element, PAGE, PAGES) or USUAL_PAGES[kind] or self._visit.page()
        )
        fields["query"] = query
        fields["querySource"] = source if query else None
        return fields


def lists_of_widget(element: JSObject) -> list[JSObject]:
    """Return what an element, and the combobox that it is part of, own or control, as ARIA says."""
    found: list[JSObject] = []
    for owner in [element, closest(element, WIDGET)]:
        for name in ("aria-controls", "aria-owns"):
            if owner:
                found.extend(find_named(owner, (attribute(owner, name) or "").split(" ")))
    return found
