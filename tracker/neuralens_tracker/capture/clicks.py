"""Clicks, keys and submits on products, suggestions and their controls: what the shopper meant."""

from collections.abc import Callable

from neuralens_tracker.acts import Acts
from neuralens_tracker.attributes import ACTION, CONFIRM, IGNORE, LANDING
from neuralens_tracker.capture.items import ACTIVATED, SUGGESTION_SELECTOR, Item, Items
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import COUNT, read
from neuralens_tracker.vocabulary import ACTIONS
from neuralens_tracker.web.dom import (
    attribute,
    closest,
    contains,
    find_all,
    find_everywhere,
    find_named,
    is_connected,
    listen,
    matches,
    target_of,
)
from neuralens_tracker.web.ffi import get, window
from neuralens_tracker.web.platform import now, wait
from neuralens_tracker.web.visibility import is_shown

# Where the browser itself turns Enter and Space into a click.
NATIVE = "a[href],button,input,select,textarea,summary"
# What does nothing when it is activated.
INERT = "[aria-disabled=true],:disabled"
NOTHING = INERT + ",[" + IGNORE + "]"
SUBMITTER = "[type=submit],button:not([type])"
# Pixels that a hand may move while it clicks; a finger's taps are told from its drags by browsers.
MAX_TRAVEL = 10
# Milliseconds after a press in which a widget has taken what was pressed, if it takes it.
TAKEN_MS = 350
# Milliseconds for which an action waits for the shop's word, where ``data-nl-confirm`` says none.
CONFIRM_MS = 10000


class Choice:
    """An item that was pressed, or marked when Tab was, and may be taken without a click.

    ``fields`` is its context, ``text`` what the search box held, ``address`` the page's;
    ``is_released`` tells that the press ended on it, and it stood there still.
    """

    def __init__(self, item: Item, fields: Fields, text: str, address: str, is_tab: bool) -> None:
        self.item = item
        self.fields = fields
        self.text = text
        self.address = address
        self.is_tab = is_tab
        self.is_released = False


