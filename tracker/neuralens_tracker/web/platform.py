"""The browser's clock, randomness, timers, privacy signal and addresses."""

from collections.abc import Callable

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.ffi import attempt, call, callback, construct, elements, get, window


def now() -> float:
    """Return the Unix time in seconds."""
    return call(get(window, "Date"), "now") / 1000


def random() -> float:
    """Return a random number in [0, 1)."""
    # Not by Math.random, which some pages seed: all their shoppers would have the same ids.
    numbers = attempt(get(window, "crypto"), "getRandomValues", construct("Uint32Array", 1))
    number: float = elements(numbers)[0] / 2**32 if numbers else call(get(window, "Math"), "random")
    return number


def page_origin() -> str:
    """Return the origin of the page."""
    origin: str = get(get(window, "location"), "origin")
    # A frame's about:srcdoc has the origin of its page.
    return get(window, "origin") if origin == "null" else origin


def resolve_address(address: str) -> str:
    """Return an absolute address for a path of the page's host; any other address as it is.

    The document's base may be on another host, and ``URL`` is a variable of some pages.
    """
    is_path = address.startswith("/") and not address.startswith("//")
    return page_origin() + address if is_path else address


def is_foreign(address: str) -> bool:
    """Return whether an absolute address, or a path, is of another origin than the page.

    Pages cannot read the cookies of such a host, nor the status of a beacon to it:
    https://fetch.spec.whatwg.org/#concept-filtered-response-opaque
    """
    return not resolve_address(address).startswith(page_origin() + "/")


def has_keepalive() -> bool:
    """Return whether a fetch can outlive its page, as it cannot in Firefox before 133."""
    prototype = get(get(window, "Request"), "prototype")
    return attempt(get(window, "Reflect"), "has", prototype, "keepalive") is True


def wait(milliseconds: float, handler: Callable[..., None], *values: JSObject) -> JSObject:
    """Call ``handler(*values)`` once after a delay; return a timer for ``cancel``."""
    return call(window, "setTimeout", callback(handler), milliseconds, *values)


def cancel(timer: JSObject) -> None:
    """Cancel a timer, if it is not None."""
    call(window, "clearTimeout", timer)


def has_privacy_signal() -> JSObject:
    """Return a truthy value if the browser sends Global Privacy Control.

    Source: https://w3c.github.io/gpc/, "navigator.globalPrivacyControl".
    """
    return get(get(window, "navigator"), "globalPrivacyControl")
