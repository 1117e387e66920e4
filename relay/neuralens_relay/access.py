"""Who may see how the relay is: volumes, what the API said, where the outbox is."""

import hmac

from starlette.requests import Request

from neuralens_relay.addresses import read_address

# A request with one of these came through a proxy, so its sender may be anybody.
PROXY_HEADERS = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
)


def may_inspect(request: Request, token: str) -> bool:
    """Tell whether a request is from this machine, by no proxy, or carries the token.

    ``token`` is that of the settings, "" when there is none: then nobody has it.
    """
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    # Compared as bytes: texts that are not ASCII cannot be compared in constant time.
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    address = read_address(request.client.host) if request.client else None
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    return address is not None and address.is_loopback and not proxied
