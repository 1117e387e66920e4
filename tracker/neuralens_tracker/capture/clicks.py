"""Captures activations of products, suggestions and action controls by pointer, key and submit."""

from collections.abc import Callable

from neuralens_tracker.acts import Acts
from neuralens_tracker.attributes import ACTION, IGNORE
from neuralens_tracker.capture.actions import Action, Actions, has_responded
from neuralens_tracker.capture.choices import (
    ENTER,
    Choices,
    item_in,
)
from neuralens_tracker.capture.items import Items, lists_of_widget
from neuralens_tracker.capture.markup import (
    ACTIVATED,
    OPTION,
    SUGGESTION_SELECTOR,
    Item,
    find_busy,
)
from neuralens_tracker.capture.search_box import SearchBox
from neuralens_tracker.confirmations import Confirmations
from neuralens_tracker.types import Fields, JSObject
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
from neuralens_tracker.web.ffi import get, same
from neuralens_tracker.web.platform import cancel, wait
from neuralens_tracker.web.visibility import is_shown, text_of_markup

# Elements on which the browser itself turns Enter and Space into a click, or writes them.
NATIVE = "a[href],button,input,select,option,summary,textarea,[contenteditable]"
# Widgets that Space activates, too, such as switches: https://www.w3.org/WAI/ARIA/apg/patterns/
SPACED = "[role=button],[role=menuitem],[aria-checked]"
ACTIVE = "aria-activedescendant"
SELECTED = OPTION + "[aria-selected=true]"
# Elements whose click is about another one: a label's control, or the form that a button submits.
DELEGATES = ":is(button,[type=image],[type=submit]):not([formnovalidate],[type=button]),label"
# Those on which it has no effect, or a contrary one: forms that the browser does not submit,
# disabled controls, and checkboxes that it switches off.
UNAFFECTED = ":disabled,[type=checkbox]:checked,form:invalid:not([novalidate])"
# Controls with an action of their own, unlike forms, which have it when they are submitted.
CONTROL = "[" + ACTION + "]:not(form)"
# Submitters that do not stand for their form's action, besides busy ones.
OTHER_SUBMITTER = "[" + IGNORE + "]," + CONTROL
# A checkbox is switched before its click. This is one that was switched off.
SWITCHED_OFF = "[type=checkbox]:not(:checked)"
# Pixels that the pointer may move during a click.
MAX_TRAVEL = 10
# Milliseconds within which a label's click is followed by one on its control: in Firefox, which
# gives the latter a timestamp of its own, as long as the page's handlers take.
FOLLOW_MS = 500
# Milliseconds after which a widget has accepted a pressed option, if it does at all.
ACCEPT_MS = 350