class Clicks:
    """Listens for the whole document; ``emit(event, item, fields)`` is called for each activation.

    ``fields`` are the item's context at the time of the press or key.
    """

    def __init__(
        self,
        items: Items,
        search_box: SearchBox,
        acts: Acts,
        confirmations: Confirmations,
        emit: Callable[[str, Item, Fields], None],
    ) -> None:
        self._items = items
        self._search_box = search_box
        self._acts = acts
        self._confirmations = confirmations
        self._emit = emit
        # Where the pointer was pressed, and whether it went away from there.
        self._x = 0
        self._y = 0
        self._moved = False
        # Whether a click belongs to a press or a key that was noted as a gesture already, and the
        # time of the last click.
        self._pressed = False
        self._clicked = 0.0
        self._choice: Choice | None = None

    def start(self) -> None:
        """Listen from now on."""
        listen("pointerdown", self._press)
        listen("pointermove", self._move)
        listen("pointerup", self._release)
        listen("pointercancel", self._forget_choice)
        listen("click auxclick", self._click)
        listen("keydown", self._press_key)
        listen("submit", self._submit)
        listen("pagehide", self._settle)

    def _begin_gesture(self, event: JSObject) -> None:
        """Note that a shopper, and no script, presses something."""
        self._settle()
        if get(event, "isTrusted"):
            self._pressed = True
            self._acts.begin_gesture()

    def _press(self, event: JSObject) -> None:
        self._begin_gesture(event)
        self._moved = False
        self._x = get(event, "clientX")
        self._y = get(event, "clientY")
        target = target_of(event)
        if get(event, "button") == 0 and not closest(target, "[" + ACTION + "]"):
            self._choose(target, False)

    def _move(self, event: JSObject) -> None:
        if get(event, "buttons") and get(event, "pointerType") != "touch" and not self._moved:
            across = abs(get(event, "clientX") - self._x)
            self._moved = across > MAX_TRAVEL or abs(get(event, "clientY") - self._y) > MAX_TRAVEL

    def _release(self, event: JSObject) -> None:
        choice = self._choice
        if choice:
            # A list that closes only now does not do so because the press took the focus away.
            choice.is_released = contains(choice.item.element, target_of(event)) and is_shown(
                choice.item.element
            )
            wait(TAKEN_MS, self._settle)

    def _forget_choice(self, *_: JSObject) -> None:
        self._choice = None

    def _click(self, event: JSObject) -> None:
        # Of the other buttons, the middle one opens a link; the right one opens a menu.
        if get(event, "button") > 1 or self._moved:
            self._moved = False
            return
        if get(event, "detail") > 1:
            # The second of a double click is no act of its own.
            self._acts.undo_gesture()
            return
        time = get(event, "timeStamp")
        if get(event, "isTrusted") and not self._pressed and time != self._clicked:
            # An assistive technology clicks without a press; a label clicks its control at once.
            self._acts.begin_gesture()
        self._pressed = False
        self._clicked = time
        target = target_of(event)
        if is_connected(target):
            self._activate(target)
        else:
            # A handler of the page was quicker, and has removed what was pressed.
            self._settle(event)

    def _press_key(self, event: JSObject) -> None:
        # A key that an input method takes: https://w3c.github.io/uievents/#event-keydown
        if get(event, "isComposing") or get(event, "keyCode") == 229 or get(event, "repeat"):
            return
        self._begin_gesture(event)
        key = get(event, "key")
        if key != "Enter" and key != "Tab":
            return
        target = target_of(event)
        # One id, though some widgets make one with blanks in it.
        marked = find_named(target, [attribute(target, "aria-activedescendant") or ""])
        shown = [element for element in marked if is_shown(element)]
        if key == "Tab":
            if len(shown) > 0:
                self._choose(shown[0], True)
                wait(TAKEN_MS, self._settle)
        elif len(shown) > 0:
            self._activate(shown[0])
        elif len(marked) == 0:
            if self._search_box.is_current(target):
                self._activate_written()
            elif not matches(target, NATIVE):
                self._activate(target)

    def _activate_written(self) -> None:
        """Activate the suggestion that a widget has written into the box, without marking it."""
        text = self._search_box.written()
        for element in find_everywhere(SUGGESTION_SELECTOR) if text != "" else []:
            item = self._items.read(element)
            if item and item.id == text and is_shown(element):
                self._activate(element)
                break

    def _submit(self, event: JSObject) -> None:
        form = target_of(event)
        if attribute(form, ACTION) is None:
            return
        submitter = get(event, "submitter")
        buttons = [submitter] if submitter else find_all(form, SUBMITTER)
        if len(buttons) == 0 or not closest(buttons[0], INERT):
            self._act(form)

    def _activate(self, element: JSObject) -> None:
        control = closest(element, "[" + ACTION + "]")
        item = self._find_item(element)
        if control:
            if not matches(control, "form"):
                self._act(control)
        elif item:
            self._choice = None
            self._emit(ACTIVATED[item.kind], item, self._items.context(item))

    def _find_item(self, element: JSObject) -> Item | None:
        """Return the item that is activated by an element; None where nothing is."""
        item = None if closest(element, NOTHING) else self._items.item_at(element)
        return item if item and item.kind != LANDING else None

    def _act(self, control: JSObject) -> None:
        """Do what a control or a form stands for; where the shop has the last word, after that."""
        is_idle = closest(control, NOTHING + ",[aria-busy=true]")
        item = None if is_idle else self._items.read_subject(control)
        if item:
            event = ACTIONS[attribute(control, ACTION)]
            fields = self._items.context(item)
            holder = closest(control, "[" + CONFIRM + "]")
            if holder:
                milliseconds = read(COUNT, attribute(holder, CONFIRM))
                patience = CONFIRM_MS if milliseconds is None else milliseconds
                self._confirmations.hold(event, item.id, fields, now() + patience / 1000)
            else:
                self._emit(event, item, fields)

    def _choose(self, element: JSObject, is_tab: bool) -> None:
        """Note an item that is pressed, or marked, for it may be gone before a click could come."""
        item = self._find_item(element)
        if item:
            self._choice = Choice(
                item,
                self._items.context(item),
                self._search_box.text(),
                get(get(window, "location"), "href"),
                is_tab,
            )

    def _settle(self, end: JSObject = None) -> None:
        """Tell of what was pressed, if it was taken although no click has come to it.

        ``end`` is the event by which it, or the page, has gone, if that is known.
        """
        choice = self._choice
        self._choice = None
        if choice and self._was_taken(choice, end is not None):
            item = choice.item
            self._emit(ACTIVATED[item.kind], item, choice.fields)

    def _was_taken(self, choice: Choice, is_gone: bool) -> bool:
        """Tell whether a widget has taken a choice.

        It has written it into the search box, gone to another page, or closed its list, when the
        press ended or while the focus stays in the box: a list that closes because the focus left
        has taken nothing.
        """
        written = self._search_box.written()
        if written != "" and written != choice.text:
            return True
        if choice.is_tab:
            return False
        if is_gone or get(get(window, "location"), "href") != choice.address:
            return True
        item = choice.item
        has_stayed = choice.is_released or self._search_box.has_focus()
        return has_stayed and not self._is_offered(item)

    def _is_offered(self, item: Item) -> bool:
        """Tell whether an item, or another element of the same, can still be seen."""
        others = find_everywhere("[" + item.kind + "]," + SUGGESTION_SELECTOR)
        shown = [each for each in others if self._items.is_same(each, item) and is_shown(each)]
        return is_shown(item.element) or len(shown) > 0
