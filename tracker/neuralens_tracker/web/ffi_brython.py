"""The adapter for Brython: the guard, which the bundle gives it as a module written in JavaScript.

Brython's own way to browser objects wraps each of them, leaves marks on the page's functions and
elements, and takes a third of its runtime with it; the guard passes them through as they are.
"""

from neuralens_guard import (  # type: ignore[import-not-found]
    attempt,
    call,
    callback,
    construct,
    describe,
    dump,
    elements,
    get,
    intercept,
    invoke,
    method,
    on_caught,
    parse,
    put,
    reader,
    record,
    same,
    stringify,
    window,
)

__all__ = (
    "attempt",
    "call",
    "callback",
    "construct",
    "describe",
    "dump",
    "elements",
    "get",
    "intercept",
    "invoke",
    "method",
    "on_caught",
    "parse",
    "put",
    "reader",
    "record",
    "same",
    "stringify",
    "window",
)
