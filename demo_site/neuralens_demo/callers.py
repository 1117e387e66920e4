"""Who may call the sandbox and the inspector: this machine's own programs and pages.

They listen on this machine alone, but any page in its browser can send requests here, and one
whose domain is made to lead here (DNS rebinding) can even read the answers.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OwnCallers:
    """ASGI middleware that refuses requests for another host, or from a page of another origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403."""
        reason = refuse(Headers(scope=scope)) if scope["type"] == "http" else ""
        if reason:
            await JSONResponse({"error": reason}, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def refuse(headers: Headers) -> str:
    """Say why a request is refused, "" when it is not."""
    host = headers.get("Host", "")
    if not is_own(host):
        return f"{host} is no name of this machine: use its address, or localhost"
    origin = headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != host:
        return f"a page of {origin} may not call this"
    return ""


def is_own(host: str) -> bool:
    """Tell whether a Host header is an address, or a name that nobody can register."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name != "" and "." not in name
    return True
