"""Recognizes the items that shoppers choose without a click, as in the lists of comboboxes."""

from neuralens_tracker.attributes import ACTION, IGNORE, LANDING
from neuralens_tracker.capture.items import Items
from neuralens_tracker.capture.markup import DECLARED_ITEM, INERT, OPTION, Item
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.web.dom import closest, find_below, find_everywhere
from neuralens_tracker.web.ffi import get, window
from neuralens_tracker.web.visibility import is_shown

ENTER = "Enter"
# Elements that activate no item: they do nothing, are ignored, or have an action of their own.
NOTHING = INERT + ",[" + IGNORE + "],[" + ACTION + "]"


def current_address() -> str:
    """Return the address of the page."""
    address: str = get(get(window, "location"), "href")
    return address


def item_in(holder: JSObject) -> JSObject:
    """Return the first item in what a widget renders around it, such as a row; or that itself."""
    for element in find_below(holder, DECLARED_ITEM):
        return element
    return holder


class Choice:
    """An item that may be accepted without a click on it, in the context ``fields``.

    It was pressed, or active when Tab was pressed, or visible when Enter was pressed and none was
    active. ``is_marked``: the pointer was released on it while it was still visible, or it is the
    active or selected option at a key.
    """

    def __init__(self, item: Item, fields: Fields) -> None:
        self.item = item
        self.fields = fields
        self.is_marked = False


class Choices:
    """The items that the current press, or key, may choose."""

    def __init__(self, items: Items, search_box: SearchBox) -> None:
        self._items = items
        self._search_box = search_box
        self._choices: list[Choice] = []
        # The event, and its key, "" for the pointer; and what a widget may change when it accepts
        # an item, as it was before: the search box's text and the page's address.
        self._event: JSObject = None
        self._key = ""
        self._text = ""
        self._address = ""

    def begin(self, event: JSObject, key: str) -> None:
        """Begin with a press, or a key, of which no item is known yet."""
        self.forget()
        self._event = event
        self._key = key
        self._text = self._search_box.text()
        self._address = current_address()

    def add(self, elements: list[JSObject]) -> None:
        """Remember the items of these elements, which may be removed when one is chosen."""
        for element in elements:
            item = self.find_item(element)
            if item:
                self._choices.append(Choice(item, self._items.context(item)))

    def mark(self) -> None:
        """Mark the items that are visible now that the pointer is released, or a key is pressed.

        Their list did not close because the press of the pointer moved the focus.
        """
        for choice in self._choices:
            choice.is_marked = is_shown(choice.item.element)

    def forget(self) -> None:
        """Forget them, because nothing is chosen, or it is known by a click."""
        self._choices = []

    def context_of(self, item: Item) -> Fields:
        """Return an item's context as it was at the press: a widget may empty its box on that."""
        for choice in self._choices:
            if choice.item.id == item.id:
                return choice.fields
        return self._items.context(item)

    def pop_accepted(self, is_gone: bool) -> list[Choice]:
        """Return those that a widget has accepted, and forget all.

        ``is_gone``: the pressed element was removed by its click, or the page is left.
        """
        choices = self._choices
        self.forget()
        return [choice for choice in choices if self._is_accepted(choice, is_gone)]

    def _is_accepted(self, choice: Choice, is_gone: bool) -> bool:
        """Return whether a widget has accepted a choice.

        It has, if it filled it into the search box, or navigated. Or if it emptied the box or
        closed its list: on release, or while the box had the focus. Or if it handled a key, and
        emptied or removed the box: a list also closes when free text is accepted. What happens
        because the focus left accepts nothing.
        """
        is_changed = self._search_box.text() != self._text
        filled = self._search_box.filled_in()
        if is_changed and filled and (self._key != ENTER or filled == choice.item.id):
            return True
        if self._key:
            is_handled: bool = choice.is_marked and get(self._event, "defaultPrevented")
            return is_handled and (is_changed or self._search_box.is_gone())
        if is_gone or current_address() != self._address:
            return True
        if choice.is_marked or self._search_box.has_focus():
            return is_changed or not self._is_offered(choice.item)
        return False

    def _is_offered(self, item: Item) -> bool:
        """Return whether an item, or another element of the same item, is still visible."""
        return len(self.find_shown(item.id)) > 0 or is_shown(item.element)

    def find_item(self, element: JSObject) -> Item | None:
        """Return the item that activating an element activates; None if there is none.

        An option stands for the item that it contains.
        """
        if closest(element, NOTHING):
            return None
        item = self._items.closest_item(element)
        if item and item.kind != LANDING:
            return item
        option = closest(element, OPTION)
        return self._items.read(item_in(option)) if option else None

    def find_shown(self, item_id: str) -> list[JSObject]:
        """Return the visible elements that are the product or suggestion with that id."""
        return [
            element
            for element in find_everywhere(DECLARED_ITEM + "," + OPTION)
            if self._items.is_present(element, item_id) and is_shown(element)
        ]
