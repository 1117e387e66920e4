"""Reads items from elements: id, rank and context."""

from collections.abc import Callable

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
from neuralens_tracker.capture.markup import (
    DECLARED_ITEM,
    LISTS,
    OPTION,
    PRODUCT_SELECTOR,
    SUBJECT_SELECTOR,
    SWITCHED_ON,
    WIDGET,
    Item,
    find_busy,
)
from neuralens_tracker.capture.ranks import Ranks
from neuralens_tracker.types import Context, Fields, JSObject, ReportInvalid, Unchecked, ValueType
from neuralens_tracker.value_types import COUNT, TEXT, read
from neuralens_tracker.vocabulary import (
    ACTIONS,
    AUTOCOMPLETE,
    PAGES,
    PRODUCT_PAGE,
)
from neuralens_tracker.web.dom import (
    attribute,
    closest,
    contains,
    controlled_by,
    find_below,
    find_by_ids,
    find_everywhere,
    is_connected,
    matches,
    owned_by,
    parent_or_host,
)
from neuralens_tracker.web.ffi import elements
from neuralens_tracker.web.visibility import text_of_markup

# Nothing inside these is an item.
UNREAD = "[" + PURCHASE_ORDER + "],[" + IGNORE + "]"
DECLARED = "[" + SUGGESTIONS + "]"
# Elements that may own or control a listbox.
OWNERS = DECLARED + ",[aria-owns],[aria-controls]"
# A shop may put one around a tile: keys, and clicks beside the tile, then activate the link alone.
LINK = "a,button,[role=link]"
# The page of an item whose markup names none; None: that of the visit.
DEFAULT_PAGES = {
    LANDING: PRODUCT_PAGE,
    SUGGESTION: AUTOCOMPLETE,
    PRODUCT: None,
    PURCHASE_ORDER: None,
}


