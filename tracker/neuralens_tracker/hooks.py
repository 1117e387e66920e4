"""Runs the page's hooks: ``before`` an event is sent, and ``on`` its outcome."""

from collections.abc import Callable

from neuralens_tracker.types import Event, JSFunction, JSObject, Json, Report

LISTENED = ("event", "suppressed", "delivered", "error")
# An event waits for consent; for the overlay only.
HELD = "held"
# Messages per page load: enough for every mistake in a template, too few to flood the console.
MAX_MESSAGES = 50


class Listener:
    """A function of the page, and which name of LISTENED it is registered for."""

    def __init__(self, name: str, handler: JSFunction) -> None:
        self.name = name
        self.handler = handler


class Hooks:
    """Calls the page's functions, each with its own copy of the data.

    ``to_browser(value)`` and ``from_browser(object)`` convert to and from a browser object (None
    for anything but an object), ``invoke(handler, fallback, argument)`` calls a function and
    catches what it throws, and ``warn(message)`` prints to the console.
    """

    def __init__(
        self,
        to_browser: Callable[[Json], JSObject],
        from_browser: Callable[[JSObject], JSObject],
        invoke: Callable[..., JSObject],
        warn: Report,
    ) -> None:
        self._to_browser = to_browser
        self._from_browser = from_browser
        self._invoke = invoke
        self._warn = warn
        self._before: list[JSFunction] = []
        self._listeners: list[Listener] = []
        self._reported: list[str] = []

    def before(self, handler: JSFunction, *_: JSObject) -> None:
        """Register ``handler(event)``, which returns the event to send, or null to drop it."""
        self._before.append(handler)

    def on(self, name: str, handler: JSFunction) -> None:
        """Register ``handler(detail)`` for a name of LISTENED."""
        self._listeners.append(Listener(name, handler))

    def change(self, event: Event) -> Event | None:
        """Run the ``before`` hooks; return the resulting event, or None if one dropped it.

        A hook that throws leaves the event unchanged.
        """
        for handler in self._before:
            event = self._from_browser(
                self._invoke(handler, self._to_browser(event), self._to_browser(event))
            )
            if event is None:
                break
        return event

    def emit(self, name: str, detail: Json) -> None:
        """Call the listeners of ``name``."""
        for listener in self._listeners:
            if listener.name == name:
                self._invoke(listener.handler, None, self._to_browser(detail))

    def report(self, message: str) -> None:
        """Report a problem to the console and the ``error`` listeners; repeats are dropped."""
        if message not in self._reported and len(self._reported) < MAX_MESSAGES:
            self._reported.append(message)
            self._warn(message)
            self.emit("error", {"message": message})
