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


class Items:
    """Reads elements in the context of a visit.

    ``complain(element, attribute, value_type)`` is told of an attribute that is wrong.
    """

    def __init__(self, visit: Any, complain: Any) -> None:
        self._visit = visit
        self._complain = complain
        # What is counted so far, by list and kind of item, until the page changes:
        # [list, kind, its elements, how many of them are read, how many counted, positions by id].
        self._counts: list[Any] = []

    def forget_ranks(self) -> None:
        """Count anew: the page has changed."""
        self._counts = []

    def item_at(self, element: Any) -> Any:
        """Return the item that element is or is in; None when it is in none."""
        while element is not None:
            item = self.read(element)
            if item:
                return item
            element = get(element, "parentElement")
        return None

    def read(self, element: Any) -> Any:
        """Return the item that element itself is, as [element, kind, id]; None when it is none.

        The kind is the name of its attribute; an option of a declared listbox is a suggestion.
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
                return [element, kind, value]
        return None

    def read_purchase(self, element: Any) -> Any:
        """Return the order of an element as [element, its attribute, ids of its lines].

        None where it is ignored or wrong. What is ignored inside an order is not bought.
        """
        if closest(element, IGNORE):
            return None
        ids: list[str] = []
        for line in find_all(element, PRODUCT_SELECTOR):
            value = attribute(line, PRODUCT)
            if value and value not in ids and not closest(line, IGNORE):
                ids.append(value)
        if attribute(element, PURCHASE_ORDER) == "" or len(ids) == 0:
            self._complain(element, PURCHASE_ORDER, TEXT + ", around " + PRODUCT_SELECTOR)
            return None
        return [element, PURCHASE_ORDER, ids]

    def read_subject(self, control: Any) -> Any:
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

    def _is_option(self, element: Any) -> bool:
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

    def deduplication_key(self, item: list[Any]) -> str:
        """Return what two views of one item have in common: order, or id and name of the list."""
        if item[1] == PURCHASE_ORDER:
            return str(attribute(item[0], PURCHASE_ORDER))
        if item[1] != PRODUCT:
            return str(item[2])
        listing = self.list_of(item)
        name = attribute(listing, LIST) if listing else None
        return (name or "") + "\n" + item[2]

    def list_of(self, item: list[Any]) -> Any:
        """Return the element inside which the item's rank counts; None when there is none."""
        return call(item[0], "closest", LISTS)

    def _value(self, element: Any, name: str, kind: Any) -> Any:
        """Return what an attribute says, as a value of that kind; None when absent or wrong."""
        text = attribute(element, name)
        value = read(kind, text)
        if text is not None and value is None:
            self._complain(element, name, kind)
        return value

    def _nearest(self, element: Any, name: str, kind: Any) -> Any:
        """Return what the attribute says on the nearest element that has it."""
        return self._value(closest(element, name) or element, name, kind)

    def rank(self, item: list[Any]) -> Any:
        """Return the item's rank from 0: as said, as ARIA says it, or as its list shows it."""
        rank = self._value(item[0], INDEX, COUNT)
        if rank is None:
            listing = self.list_of(item)
            position = self._value(item[0], "aria-posinset", COUNT)
            if position:
                rank = position - 1
            elif listing and item[1] != LANDING:
                position = self._position(listing, item)
                offset = self._nearest(item[0], OFFSET, COUNT) or 0
                rank = None if position is None else offset + position
        return rank

    def _position(self, listing: Any, item: list[Any]) -> Any:
        """Return the item's position in its list; what stands behind it is not counted yet."""
        kind = item[1]
        count: Any = None
        for made in self._counts:
            if made[1] == kind and same(made[0], listing):
                count = made
        if count is None:
            count = [listing, kind, find_all(listing, "[" + kind + "]," + OPTION), 0, 0, {}]
            self._counts.append(count)
        positions = count[5]
        sought = PREFIX + item[2]
        while positions.get(sought) is None and count[3] < len(count[2]):
            other = self.read(count[2][count[3]])
            count[3] += 1
            if other and other[1] == kind and same(listing, self.list_of(other)):
                key = PREFIX + other[2]
                if positions.get(key) is None:
                    positions[key] = count[4]
                    count[4] += 1
        return positions.get(sought)

    def context(self, item: list[Any]) -> dict[str, Any]:
        """Return an item's page, query and index: as its markup says, else as is usual.

        The query of a suggestion is what was typed, where something was.
        """
        element = item[0]
        kind = item[1]
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
