"""What an element of the page stands for: which item, at which rank, in which context."""

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
from neuralens_tracker.types import Complain, Fields, JSObject, ValueType
from neuralens_tracker.value_types import COUNT, TEXT, read
from neuralens_tracker.visit import Visit
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
from neuralens_tracker.web.dom import attribute, closest, document, find_all, find_id
from neuralens_tracker.web.ffi import call, get, same

OPTION = "[role=option]"
PRODUCT_SELECTOR = "[" + PRODUCT + "]"
# What an action may be about.
SUBJECT_SELECTOR = PRODUCT_SELECTOR + ",[" + LANDING + "]"
SUGGESTION_SELECTOR = "[" + SUGGESTION + "]," + OPTION
# Nothing in these is an item of its own.
UNREAD = "[" + IGNORE + "],[" + PURCHASE_ORDER + "]"
DECLARED = "[" + SUGGESTIONS + "]"
OWNERS = DECLARED + "," + DECLARED + " *"
# A listbox is a list without being declared one.
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

    def __init__(self, element: JSObject, kind: str, id: str, ids: list[str]) -> None:  # noqa: A002
        self.element = element
        self.kind = kind
        self.id = id
        self.ids = ids


class Ranking:
    """The places of a list's items of one kind, as far as they have been counted."""

    def __init__(self, listing: JSObject, kind: str, elements: list[JSObject]) -> None:
        self.listing = listing
        self.kind = kind
        self.elements = elements
        # How many elements have been read, and how many ids among them have a position.
        self.read = 0
        self.ranked = 0
        self.positions: dict[str, int] = {}


class Items:
    """Reads elements in the context of a visit.

    ``complain(element, attribute, value_type)`` is told of an attribute that is wrong.
    """

    def __init__(self, visit: Visit, complain: Complain) -> None:
        self._visit = visit
        self._complain = complain
        # What is counted so far, until the page changes.
        self._rankings: list[Ranking] = []

    def forget_ranks(self) -> None:
        """Count anew: the page has changed."""
        self._rankings = []

    def item_at(self, element: JSObject) -> Item | None:
        """Return the item that element is or is in; None when it is in none."""
        while element is not None:
            item = self.read(element)
            if item:
                return item
            element = get(element, "parentElement")
        return None

    def read(self, element: JSObject) -> Item | None:
        """Return the item that element itself is; None when it is none.

        An option of a declared listbox is a suggestion.
        """
        if call(element, "closest", UNREAD):
            return None
        for kind in (LANDING, PRODUCT, SUGGESTION):
            value = attribute(element, kind)
            if value is None and kind == SUGGESTION and self._is_option(element):
                value = get(element, "innerText").replace("\n", " ").strip()
            if value == "":
                self._complain(element, kind, TEXT)
            elif value is not None:
                return Item(element, kind, value, [value])
        return None

    def read_purchase(self, element: JSObject) -> Item | None:
        """Return the order that an element confirms, with the ids of its lines.

        None where it is ignored or wrong. What is ignored inside an order is not bought.
        """
        if closest(element, IGNORE):
            return None
        ids: list[str] = []
        for line in find_all(element, PRODUCT_SELECTOR):
            value = attribute(line, PRODUCT)
            if value and value not in ids and not closest(line, IGNORE):
                ids.append(value)
        order = attribute(element, PURCHASE_ORDER)
        if order == "" or len(ids) == 0:
            self._complain(element, PURCHASE_ORDER, TEXT + ", around " + PRODUCT_SELECTOR)
            return None
        return Item(element, PURCHASE_ORDER, order, ids)

    def read_subject(self, control: JSObject) -> Item | None:
        """Return the item that the action of a control is about; None when nothing is to happen."""
        owner = call(control, "closest", SUBJECT_SELECTOR)
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
        if call(element, "matches", OPTION):
            for owner in find_all(document, OWNERS):
                if call(owner, "contains", element):
                    return True
                names = str(attribute(owner, "aria-controls"))
                names += " " + str(attribute(owner, "aria-owns"))
                for name in names.split(" "):
                    box = find_id(name)
                    if box and call(box, "contains", element):
                        return True
        return False

    def deduplication_key(self, item: Item) -> str:
        """Return what two views of one item have in common: its id, of a product its list too."""
        if item.kind != PRODUCT:
            return item.id
        listing = self.list_of(item)
        name = attribute(listing, LIST) if listing else None
        return (name or "") + "\n" + item.id

    def list_of(self, item: Item) -> JSObject:
        """Return the element inside which the item's rank counts; None when there is none."""
        return call(item.element, "closest", LISTS)

    def _value(self, element: JSObject, name: str, value_type: ValueType) -> JSObject:
        """Return what an attribute says, as a value of that kind; None when absent or wrong."""
        text = attribute(element, name)
        value = read(value_type, text)
        if text is not None and value is None:
            self._complain(element, name, value_type)
        return value

    def _nearest(self, element: JSObject, name: str, value_type: ValueType) -> JSObject:
        """Return what the attribute says on the nearest element that has it."""
        return self._value(closest(element, name) or element, name, value_type)

    def rank(self, item: Item) -> int | None:
        """Return the item's rank from 0: as said, as ARIA says it, or as its list shows it."""
        rank = self._value(item.element, INDEX, COUNT)
        if rank is None:
            listing = self.list_of(item)
            position = self._value(item.element, "aria-posinset", COUNT)
            if position:
                rank = position - 1
            elif listing and item.kind != LANDING:
                position = self._position(listing, item)
                offset = self._nearest(item.element, OFFSET, COUNT) or 0
                rank = None if position is None else offset + position
        return rank

    def _position(self, listing: JSObject, item: Item) -> int | None:
        """Return the item's position in its list; what stands behind it is not counted yet."""
        ranking: Ranking | None = None
        for known in self._rankings:
            if known.kind == item.kind and same(known.listing, listing):
                ranking = known
        if ranking is None:
            elements = find_all(listing, "[" + item.kind + "]," + OPTION)
            ranking = Ranking(listing, item.kind, elements)
            self._rankings.append(ranking)
        sought = PREFIX + item.id
        positions = ranking.positions
        while positions.get(sought) is None and ranking.read < len(ranking.elements):
            other = self.read(ranking.elements[ranking.read])
            ranking.read += 1
            if other and other.kind == item.kind and same(listing, self.list_of(other)):
                key = PREFIX + other.id
                if positions.get(key) is None:
                    positions[key] = ranking.ranked
                    ranking.ranked += 1
        return positions.get(sought)

    def context(self, item: Item) -> Fields:
        """Return an item's page, query and index: as its markup says, else as is usual.

        The query of a suggestion is what was typed, where something was.
        """
        element = item.element
        kind = item.kind
        typed = self._visit.typed()
        usual = PRODUCT_PAGE if kind == LANDING else None
        if kind == SUGGESTION:
            usual = AUTOCOMPLETE
        holder = closest(element, QUERY)
        query = attribute(holder, QUERY) if holder else self._visit.query()
        return {
            "page": self._nearest(element, PAGE, PAGES) or usual or self._visit.page(),
            "query": query if kind != SUGGESTION or typed is None else typed,
            "index": self.rank(item) if kind != PURCHASE_ORDER else None,
        }
