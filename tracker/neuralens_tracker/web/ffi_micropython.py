"""The adapter for MicroPython, with or without PyScript.

MicroPython cannot catch JavaScript exceptions, so every call goes through the guard, a JavaScript
module.
"""

import io
import json
import sys
from collections.abc import Callable

from neuralens_tracker.types import JSFunction, JSObject

try:
    import neuralens_guard as guard  # type: ignore[import-not-found]
except ImportError:
    # The page uses its own PyScript, with the guard in its configuration.
    from pyscript.js_modules import (  # type: ignore[import-not-found]
        neuralens_guard as guard,
    )

window: JSObject = guard.window
on_caught = guard.on_caught
same = guard.same

# Integers cross the bridge as 32 bits: larger ones are sent as floats and received as text.
LOWEST = -0x80000000
HIGHEST = 0x7FFFFFFF


def sent(value: object) -> JSObject:
    if isinstance(value, int) and not LOWEST <= value <= HIGHEST:
        return float(value)
    return value


def received(value: object) -> JSObject:
    return float(guard.text()) if value is guard.mark else value


def get(target: JSObject, name: str) -> JSObject:
    return received(guard.get(target, name))


def put(target: JSObject, name: str, value: object) -> None:
    guard.put(target, name, sent(value))


def call(target: JSObject, name: str, *values: object) -> JSObject:
    return received(guard.call(target, name, *[sent(value) for value in values]))


def attempt(target: JSObject, name: str, *values: object) -> JSObject:
    return received(guard.attempt(target, name, *[sent(value) for value in values]))


def method(owner: str, name: str) -> JSFunction:
    found = guard.method(owner, name)
    if found is None:
        return None

    def run(target: JSObject, *values: object) -> JSObject:
        return received(found(target, *[sent(value) for value in values]))

    return run


def reader(owner: str, name: str) -> JSFunction:
    found = guard.reader(owner, name)

    def read(target: JSObject) -> JSObject:
        return received(found(target))

    return read


def intercept(target: JSObject, name: str, notice: Callable[..., None]) -> None:
    guard.intercept(target, name, callback(notice))


def stringify(thing: JSObject) -> str | None:
    return received(guard.stringify(thing))


def construct(name: str, *values: object) -> JSObject:
    return guard.construct(name, *[sent(value) for value in values])


def callback(handler: Callable[..., JSObject]) -> JSFunction:
    def passed(*values: object) -> None:
        guard.give(sent(handler(*[received(value) for value in values])))

    return guard.callback(passed)


def invoke(handler: JSFunction, otherwise: object, *values: object) -> JSObject:
    return received(guard.invoke(handler, otherwise, *[sent(value) for value in values]))


def describe(error: Exception) -> str:
    trace = io.StringIO()
    sys.print_exception(error, trace)  # type: ignore[attr-defined]
    return guard.summarize(trace.getvalue())


def record(fields: dict[str, JSObject]) -> JSObject:
    made = guard.object()
    for name, value in fields.items():
        if isinstance(value, list):
            listed = guard.array(None)
            for item in value:
                guard.call(listed, "push", sent(item))
            value = listed
        guard.put(made, name, sent(value))
    return made


def elements(list_like: JSObject) -> list[JSObject]:
    listed = guard.array(list_like)
    return [] if listed is None else [received(listed[i]) for i in range(listed.length)]


def parse(text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None


def dump(value: object) -> str:
    return json.dumps(value)
