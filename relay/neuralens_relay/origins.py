"""Which pages may send."""

from collections.abc import Collection

from neuralens_relay.settings import ANY_ORIGIN, DEFAULT_PORTS, variable


def refuse(origin: str | None, host: str, allowed: Collection[str]) -> str:
    """Say why a request is refused; "" when it may be answered.

    ``origin`` and ``host`` are the request's headers. A page under the relay's own host may
    send, so may the origins ``allowed``. A request without an origin is not from another site:
    browsers name one with every POST that crosses sites. The scheme is not compared, because a
    proxy that ends TLS hides it.
    """
    if origin is None or ANY_ORIGIN in allowed or origin in allowed:
        return ""
    scheme, _, authority = origin.partition("://")
    if authority and authority in (host, host.removesuffix(f":{DEFAULT_PORTS.get(scheme)}")):
        return ""
    return f"origin {origin[:200]} may not send: add it to {variable('allowed_origins')}"
