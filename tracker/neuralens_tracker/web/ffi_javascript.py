"""The adapter for the bundle compiled to JavaScript, in which browser objects need no wrapping.

Other functions of the adapter, such as ``get`` and ``call``, are inlined by the compiler.
"""

from collections.abc import Callable

from neuralens_tracker.types import JSFunction, JSObject

window: JSObject = globalThis  # type: ignore[name-defined]  # noqa: F821  (a name of the browser)
# Captured, because the page may replace it.
serialize: JSFunction = JSON.stringify  # type: ignore[name-defined]  # noqa: F821
# Reports what is caught; None: on the console.
report: Callable[[str], None] | None = None


def on_caught(handler: Callable[[str], None] | None) -> None:
    global report
    report = handler


def caught(error: Exception) -> None:
    (report or console.warn)(str(error))  # type: ignore[name-defined]  # noqa: F821


def attempt(target: JSObject, name: str, *values: object) -> JSObject:
    try:
        return None if target is None else target[name](*values)
    except Exception as error:
        caught(error)
        return None


def invoke(handler: JSFunction, otherwise: object, *values: object) -> JSObject:
    try:
        return handler(*values)
    except Exception as error:
        caught(error)
        return otherwise


def callback(handler: Callable[..., JSObject]) -> JSFunction:
    # Not by ``invoke``, which small bundles then leave out.
    def guarded(*values: object) -> JSObject:
        try:
            return handler(*values)
        except Exception as error:
            caught(error)
            return None

    return guarded


def nothing(*_: object) -> None:
    """Do nothing, in place of what the browser does not have."""


def parse(text: str | None) -> object:
    return attempt(JSON, "parse", text)  # type: ignore[name-defined]  # noqa: F821


def uncurry(found: JSFunction) -> JSFunction:
    """Return a method as a function of its object and its arguments; None remains None.

    Its parts are looked up once, before the page can replace them, and a call needs no array of the
    arguments, unlike one by Reflect.apply.
    """
    return found and found["call"]["bind"](found)


def method(owner: str, name: str) -> JSFunction:
    return uncurry(window[owner]["prototype"][name])


def reader(owner: str, name: str) -> JSFunction:
    found = Object.getOwnPropertyDescriptor(window[owner]["prototype"], name)  # type: ignore[name-defined]  # noqa: F821
    return uncurry(found["get"]) if found else nothing


def intercept(target: JSObject, name: str, notice: Callable[..., None]) -> None:
    noticed = callback(notice)
    original = uncurry(target[name])

    def run(_: JSObject, owner: JSObject, values: JSObject) -> JSObject:
        result = original(owner, *values)
        noticed(result, *values)
        return result

    target[name] = Reflect.construct(Proxy, [target[name], {"apply": run}])  # type: ignore[name-defined]  # noqa: F821


def dump(value: object) -> str:
    if isinstance(value, list):
        return "[" + ",".join([dump(each) for each in value]) + "]"
    if isinstance(value, dict):
        fields = [dump(name) + ":" + dump(value[name]) for name in value.keys()]
        return "{" + ",".join(fields) + "}"
    return serialize(value) or "null"


def stringify(thing: JSObject) -> str | None:
    return invoke(dump, None, thing)
