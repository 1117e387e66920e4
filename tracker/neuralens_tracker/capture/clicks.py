"""Clicks, keys and submits on products, suggestions and their controls."""

from neuralens_tracker.attributes import ACTION, IGNORE
from neuralens_tracker.capture.items import ACTIVATED, Items
from neuralens_tracker.types import Emit, JSObject
from neuralens_tracker.vocabulary import ACTIONS
from neuralens_tracker.web.dom import attribute, closest, find_id, listen
from neuralens_tracker.web.ffi import call, elements, get, same

# Where the browser itself turns Enter and Space into a click.
NATIVE = "a[href],button,input,select,textarea,summary"
# Milliseconds in which a click on what a key has activated is the widget's echo of that key.
ECHO_MS = 500


class Clicks:
    """Listens for the whole document; ``emit(event, item, None)`` is called for each activation."""

    def __init__(self, items: Items, emit: Emit) -> None:
        self._items = items
        self._emit = emit
        # The last activation: what it was on, its innermost element if it was a click, and until
        # when a click may repeat it.
        self._last_owner: JSObject = None
        self._last_target: JSObject = None
        self._patience = 0.0

    def start(self) -> None:
        """Listen from now on."""
        listen("click", self._click)
        listen("auxclick", self._click)
        listen("keydown", self._press)
        listen("submit", self._submit)

    def _click(self, event: JSObject) -> None:
        # Of the other buttons, the middle one opens a link; the right one opens a menu.
        if get(event, "button") < 2:
            self._activate(elements(call(event, "composedPath"))[0], event)

    def _press(self, event: JSObject) -> None:
        target = get(event, "target")
        if get(event, "key") != "Enter" or get(event, "repeat"):
            return
        active = attribute(target, "aria-activedescendant")
        if active:
            target = find_id(active)
        elif call(target, "closest", NATIVE):
            return
        if target:
            self._activate(target, event)

    def _submit(self, event: JSObject) -> None:
        form = get(event, "target")
        if attribute(form, ACTION) is not None and not closest(form, IGNORE):
            self._act(form)

    def _activate(self, element: JSObject, event: JSObject) -> None:
        if closest(element, IGNORE):
            return
        control = closest(element, ACTION)
        item = self._items.item_at(element)
        if control:
            if get(control, "tagName") != "FORM" and not self._is_echo(control, event):
                self._act(control)
        elif not item:
            # A shadow tree ends here; its host may stand in a product, or be a control.
            host = get(call(element, "getRootNode"), "host")
            if host:
                self._activate(host, event)
        elif item.kind in list(ACTIVATED.keys()) and not self._is_echo(item.element, event):
            self._emit(ACTIVATED[item.kind], item, None)

    def _is_echo(self, owner: JSObject, event: JSObject) -> bool:
        """Tell whether a click repeats the last activation.

        A widget may click what a key has activated, and a label clicks its control at once.
        """
        time = get(event, "timeStamp")
        is_click = get(event, "type") != "keydown"
        target = elements(call(event, "composedPath"))[0]
        is_soon = is_click and time <= self._patience
        echo = is_soon and same(owner, self._last_owner) and not same(target, self._last_target)
        self._last_owner = owner
        self._last_target = target if is_click else None
        self._patience = time if is_click else time + ECHO_MS
        return echo

    def _act(self, control: JSObject) -> None:
        item = self._items.read_subject(control)
        if item:
            self._emit(ACTIONS[attribute(control, ACTION)], item, None)
