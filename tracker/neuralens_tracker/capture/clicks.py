"""Captures activations of products, suggestions and action controls by pointer, key and submit."""

from collections.abc import Callable

from neuralens_tracker.acts import Acts
from neuralens_tracker.attributes import ACTION, CONFIRM, IGNORE, LANDING
from neuralens_tracker.capture.items import (
    ACTIVATED,
    BUSY,
    DECLARED_ITEM,
    INERT,
    OPTION,
    SUGGESTION_SELECTOR,
    SWITCHED_ON,
    Item,
    Items,
)
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.value_types import COUNT, read
from neuralens_tracker.vocabulary import ACTIONS
from neuralens_tracker.web.dom import (
    active_descendant_of,
    attribute,
    closest,
    find_below,
    find_by_ids,
    find_everywhere,
    is_connected,
    listen,
    matches,
    target_of,
)
from neuralens_tracker.web.ffi import get, same, window
from neuralens_tracker.web.platform import now, wait
from neuralens_tracker.web.visibility import is_shown, text_of_markup

# Elements on which the browser itself turns Enter and Space into a click, or writes them.
NATIVE = "a[href],button,input,select,option,summary,textarea,[contenteditable]"
ENTER = "Enter"
# Widgets that Space activates, too, such as switches: https://www.w3.org/WAI/ARIA/apg/patterns/
SPACED = "[role=button],[role=menuitem],[aria-checked]"
# Elements whose click is about another one: a label's control, or the form that a button submits.
DELEGATES = ":is(button,[type=image],[type=submit]):not([formnovalidate],[type=button]),label"
# Those on which it has no effect, or a contrary one: forms that the browser does not submit,
# disabled controls, and checkboxes that it switches off.
UNAFFECTED = ":disabled,[type=checkbox]:checked,form:invalid:not([novalidate])"
# Elements that activate no item: they do nothing, are ignored, or have an action of their own.
NOTHING = INERT + ",[" + IGNORE + "],[" + ACTION + "]"
# Controls with an action of their own, unlike forms, which have it when they are submitted.
CONTROL = "[" + ACTION + "]:not(form)"
# Submitters that do not stand for their form's action.
OTHER_SUBMITTER = NOTHING + ":not(form),[aria-busy=true]"
# A checkbox is switched before its click. This is one that was switched off.
SWITCHED_OFF = "[type=checkbox]:not(:checked)"
# Pixels that the pointer may move during a click.
MAX_TRAVEL = 10
# Milliseconds within which a label's click is followed by one on its control: in Firefox, which
# gives the latter a timestamp of its own, as long as the page's handlers take.
FOLLOW_MS = 500
# Milliseconds after which a widget has accepted a pressed option, if it does at all.
ACCEPT_MS = 350
# Milliseconds until an unconfirmed action is dropped, if ``data-nl-confirm`` has no value.
CONFIRM_MS = 10000


def item_in(holder: JSObject) -> JSObject:
    """Return the first item in what a widget renders around it, such as a row; or that itself."""
    for element in find_below(holder, DECLARED_ITEM):
        return element
    return holder


class Intent:
    """An action control as it was when it was pressed, before the page's handlers changed it.

    ``event`` is its action, ``item`` what that applies to, in the context ``fields``; None: it does
    nothing. ``patience`` is within how many milliseconds the shop confirms it; 0: without
    confirmation.
    """

    def __init__(
        self, control: JSObject, event: str, item: Item | None, fields: Fields, patience: int
    ) -> None:
        self.control = control
        self.event = event
        self.item = item
        self.fields = fields
        self.patience = patience


class Choice:
    """An item that may be accepted without a click on it.

    It was pressed, or active when Tab was pressed, or visible when Enter was pressed and none was
    active. ``key`` is that key, or ""; ``fields`` is the item's context, ``text`` that of the
    search box, ``address`` that of the page; ``is_released``: the pointer was released on the item
    while it was still visible.
    """

    def __init__(self, item: Item, fields: Fields, text: str, address: str, key: str) -> None:
        self.item = item
        self.fields = fields
        self.text = text
        self.address = address
        self.key = key
        self.is_released = False


