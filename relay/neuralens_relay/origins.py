"""Decides from Origin and Host which pages may send events."""

from collections.abc import Collection

from neuralens_relay.settings import ANY_ORIGIN, DEFAULT_PORTS, NO_ORIGIN, variable


def is_allowed(origin: str | None, host: str, allowed: Collection[str]) -> bool:
    """Return whether an origin is that of the request's own host, or listed in the settings.

    The scheme of the own host is not compared, because a proxy that terminates TLS hides it. "null"
    is never allowed: it is the origin of sandboxed pages of any site.
    """
    if origin is None or origin == NO_ORIGIN:
        return False
    if origin in allowed:
        return True
    scheme, _, authority = origin.partition("://")
    # Browsers send it in lower case, but a proxy sends what its configuration says.
    host = host.lower()
    own = (host, host.removesuffix(f":{DEFAULT_PORTS.get(scheme)}"))
    return authority != "" and authority in own


def explain_refusal(origin: str | None, host: str, allowed: Collection[str]) -> str:
    """Return why a request is refused, or "" if it is not.

    ``origin`` and ``host`` are the request's headers. Pages of the relay's own host and of
    ``allowed`` origins may send. So may a request without Origin: it is not cross-site, since
    browsers send Origin with every cross-site POST.
    """
    if origin is None or ANY_ORIGIN in allowed or origin in allowed:
        return ""
    if is_allowed(origin, host, allowed):
        return ""
    return (
        f"this origin may not send: the page's origin is {origin[:200]}, and the request's Host is"
        f" {host[:200]}. If this is the shop's own page, the proxy must pass the shop's Host on;"
        f" otherwise add the origin to {variable('allowed_origins')}"
    )
