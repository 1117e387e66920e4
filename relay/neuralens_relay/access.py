"""Compares secrets; authorizes access to metrics and health details.

These tell volumes, API errors and the outbox's location.
"""

import hmac

from starlette.requests import Request

from neuralens_relay.addresses import read_address

# A request with one of these came through a proxy, so it is not local. Most proxies that add none
# pass on the Host of the shop, or send HTTP/1.0, as nginx does by default.
PROXY_HEADERS = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
)


def may_inspect(request: Request, token: str) -> bool:
    """Return whether a request is local, without a proxy, or carries the status token.

    Its Host is checked, too: by DNS rebinding, a page in a browser on this machine could read it.

    ``token`` is that of the settings; "" matches no request.
    """
    if is_secret(read_bearer(request), token):
        return True
    client = request.client.host if request.client else ""
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    proxied = proxied or request.scope.get("http_version") == "1.0"
    return is_loopback(client) and is_loopback(request.headers.get("Host", "")) and not proxied


def read_bearer(request: Request) -> str | None:
    """Return the bearer token of a request, or None. Source: RFC 6750, 2.1."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def is_secret(given: str | None, secret: str) -> bool:
    """Return whether a given text is the secret, in constant time; an empty one never matches."""
    if not given or not secret:
        return False
    # As bytes, because compare_digest refuses non-ASCII strings.
    return hmac.compare_digest(given.encode(), secret.encode())


def is_loopback(host: str) -> bool:
    """Return whether an address, or a Host header, is this machine's loopback."""
    address = read_address(host)
    if address is None:
        return host.partition(":")[0].lower() == "localhost"
    return address.is_loopback
