"""The page's own functions: ``before`` an event goes out, and ``on`` what becomes of it."""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.types import Event, JSFunction, JSObject, Say

LISTENED = ("event", "suppressed", "delivered", "error")
# Sentences in the life of a page: enough for every mistake of a template, too few to be a nuisance.
MAX_SENTENCES = 50


class Listener:
    """A function of the page, and the name of LISTENED that it is called at."""

    def __init__(self, name: str, handler: JSFunction) -> None:
        self.name = name
        self.handler = handler


class Hooks:
    """Calls the page's functions, each with a copy of its own.

    ``to_browser(value)`` gives a browser object, ``from_browser(object)`` the value back (None
    when it is no object), ``invoke(handler, otherwise, argument)`` is a guarded call, and
    ``warn(sentence)`` prints on the console.
    """

    def __init__(
        self,
        to_browser: Callable[[Any], JSObject],
        from_browser: Callable[[JSObject], Any],
        invoke: Callable[..., Any],
        warn: Say,
    ) -> None:
        self._to_browser = to_browser
        self._from_browser = from_browser
        self._invoke = invoke
        self._warn = warn
        self._before: list[JSFunction] = []
        self._listeners: list[Listener] = []
        self._said: list[str] = []

    def before(self, handler: JSFunction, *_: Any) -> None:
        """Have ``handler(event)`` return the event to send, changed or not, or null to drop it."""
        self._before.append(handler)

    def on(self, name: str, handler: JSFunction) -> None:
        """Have ``handler(detail)`` called at each ``name`` of LISTENED."""
        self._listeners.append(Listener(name, handler))

    def change(self, event: Event) -> Event | None:
        """Return the event as the ``before`` functions leave it; None when one drops it.

        One that throws leaves it as it was.
        """
        for handler in self._before:
            event = self._from_browser(
                self._invoke(handler, self._to_browser(event), self._to_browser(event))
            )
            if event is None:
                break
        return event

    def emit(self, name: str, detail: Any) -> None:
        """Tell the listeners of ``name``."""
        for listener in self._listeners:
            if listener.name == name:
                self._invoke(listener.handler, None, self._to_browser(detail))

    def say(self, sentence: str) -> None:
        """Tell of a mistake, or of something that was caught: once, on the console and as error."""
        if sentence not in self._said and len(self._said) < MAX_SENTENCES:
            self._said.append(sentence)
            self._warn(sentence)
            self.emit("error", {"message": sentence})
