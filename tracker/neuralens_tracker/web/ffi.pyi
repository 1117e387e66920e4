"""The foreign function interface between the tracker and a browser, which each adapter implements.

An adapter is ``ffi_<runtime>.py`` in this folder; a bundle contains one of them as
``neuralens_tracker.web.ffi``. Browser objects are opaque values. Text, numbers, bools and None are
passed as they are, JSON as text. Both ``null`` and ``undefined`` are None in Python.

Only ``attempt`` and ``invoke`` guarantee not to raise if the browser throws; what they and a
``callback`` catch is passed to the function set by ``on_caught``. On engines that cannot catch
JavaScript exceptions, ``get``, ``call`` and ``construct`` must be guarded like ``attempt``.
"""

from collections.abc import Callable, Mapping

from neuralens_tracker.types import JSFunction, JSObject

window: JSObject

def get(target: JSObject, name: str) -> JSObject:
    """Return the property ``name`` of a browser object, or None."""

def put(target: JSObject, name: str, value: object) -> None:
    """Set the property ``name`` of a browser object."""

def call(target: JSObject, name: str, *values: object) -> JSObject:
    """Call the method ``name`` of a browser object and return what it returns."""

def attempt(target: JSObject, name: str, *values: object) -> JSObject:
    """Call a method that may throw; if it does, report that and return None.

    If the target is None, return None without a report.
    """

def method(owner: str, name: str) -> Callable[..., JSObject]:
    """Return ``window[owner].prototype[name]`` as a function of the object and the arguments.

    The method is captured now, so that later patches and DOM clobbering have no effect. Guarded
    like ``call``.
    """

def reader(owner: str, name: str) -> Callable[[JSObject], JSObject]:
    """Return the getter of ``window[owner].prototype[name]`` as a function of the object.

    Captured like ``method``. Without such a getter the function returns None.
    """

def intercept(target: JSObject, name: str, notice: Callable[..., None]) -> None:
    """Call ``notice(result, *values)`` after each call of a method of target.

    The method's results and exceptions are unchanged.
    """

def construct(name: str, *values: object) -> JSObject:
    """Construct ``window[name]`` with the arguments."""

def callback(handler: Callable[..., JSObject]) -> JSFunction:
    """Return a browser function that calls ``handler`` with its arguments, guarded."""

def invoke(handler: JSFunction, otherwise: object, *values: object) -> JSObject:
    """Call a browser function; if it throws, report that and return ``otherwise``."""

def record(fields: Mapping[str, JSObject]) -> JSObject:
    """Return a plain browser object with the given fields (browser values, text, bools, lists)."""

def same(target: JSObject, other: JSObject) -> bool:
    """Return whether both are the same browser object, which may have several proxies."""

def elements(list_like: JSObject) -> list[JSObject]:
    """Return the members of a NodeList or an array as a list, which must not be modified."""

def parse(text: str | None) -> object:
    """Decode JSON to str, float, bool, None, list and dict.

    Returns None if the text is invalid or None.
    """

def dump(value: object) -> str:
    """Serialize str, number, bool, None, list and dict to JSON, ignoring ``toJSON``."""

def stringify(thing: JSObject) -> str | None:
    """Serialize a browser object's own fields to JSON, ignoring ``toJSON``.

    If a field throws or is circular, report that and return None.
    """

def describe(error: Exception) -> str:
    """Describe an exception with file and line in one sentence, for a page's own Python."""

def on_caught(report: Callable[[str], None] | None) -> None:
    """Set the function that is called with the message of each caught exception."""
