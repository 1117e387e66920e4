"""What every runtime adapter provides: the one seam between the tracker and a browser.

An adapter is ``ffi_<runtime>.py`` in this folder; a bundle holds one of them under the name
``neuralens_tracker.web.ffi``. Browser objects pass through as opaque values. Text, numbers, bools
and None cross as themselves, JSON as text. ``null`` and ``undefined`` are both None on this side.

Only ``attempt`` and ``invoke`` promise not to raise where the browser throws; what they and a
``callback`` catch goes to the function given to ``on_caught``. On engines that cannot catch what
JavaScript throws, ``get``, ``call`` and ``construct`` must be guarded just as ``attempt`` is.
"""

from collections.abc import Callable
from typing import Any

from neuralens_tracker.types import JSFunction, JSObject

window: JSObject

def get(target: JSObject, name: str) -> Any:
    """Return the property ``name`` of a browser object; None when there is none."""

def put(target: JSObject, name: str, value: Any) -> None:
    """Set the property ``name`` of a browser object."""

def call(target: JSObject, name: str, *values: Any) -> Any:
    """Call the method ``name`` of a browser object and return what it returns."""

def attempt(target: JSObject, name: str, *values: Any) -> Any:
    """Call a method that may throw in a sound program too; None and a report when it does.

    None, and no report, when the target is None.
    """

def method(owner: str, name: str) -> Callable[..., Any]:
    """Return ``window[owner].prototype[name]`` as a function of its object and its arguments.

    It is taken now: what a page puts into its place later, and a form field of that name, do not
    matter. Guarded as ``call`` is.
    """

def reader(owner: str, name: str) -> Callable[[Any], Any]:
    """Return a function that reads the property ``name`` of ``window[owner].prototype``.

    As ``method``, for a property with a getter; where there is no such one, it returns None.
    """

def intercept(target: Any, name: str, notice: Callable[..., None]) -> None:
    """Have ``notice(result, *values)`` called after each call of a method of target.

    For the page the method is what it was: same results, same exceptions.
    """

def construct(name: str, *values: Any) -> JSObject:
    """Construct ``window[name]`` with the arguments."""

def callback(handler: Callable[..., Any]) -> JSFunction:
    """Return a browser function that calls ``handler`` with its arguments, guarded."""

def invoke(handler: JSFunction, otherwise: Any, *values: Any) -> Any:
    """Call a browser function and return what it returns; ``otherwise`` when it throws."""

def record(fields: dict[str, JSObject]) -> JSObject:
    """Return a plain browser object with the given fields (browser values, text, bools, lists)."""

def same(target: JSObject, other: JSObject) -> bool:
    """Return whether both are one browser object: a bridge may have several stand for it."""

def elements(list_like: JSObject) -> list[JSObject]:
    """Return the members of a NodeList or an array as a list, to be read and not changed."""

def parse(text: str | None) -> Any:
    """Return the value of a JSON text as str, float, bool, None, list and dict.

    None if it is broken, or is None.
    """

def dump(value: Any) -> str:
    """Return the JSON text of str, number, bool, None, list and dict, whatever ``toJSON`` says."""

def stringify(thing: Any) -> Any:
    """Return the JSON text of a browser object's own fields, whatever ``toJSON`` says.

    None, and a report, where one of them throws, or holds itself.
    """

def describe(error: Exception) -> str:
    """Say in one sentence what was raised, and in which file and line; for a page's own Python."""

def on_caught(report: Callable[[str], None]) -> None:
    """Have ``report`` called with the message of whatever the guards catch."""
