"""Which pages may send."""

from collections.abc import Collection

from neuralens_relay.settings import ANY_ORIGIN, DEFAULT_PORTS, NO_ORIGIN, variable


def is_named(origin: str | None, host: str, allowed: Collection[str]) -> bool:
    """Tell whether an origin is that of the request's own host, or named in the settings.

    The scheme of the own host is not compared, because a proxy that ends TLS hides it. "null" is
    the origin of pages that may be anybody's.
    """
    if origin is None or origin == NO_ORIGIN:
        return False
    if origin in allowed:
        return True
    scheme, _, authority = origin.partition("://")
    own = (host, host.removesuffix(f":{DEFAULT_PORTS.get(scheme)}"))
    return authority != "" and authority in own


def refuse(origin: str | None, host: str, allowed: Collection[str]) -> str:
    """Say why a request is refused; "" when it may be answered.

    ``origin`` and ``host`` are the request's headers. A page under the relay's own host may
    send, so may the origins ``allowed``. A request without an origin is not from another site:
    browsers name one with every POST that crosses sites.
    """
    if origin is None or ANY_ORIGIN in allowed or origin in allowed:
        return ""
    if is_named(origin, host, allowed):
        return ""
    return (
        f"this origin may not send: the page is of {origin[:200]}, and the request's Host is"
        f" {host[:200]}. If that is the shop's own page, pass the shop's Host on; otherwise add the"
        f" origin to {variable('allowed_origins')}"
    )
