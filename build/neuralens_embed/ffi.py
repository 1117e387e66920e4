"""CPython's adapter for the tracker's ``web.ffi``, over a static page.

Importing it installs it as ``neuralens_tracker.web.ffi``, so it must be imported before the
tracker's modules. There is one ``window`` per process, as in a browser. The functions are
documented in ``neuralens_tracker/web/ffi.pyi``.
"""

import json
import sys
from collections.abc import Callable
from types import SimpleNamespace

from neuralens_tracker.types import JSFunction, JSObject

from neuralens_embed.dom import Window

window = Window()
reports: list[Callable[[str], None]] = []


def get(target: JSObject, name: str) -> JSObject:
    """Return an attribute, or None."""
    return getattr(target, name, None)


def put(target: JSObject, name: str, value: object) -> None:
    """Set an attribute."""
    setattr(target, name, value)


def call(target: JSObject, name: str, *values: object) -> JSObject:
    """Call a method."""
    return getattr(target, name)(*values)


def attempt(target: JSObject, name: str, *values: object) -> JSObject:
    """Call a method that may raise."""
    return None if target is None else invoke(getattr(target, name), None, *values)


def method(owner: str, name: str) -> Callable[..., JSObject]:
    """Return a function that calls a method of its first argument."""
    return lambda target, *values: call(target, name, *values)


def reader(owner: str, name: str) -> Callable[[JSObject], JSObject]:
    """Return a function that reads an attribute of its argument."""
    return lambda target: get(target, name)


def construct(name: str, *values: object) -> JSObject:
    """Construct an instance of a class of the window."""
    return getattr(window, name)(*values)


def callback(handler: Callable[..., JSObject]) -> JSFunction:
    """Return a function that calls handler, guarded."""
    return lambda *values: invoke(handler, None, *values)


def invoke(handler: JSFunction, otherwise: object, *values: object) -> JSObject:
    """Call a function; if it raises, report that and return ``otherwise``."""
    try:
        return handler(*values)
    except Exception as error:
        for report in reports:
            report(describe(error))
        return otherwise


def record(fields: dict[str, JSObject]) -> JSObject:
    """Return an object with the fields as attributes."""
    return SimpleNamespace(**fields)


def same(target: JSObject, other: JSObject) -> bool:
    """Return whether both are the same object."""
    return target is other


def elements(list_like: JSObject) -> list[JSObject]:
    """Return the members of a list."""
    return list(list_like)


def parse(text: str) -> object:
    """Decode JSON; None if it is invalid."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def dump(value: object) -> str:
    """Serialize a value to JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def intercept(target: JSObject, name: str, notice: Callable[..., None]) -> None:
    """Notice nothing: a parsed page runs no script that would call the method."""


def stringify(thing: JSObject) -> str | None:
    """Return the JSON text of an object's fields; None, and a report, where that fails."""
    text: str | None = invoke(lambda: dump(vars(thing)), None)
    return text


def describe(error: Exception) -> str:
    """Say what was raised."""
    return f"{type(error).__name__}: {error}"


def on_caught(report: Callable[[str], None]) -> None:
    """Have what the guards catch reported."""
    reports[:] = [report]


sys.modules["neuralens_tracker.web.ffi"] = sys.modules[__name__]
