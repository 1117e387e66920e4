"""The adapter for Brython: re-exports the guard, a JavaScript module in the bundle.

Brython's own DOM bridge wraps each object, leaves marks on the page's functions and elements, and
makes up a third of its runtime; the guard passes objects through unchanged.
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
