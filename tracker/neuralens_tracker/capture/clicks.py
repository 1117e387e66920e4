"""Clicks, keys and submits on products, suggestions and their controls: what the shopper meant."""

from typing import Any

from neuralens_tracker.attributes import ACTION, CONFIRM, IGNORE
from neuralens_tracker.capture.items import ACTIVATED, SUGGESTION_SELECTOR, Item
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

    def __init__(
        self, item: Item, fields: dict[str, Any], text: str, address: str, is_tab: bool
    ) -> None:
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
        self, items: Any, search_box: Any, acts: Any, confirmations: Any, emit: Any
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
        self._choice: Any = None

    def start(self) -> None:
        """Listen from now on."""
        listen("pointerdown", self._press)
        listen("pointermove", self._move)
        listen("pointerup", self._release)
        listen("pointercancel", self._forget_choice)
        listen("click", self._click)
        listen("auxclick", self._click)
        listen("keydown", self._press_key)
        listen("submit", self._submit)
        listen("pagehide", self._leave)

    def _begin_gesture(self, event: Any) -> None:
        """Note that a shopper, and no script, presses something."""
        self._settle(False)
        if get(event, "isTrusted"):
            self._pressed = True
            self._acts.begin_gesture()

    def _press(self, event: Any) -> None:
        self._begin_gesture(event)
        self._moved = False
        self._x = get(event, "clientX")
        self._y = get(event, "clientY")
        target = target_of(event)
        if get(event, "button") == 0 and not closest(target, "[" + ACTION + "]"):
            self._choose(target, False)

    def _move(self, event: Any) -> None:
        if get(event, "buttons") and get(event, "pointerType") != "touch" and not self._moved:
            across = abs(get(event, "clientX") - self._x)
            self._moved = across > MAX_TRAVEL or abs(get(event, "clientY") - self._y) > MAX_TRAVEL

    def _release(self, event: Any) -> None:
        choice = self._choice
        if choice:
            # A list that closes only now does not do so because the press took the focus away.
            choice.is_released = contains(choice.item.element, target_of(event)) and is_shown(
                choice.item.element
            )
            wait(TAKEN_MS, self._take)

    def _forget_choice(self, *_: Any) -> None:
        self._choice = None

    def _click(self, event: Any) -> None:
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
            self._settle(True)

    def _press_key(self, event: Any) -> None:
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
                wait(TAKEN_MS, self._take)
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
        if text != "":
            for element in find_everywhere(SUGGESTION_SELECTOR):
                item = self._items.read(element)
                if item and item.id == text and is_shown(element):
                    self._activate(element)
                    return

    def _submit(self, event: Any) -> None:
        form = target_of(event)
        if attribute(form, ACTION) is None:
            return
        submitter = get(event, "submitter")
        buttons = [submitter] if submitter else find_all(form, SUBMITTER)
        if len(buttons) == 0 or not closest(buttons[0], INERT):
            self._act(form)

    def _activate(self, element: Any) -> None:
        if closest(element, "[" + IGNORE + "]"):
            return
        control = closest(element, "[" + ACTION + "]")
        if control:
            if not matches(control, "form"):
                self._act(control)
            return
        item = self._items.item_at(element)
        if item and item.kind in list(ACTIVATED.keys()) and not closest(element, INERT):
            self._choice = None
            self._emit(ACTIVATED[item.kind], item, self._items.context(item))

    def _act(self, control: Any) -> None:
        """Do what a control or a form stands for; where the shop has the last word, after that."""
        if closest(control, "[" + IGNORE + "]") or closest(control, INERT + ",[aria-busy=true]"):
            return
        item = self._items.read_subject(control)
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

    def _choose(self, element: Any, is_tab: bool) -> None:
        """Note an item that is pressed, or marked, for it may be gone before a click could come."""
        item = None if closest(element, INERT) else self._items.item_at(element)
        if item and item.kind in list(ACTIVATED.keys()):
            self._choice = Choice(
                item,
                self._items.context(item),
                self._search_box.text(),
                get(get(window, "location"), "href"),
                is_tab,
            )

    def _take(self) -> None:
        self._settle(False)

    def _leave(self, *_: Any) -> None:
        self._settle(True)

    def _settle(self, is_taken: bool) -> None:
        """Tell of what was pressed, if it was taken although no click has come to it."""
        choice = self._choice
        self._choice = None
        if choice and self._was_taken(choice, is_taken):
            item = choice.item
            self._emit(ACTIVATED[item.kind], item, choice.fields)

    def _was_taken(self, choice: Choice, is_taken: bool) -> bool:
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
        if is_taken or get(get(window, "location"), "href") != choice.address:
            return True
        item = choice.item
        has_stayed = choice.is_released or self._search_box.has_focus()
        return has_stayed and not self._is_offered(item)

    def _is_offered(self, item: Item) -> bool:
        """Tell whether an item, or another element of the same, can still be seen."""
        if is_shown(item.element):
            return True
        for element in find_everywhere("[" + item.kind + "]," + SUGGESTION_SELECTOR):
            other = self._items.read(element)
            if other and other.kind == item.kind and other.id == item.id and is_shown(element):
                return True
        return False
