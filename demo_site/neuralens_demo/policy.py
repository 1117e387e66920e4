"""The headers that tell a browser what the demo's pages may do: hardly anything."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SELF = "'self'"
# What a runtime of the tracker needs beside scripts of the shop itself.
SCRIPT_SOURCES = {"pyscript": "'self' 'wasm-unsafe-eval'"}


def content_security_policy(runtime: str = "") -> str:
    """Return the policy of a page on which the tracker has this runtime.

    No inline script, no inline style, nothing from elsewhere. The tracker runs under this too.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {SCRIPT_SOURCES.get(runtime, SELF)}",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            # The page that shows shop and inspector side by side.
            "frame-src 'self'",
            "frame-ancestors 'self'",
            "base-uri 'none'",
        )
    )


HEADERS = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """ASGI middleware that sets HEADERS on every answer that does not bring its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and the answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
