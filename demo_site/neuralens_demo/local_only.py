"""Restricts sandbox and inspector to programs and pages of this machine.

They listen only on a local address, but any page in a browser on this machine can send requests to
it, and by DNS rebinding even read the responses.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class LocalOnly:
    """ASGI middleware that refuses requests with another Host, or from another origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request to the application, or respond with 403."""
        reason = find_refusal(Headers(scope=scope)) if scope["type"] == "http" else ""
        if reason:
            await JSONResponse({"error": reason}, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def find_refusal(headers: Headers) -> str:
    """Return why a request is refused, "" if it is not."""
    host = headers.get("Host", "")
    if not is_local(host):
        return f"{host} is not a name of this machine: use its IP address, or localhost"
    origin = headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != host:
        return f"pages of {origin} may not call this"
    return ""


def is_local(host: str) -> bool:
    """Return whether a Host header is an IP address, or a name that nobody can register."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name != "" and "." not in name
    return True
