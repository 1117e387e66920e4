"""The page's own functions: ``before`` an event goes out, and ``on`` what becomes of it."""

from typing import Any

LISTENED = ("event", "suppressed", "delivered", "error")


class Hooks:
    """Calls the page's functions, each with a copy of its own.

    ``to_browser(value)`` gives a browser object, ``from_browser(object)`` the value back (None
    when it is no object), ``invoke(handler, otherwise, argument)`` is a guarded call.
    """

    def __init__(self, to_browser: Any, from_browser: Any, invoke: Any) -> None:
        self._to_browser = to_browser
        self._from_browser = from_browser
        self._invoke = invoke
        self._before: list[Any] = []
        self._listeners: list[Any] = []

    def before(self, handler: Any, *_: Any) -> None:
        """Have ``handler(event)`` return the event to send, changed or not, or null to drop it."""
        self._before.append(handler)

    def on(self, name: str, handler: Any) -> None:
        """Have ``handler(detail)`` called at each ``name`` of LISTENED."""
        self._listeners.append([name, handler])

    def change(self, event: dict[str, Any]) -> Any:
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
            if listener[0] == name:
                self._invoke(listener[1], None, self._to_browser(detail))
