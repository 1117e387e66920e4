"""The adapter for the bundle compiled to JavaScript: browser objects are the values themselves.

What is not here, such as ``get`` and ``call``, the compiler writes as what it stands for.
"""

from typing import Any

window: Any = globalThis  # type: ignore[name-defined]  # noqa: F821  (a name of the browser)
# Until ``on_caught`` says otherwise, a guard speaks to the console itself.
state: dict[str, Any] = {"report": console.warn}  # type: ignore[name-defined]  # noqa: F821


def on_caught(report: Any) -> None:
    state["report"] = report


def caught(error: Any) -> None:
    state["report"](str(error))


def attempt(target: Any, name: str, *values: Any) -> Any:
    try:
        return None if target is None else target[name](*values)
    except Exception as error:
        caught(error)
        return None


def invoke(handler: Any, otherwise: Any, *values: Any) -> Any:
    try:
        return handler(*values)
    except Exception as error:
        caught(error)
        return otherwise


def callback(handler: Any) -> Any:
    def guarded(*values: Any) -> Any:
        return invoke(handler, None, *values)

    return guarded


def parse(text: str | None) -> Any:
    return attempt(JSON, "parse", text)  # type: ignore[name-defined]  # noqa: F821


def dump(value: Any) -> str:
    return JSON.stringify(value)  # type: ignore[name-defined]  # noqa: F821