class Items:
    """Reads elements in the context of a visit.

    ``typed_for(listing)`` returns the text typed into the search box of a list of suggestions, or
    None; ``report_invalid(element, attribute, value_type)`` reports an invalid attribute.
    """

    def __init__(
        self,
        visit: Context,
        typed_for: Callable[[JSObject], str | None],
        report_invalid: ReportInvalid,
    ) -> None:
        self._visit = visit
        self._typed_for = typed_for
        self._report_invalid = report_invalid
        self._ranks = Ranks(self.read, self.list_of, self.is_present)
        # The lists whose options are suggestions; None: not known, because the page has changed.
        self._declared: list[JSObject] | None = None

    def forget_ranks(self, *_: JSObject) -> None:
        """Invalidate counted ranks, because the page has changed."""
        self._declared = None
        self._ranks.forget_counted()

    def begin_page_view(self) -> None:
        """Forget all ranks, including reported ones."""
        self._declared = None
        self._ranks.forget_all()

    def closest_item(self, element: JSObject) -> Item | None:
        """Return the item that an element is, or the closest one that it is in; otherwise None.

        A link around one item stands for it.
        """
        item: Item | None = None
        link = closest(element, LINK)
        linked = find_below(link, DECLARED_ITEM) if link else []
        if len(linked) == 1:
            element = linked[0]
        while element is not None and not item:
            item = self.read(element)
            element = parent_or_host(element)
        return item

    def read(self, element: JSObject) -> Item | None:
        """Return the item that an element itself is, otherwise None.

        An option of a declared listbox is a suggestion.
        """
        if closest(element, UNREAD):
            return None
        for kind in (LANDING, PRODUCT, SUGGESTION):
            value = attribute(element, kind)
            if value == "":
                self._report_invalid(element, kind, TEXT)
            elif value is None and kind == SUGGESTION and self._is_option(element):
                # May be empty: then it is still loading.
                value = text_of_markup(element)
            if value:
                return Item(element, kind, value, [value])
        return None

    def read_purchase(self, element: JSObject) -> Item | None:
        """Return the order that an element confirms, with its product ids.

        None if it is ignored or invalid. Products that are ignored are left out.
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
            self._report_invalid(element, PURCHASE_ORDER, TEXT + ", around " + PRODUCT_SELECTOR)
            return None
        return Item(element, PURCHASE_ORDER, order, ids)

    def read_subject(self, control: JSObject) -> Item | None:
        """Return the item that a control's action applies to; None if the action is not tracked."""
        owner = closest(control, SUBJECT_SELECTOR)
        actions = list(ACTIONS.keys())
        if closest(control, "[" + IGNORE + "]"):
            return None
        if attribute(control, ACTION) not in actions:
            self._report_invalid(control, ACTION, actions)
        elif not owner:
            self._report_invalid(control, ACTION, "inside " + SUBJECT_SELECTOR)
        elif not matches(control, SWITCHED_ON) and not find_busy(control):
            return self.read(owner)
        return None

    def _is_option(self, element: JSObject) -> bool:
        """Return whether an element is an option that ``data-nl-suggestions`` declares.

        The declaring element contains, owns or controls its listbox. An option around an item
        only stands for it.
        """
        if not matches(element, OPTION) or len(find_below(element, DECLARED_ITEM)) > 0:
            return False
        if self._declared is None:
            self._declared = []
            for owner in find_everywhere(OWNERS):
                if closest(owner, DECLARED):
                    self._declared.append(owner)
                    self._declared.extend(lists_of_widget(owner))
        return len([holder for holder in self._declared if contains(holder, element)]) > 0

    def key_of(self, item: Item) -> str:
        """Return the item's key for deduplication: its id; for a product, with its list's name."""
        if item.kind != PRODUCT:
            return item.id
        listing = self.list_of(item)
        name = attribute(listing, LIST) if listing else None
        return (name or "") + "\n" + item.id

    def list_of(self, item: Item) -> JSObject:
        """Return the list element within which the item is ranked, or None."""
        return closest(item.element, LISTS)

    def _read_attribute(self, element: JSObject, name: str, kind: ValueType) -> Unchecked:
        """Return an attribute's value; None if it is absent, or invalid, which is reported."""
        text = attribute(element, name)
        value = read(kind, text)
        if text is not None and value is None:
            self._report_invalid(element, name, kind)
        return value

    def _read_closest(self, element: JSObject, name: str, kind: ValueType) -> Unchecked:
        """Return the attribute's value from the closest element that has it."""
        return self._read_attribute(closest(element, "[" + name + "]") or element, name, kind)

    def _rank(self, item: Item, query: str | None) -> Fields:
        """Return the item's rank, from 0, and its source: {index, rankSource}, or None for both.

        The rank is declared, taken from ARIA, or the item's position in its list.
        """
        rank = self._read_attribute(item.element, INDEX, COUNT)
        if rank is not None:
            return {"index": rank, "rankSource": "explicit"}
        position = self._read_attribute(item.element, "aria-posinset", COUNT)
        if position:
            return {"index": position - 1, "rankSource": "posinset"}
        listing = self.list_of(item)
        if listing and item.kind != LANDING:
            offset = self._read_closest(item.element, OFFSET, COUNT) or 0
            rank = self._ranks.find(listing, item, query, offset)
        return {"index": rank, "rankSource": None if rank is None else "order"}

    def is_present(self, element: JSObject, item_id: str) -> bool:
        """Return whether an element is in the document and still the item with that id."""
        item = self.read(element) if element is not None and is_connected(element) else None
        return item is not None and item.id == item_id

    def context(self, item: Item) -> Fields:
        """Return an item's {page, query, index, rankSource, querySource}.

        Markup takes precedence over the visit; the query of a suggestion is what was typed, if
        anything. ``rankSource`` is explicit, posinset or order; ``querySource`` is markup, page or
        typed.
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
            self._read_closest(element, PAGE, PAGES) or DEFAULT_PAGES[kind] or self._visit.page()
        )
        fields["query"] = query
        fields["querySource"] = source if query else None
        return fields


def lists_of_widget(element: JSObject) -> list[JSObject]:
    """Return the elements that an element, or its combobox, owns or controls through ARIA."""
    found: list[JSObject] = []
    for owner in [element, closest(element, WIDGET)]:
        if owner:
            for name in ("aria-controls", "aria-owns"):
                found.extend(find_by_ids(owner, (attribute(owner, name) or "").split(" ")))
            for read_related in (controlled_by, owned_by):
                related = read_related(owner)
                if related:
                    found.extend(elements(related))
    return found
