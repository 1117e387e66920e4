"""What the browser lends: clock, randomness, timers, and the shopper's privacy signal."""

from collections.abc import Callable

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.ffi import call, callback, get, window


def now() -> float:
    """Return the Unix time in seconds."""
    return call(get(window, "Date"), "now") / 1000


def random() -> float:
    """Return a random number from 0 below 1."""
    return call(get(window, "Math"), "random")


def wait(milliseconds: float, handler: Callable[..., None]) -> JSObject:
    """Call handler once, later; return what ``cancel`` takes."""
    return call(window, "setTimeout", callback(handler), milliseconds)


def cancel(timer: JSObject) -> None:
    """Stop a timer; None is no timer."""
    call(window, "clearTimeout", timer)


def has_privacy_signal() -> JSObject:
    """Tell, by a true value, whether the browser sends Global Privacy Control.

    Source: https://w3c.github.io/gpc/, "navigator.globalPrivacyControl".
    """
    return get(get(window, "navigator"), "globalPrivacyControl")