def selected_options(box: JSObject) -> list[JSObject]:
    """Return the only selected option in the lists of a search box, which may be its active one.

    Some widgets do not name their active option until an arrow key has moved it.
    """
    found: list[JSObject] = []
    # A list is there once for each of its relations.
    for owned in lists_of_widget(box):
        found.extend(find_below(owned, SELECTED))
    return found[:1] if len(found) > 0 and same(found[0], found[len(found) - 1]) else []


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
        self._search_box = search_box
        self._acts = acts
        self._actions = Actions(items, confirmations, emit)
        self._emit = emit
        self._choices = Choices(items, search_box)
        # The gesture, which is a press of the pointer or of a key: where it began, whether its
        # click is still to come, and whether the pointer has moved too far for one.
        self._x = 0
        self._y = 0
        self._is_open = False
        self._is_drag = False
        # What the pressed control does, unless it has been done.
        self._action: Action | None = None
        # What was clicked, if it does not stand for the action of a form that it submits.
        self._other_submitter: JSObject = None
        # The control of an activated label with an action, whose own click follows.
        self._labelled: JSObject = None
        # The timer after which a widget has accepted a choice, and the timestamp of the last click.
        self._timer: JSObject = None
        self._clicked: float = -FOLLOW_MS

    def start(self) -> None:
        """Register the listeners."""
        listen("pointerdown", self._press)
        listen("pointermove", self._move)
        listen("pointerup", self._release)
        listen("pointercancel", self._forget)
        listen("touchstart touchend", self._await_handlers)
        listen("click auxclick", self._click)
        listen("keydown", self._press_key)
        listen("submit", self._submit)
        listen("pagehide", self.resolve)

    def _begin_gesture(self, event: JSObject, key: str) -> None:
        """Begin a gesture; what it may activate is read if the shopper makes it, not a script."""
        self.resolve()
        self._choices.begin(event, key)
        cancel(self._timer)
        self._is_drag = False
        self._other_submitter = None
        self._labelled = None
        if get(event, "isTrusted"):
            self._is_open = True
            self._acts.begin_gesture()
            target = target_of(event)
            control = closest(target, CONTROL)
            # A busy one may become ready for its click, when the press moves the focus to it.
            if control and not find_busy(target):
                self._action = self._actions.read(control)

    def _press(self, event: JSObject) -> None:
        self._begin_gesture(event, "")
        self._x = get(event, "clientX")
        self._y = get(event, "clientY")
        if get(event, "button") == 0:
            self._choices.add([target_of(event)])
        else:
            self._forget()

    def _move(self, event: JSObject) -> None:
        across = get(event, "clientX") - self._x
        down = get(event, "clientY") - self._y
        if get(event, "buttons") and across * across + down * down > MAX_TRAVEL * MAX_TRAVEL:
            # A drag or a swipe, which chooses nothing, although the slide may go off the screen.
            self._forget()
            self._is_open = False
            # Browsers tell taps from swipes themselves.
            self._is_drag = get(event, "pointerType") != "touch"

    def _release(self, *_: JSObject) -> None:
        self._choices.mark()
        self._resolve_soon()

    def _forget(self, *_: JSObject) -> None:
        """Forget what the gesture may activate."""
        self._choices.forget()
        self._action = None

    def _await_handlers(self, event: JSObject) -> None:
        # The page's are called after the tracker's.
        wait(0, self._perform_prevented, event)

    def _perform_prevented(self, event: JSObject) -> None:
        """Perform a pressed control's action if the page acts on a touch or key itself.

        Then it prevents the click that would follow.
        """
        # Many pages prevent the second tap of a double tap, which does nothing then.
        is_first = get(event, "timeStamp") - self._clicked > FOLLOW_MS
        action = self._action
        if action and is_first and get(event, "defaultPrevented"):
            self._actions.perform(action)

    def _click(self, event: JSObject) -> None:
        target = target_of(event)
        # Before the page marks it as busy, in a handler of its own.
        self._other_submitter = closest(target, OTHER_SUBMITTER) or find_busy(target)
        # The middle button (1) opens links, too; the right one (2) opens a menu.
        allowed = 1 if closest(target, "[*|href]") else 0
        if get(event, "button") > allowed or self._is_drag:
            self._is_drag = False
            return
        if get(event, "detail") > 1:
            # The second click of a double click.
            self._acts.undo_gesture()
            return
        time = get(event, "timeStamp")
        if get(event, "isTrusted") and not self._is_open and time - self._clicked > FOLLOW_MS:
            # Assistive technology clicks without a press.
            self._acts.begin_gesture()
        self._is_open = False
        self._clicked = time
        pressed = self._action.control if self._action else target
        if is_connected(target) and is_connected(pressed):
            self._activate(target)
            self._action = None
        else:
            # The page has already removed the element in a handler of its own. In Firefox, the
            # click is then on what was around it.
            self.resolve(event)

    def _press_key(self, event: JSObject) -> None:
        # Keys that an input method handles: https://w3c.github.io/uievents/#event-keydown
        if get(event, "isComposing") or get(event, "keyCode") == 229 or get(event, "repeat"):
            return
        key = get(event, "key")
        self._begin_gesture(event, key)
        self._resolve_soon()
        target = target_of(event)
        if key in (ENTER, " "):
            self._await_handlers(event)
        if key in ("Tab", ENTER) or (key == " " and matches(target, SPACED)):
            self._choose(target, key)

    def _choose(self, target: JSObject, key: str) -> None:
        """Activate what a key chooses; by Tab, once the widget has accepted it."""
        active = self._find_active(target, key)[:1]
        if key == "Tab":
            self._choices.add(active)
            self._choices.mark()
        else:
            for element in active:
                self._activate(element)

    def _find_active(self, target: JSObject, key: str) -> list[JSObject]:
        """Return the visible elements that a key on ``target`` may activate, the likeliest first.

        If it is not known which, a widget may accept one of those that are offered.
        """
        is_box = self._search_box.is_current(target)
        # It may be on the combobox around the search box.
        holder = (closest(target, "[" + ACTIVE + "]") if is_box else None) or target
        # A single id, but some widgets' ids contain spaces.
        marked = list(find_by_ids(target, [attribute(holder, ACTIVE) or ""]))
        active = active_descendant_of(target)
        if active:
            marked.append(active)
        if len(marked) > 0:
            shown = [item_in(element) for element in marked if is_shown(element)]
            # A hidden option may describe a row without a role to assistive technology.
            return shown if len(shown) > 0 else self._choices.find_shown(text_of_markup(marked[0]))
        # Without an active descendant, a widget fills in the text of the active row: on Enter, or
        # before. It may have moved the focus into its list.
        if key == ENTER:
            self._add_offered(target, is_box)
        if is_box:
            return self._choices.find_shown(self._search_box.filled_in())
        return [] if matches(target, NATIVE) else [target]

    def _add_offered(self, target: JSObject, is_box: bool) -> None:
        """Remember what a widget may accept on Enter, above all the option that it has selected."""
        if is_box:
            self._choices.add(selected_options(target))
            self._choices.mark()
        offered = find_everywhere(SUGGESTION_SELECTOR)
        self._choices.add([element for element in offered if is_shown(element)])

    def _submit(self, event: JSObject) -> None:
        form = target_of(event)
        if matches(form, "[" + ACTION + "]") and not self._other_submitter:
            self._actions.perform(self._actions.read(form))

    def _activate(self, element: JSObject) -> None:
        control = closest(element, "[" + ACTION + "]")
        item = self._choices.find_item(element)
        delegate = closest(element, DELEGATES)
        other = delegate and (get(delegate, "control") or get(delegate, "form"))
        if control:
            self._labelled = other
            # A label's control is switched by a click of its own, which follows.
            is_effective = not other or same(other, element) or not matches(other, UNAFFECTED)
            if is_effective and not matches(control, "form") and not matches(element, SWITCHED_OFF):
                action = self._action
                if action and same(control, action.control):
                    self._actions.perform(action)
                elif not find_busy(element):
                    self._actions.perform(self._actions.read(control))
        elif item and not same(element, self._labelled) and not closest(other, "[" + ACTION + "]"):
            fields = self._choices.context_of(item)
            self._choices.forget()
            self._emit(ACTIVATED[item.kind], item, fields)

    def _resolve_soon(self) -> None:
        """Resolve the gesture when a widget has had the time to accept a choice."""
        self._timer = wait(ACCEPT_MS, self.resolve)

    def resolve(self, end: JSObject = None) -> None:
        """Emit what the gesture has activated without a click.

        These are the choices that a widget has accepted, and the action of a control, if the page
        has acted on its press. ``end`` is the event that removed the element or unloaded the page,
        if any.
        """
        action = self._action
        choices = self._choices.pop_accepted(end is not None)
        self._action = None
        if action and has_responded(action):
            self._actions.perform(action)
        for choice in choices:
            self._emit(ACTIVATED[choice.item.kind], choice.item, choice.fields)