class Clicks:
    """Listens on the window and calls ``emit(event, item, fields)`` for each activation.

    ``fields`` is the item's context at the time of the press or key.
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
        # Where the pointer was pressed, and whether it has moved too far for a click.
        self._x = 0
        self._y = 0
        self._moved = False
        # Whether a press or key already began the gesture of the next click, and the timestamp of
        # the last click.
        self._pressed = False
        self._clicked: float = -FOLLOW_MS
        self._choices: list[Choice] = []
        self._intent: Intent | None = None
        # What was clicked, if it does not stand for the action of a form that it submits.
        self._other_submitter: JSObject = None
        # The control of an activated label with an action, whose own click follows.
        self._labelled: JSObject = None

    def start(self) -> None:
        """Register the listeners."""
        listen("pointerdown", self._press)
        listen("pointermove", self._move)
        listen("pointerup", self._release)
        listen("pointercancel", self._forget_choices)
        listen("touchstart touchend", self._await_handlers)
        listen("click auxclick", self._click)
        listen("keydown", self._press_key)
        listen("submit", self._submit)
        listen("pagehide", self.resolve_choices)

    def _begin_gesture(self, event: JSObject) -> None:
        """Begin a gesture, if the event comes from the shopper and not from a script."""
        self.resolve_choices()
        self._moved = False
        self._other_submitter = None
        self._labelled = None
        if get(event, "isTrusted"):
            self._pressed = True
            self._acts.begin_gesture()
            target = target_of(event)
            control = closest(target, CONTROL)
            # A busy one may become ready for its click, when the press moves the focus to it.
            if control and not closest(target, BUSY):
                self._intent = self._read_intent(control)

    def _press(self, event: JSObject) -> None:
        self._begin_gesture(event)
        self._x = get(event, "clientX")
        self._y = get(event, "clientY")
        if get(event, "button") == 0:
            self._remember([target_of(event)], "")
        else:
            self._forget_choices()

    def _move(self, event: JSObject) -> None:
        across = get(event, "clientX") - self._x
        down = get(event, "clientY") - self._y
        if get(event, "buttons") and across * across + down * down > MAX_TRAVEL * MAX_TRAVEL:
            # A drag or a swipe, which chooses nothing, although the slide may go off the screen.
            self._forget_choices()
            self._pressed = False
            # Browsers tell taps from swipes themselves.
            self._moved = get(event, "pointerType") != "touch"

    def _release(self, *_: JSObject) -> None:
        for choice in self._choices:
            # Still visible on release, so the list did not close because the press moved the focus.
            choice.is_released = is_shown(choice.item.element)
        wait(ACCEPT_MS, self.resolve_choices)

    def _forget_choices(self, *_: JSObject) -> None:
        self._choices = []
        self._intent = None

    def _await_handlers(self, event: JSObject) -> None:
        # The page's are called after the tracker's.
        wait(0, self._perform_prevented, event)

    def _perform_prevented(self, event: JSObject) -> None:
        """Perform a pressed control's action if the page acts on a touch or key itself.

        Then it prevents the click that would follow.
        """
        # Many pages prevent the second tap of a double tap, which does nothing then.
        is_first = get(event, "timeStamp") - self._clicked > FOLLOW_MS
        if self._intent and is_first and get(event, "defaultPrevented"):
            self._perform(self._intent)

    def _click(self, event: JSObject) -> None:
        target = target_of(event)
        # Before the page marks it as busy, in a handler of its own.
        self._other_submitter = closest(target, OTHER_SUBMITTER)
        # The middle button (1) opens links, too; the right one (2) opens a menu.
        allowed = 1 if closest(target, "[*|href]") else 0
        if get(event, "button") > allowed or self._moved:
            self._moved = False
            return
        if get(event, "detail") > 1:
            # The second click of a double click.
            self._acts.undo_gesture()
            return
        time = get(event, "timeStamp")
        if get(event, "isTrusted") and not self._pressed and time - self._clicked > FOLLOW_MS:
            # Assistive technology clicks without a press.
            self._acts.begin_gesture()
        self._pressed = False
        self._clicked = time
        pressed = self._intent.control if self._intent else target
        if is_connected(target) and is_connected(pressed):
            self._activate(target)
            self._intent = None
        else:
            # The page has already removed the element in a handler of its own. In Firefox, the
            # click is then on what was around it.
            self.resolve_choices(event)

    def _press_key(self, event: JSObject) -> None:
        # Keys that an input method handles: https://w3c.github.io/uievents/#event-keydown
        if get(event, "isComposing") or get(event, "keyCode") == 229 or get(event, "repeat"):
            return
        self._begin_gesture(event)
        key = get(event, "key")
        target = target_of(event)
        if key in (ENTER, " "):
            self._await_handlers(event)
            wait(ACCEPT_MS, self.resolve_choices)
        if key not in ("Tab", ENTER) and not (key == " " and matches(target, SPACED)):
            return
        # A single id, but some widgets' ids contain spaces.
        marked = list(find_by_ids(target, [attribute(target, "aria-activedescendant") or ""]))
        active = active_descendant_of(target)
        if active:
            marked.append(active)
        shown = [item_in(element) for element in marked if is_shown(element)]
        if len(marked) > 0:
            if len(shown) == 0:
                # A hidden option may describe a row without a role to assistive technology.
                shown = self._find_shown(text_of_markup(marked[0]))
        elif self._search_box.is_current(target):
            # Without an active descendant, a widget fills in the text of the active row: on Enter,
            # or before.
            shown = self._find_shown(self._search_box.filled_in())
            if key == ENTER:
                offered = find_everywhere(SUGGESTION_SELECTOR)
                self._remember([element for element in offered if is_shown(element)], key)
        elif not matches(target, NATIVE):
            shown = [target]
        if key == "Tab":
            self._remember(shown[:1], key)
        else:
            for element in shown[:1]:
                self._activate(element)

    def _submit(self, event: JSObject) -> None:
        form = target_of(event)
        if matches(form, "[" + ACTION + "]") and not self._other_submitter:
            self._perform(self._read_intent(form))

    def _activate(self, element: JSObject) -> None:
        control = closest(element, "[" + ACTION + "]")
        item = self._find_item(element)
        delegate = closest(element, DELEGATES)
        other = delegate and (get(delegate, "control") or get(delegate, "form"))
        if control:
            self._labelled = other
            # A label's control is switched by a click of its own, which follows.
            is_effective = not other or same(other, element) or not matches(other, UNAFFECTED)
            if is_effective and not matches(control, "form") and not matches(element, SWITCHED_OFF):
                intent = self._intent
                if intent and same(control, intent.control):
                    self._perform(intent)
                elif not closest(element, BUSY):
                    self._perform(self._read_intent(control))
        elif item and not same(element, self._labelled) and not closest(other, "[" + ACTION + "]"):
            fields = self._items.context(item)
            for choice in self._choices:
                if choice.item.id == item.id:
                    # As it was pressed: a widget may have emptied its box on that.
                    fields = choice.fields
            self._choices = []
            self._emit(ACTIVATED[item.kind], item, fields)

    def _find_item(self, element: JSObject) -> Item | None:
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

    def _read_intent(self, control: JSObject) -> Intent:
        """Read what activating a control, or submitting a form, does at the moment."""
        item = self._items.read_subject(control)
        holder = closest(control, "[" + CONFIRM + "]")
        return Intent(
            control,
            ACTIONS[attribute(control, ACTION)] if item else "",
            item,
            self._items.context(item) if item else {},
            (read(COUNT, attribute(holder, CONFIRM)) or CONFIRM_MS) if holder else 0,
        )

    def _perform(self, intent: Intent) -> None:
        """Emit an action, or hold it until the shop confirms it; only once for each press."""
        item = intent.item
        intent.item = None
        if item:
            if intent.patience:
                until = now() + intent.patience / 1000
                self._confirmations.hold(intent.event, item.id, intent.fields, until)
            else:
                self._emit(intent.event, item, intent.fields)

    def _remember(self, elements: list[JSObject], key: str) -> None:
        """Remember items that a press or key may choose, and which may be removed on that."""
        for element in elements:
            item = self._find_item(element)
            if item:
                choice = Choice(
                    item,
                    self._items.context(item),
                    self._search_box.text(),
                    get(get(window, "location"), "href"),
                    key,
                )
                self._choices.append(choice)
        if key:
            wait(ACCEPT_MS, self.resolve_choices)

    def resolve_choices(self, end: JSObject = None) -> None:
        """Emit the activation of a choice, and the action of a control, that needed no click.

        ``end`` is the event that removed the element or unloaded the page, if any.
        """
        choices = self._choices
        intent = self._intent
        self._forget_choices()
        if intent and (
            not is_connected(intent.control)
            or matches(intent.control, SWITCHED_ON)
            or closest(intent.control, BUSY)
        ):
            # The page has acted on the press.
            self._perform(intent)
        for choice in choices:
            if self._is_accepted(choice, end is not None):
                item = choice.item
                self._emit(ACTIVATED[item.kind], item, choice.fields)

    def _is_accepted(self, choice: Choice, is_gone: bool) -> bool:
        """Return whether a widget has accepted a choice.

        It has, if it filled it into the search box, navigated, or closed its list or emptied the
        box, on release or while the box had the focus. What happens because the focus left accepts
        nothing.
        """
        is_changed = self._search_box.text() != choice.text
        filled = self._search_box.filled_in()
        if choice.key == ENTER:
            return filled == choice.item.id
        if is_changed and filled:
            return True
        if choice.key:
            return False
        if is_gone or get(get(window, "location"), "href") != choice.address:
            return True
        if choice.is_released or self._search_box.has_focus():
            return is_changed or not self._is_offered(choice.item)
        return False

    def _is_offered(self, item: Item) -> bool:
        """Return whether an item, or another element of the same item, is still visible."""
        return len(self._find_shown(item.id)) > 0 or is_shown(item.element)

    def _find_shown(self, item_id: str) -> list[JSObject]:
        """Return the visible elements that are the product or suggestion with that id."""
        return [
            element
            for element in find_everywhere(DECLARED_ITEM + "," + OPTION)
            if self._items.is_present(element, item_id) and is_shown(element)
        ]
