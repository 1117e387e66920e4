"""The security headers of the demo's pages."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SELF = "'self'"
# The script sources that a runtime of the tracker needs.
SCRIPT_SOURCES = {"pyscript": "'self' 'wasm-unsafe-eval'"}


def content_security_policy(runtime: str = "") -> str:
    """Return the content security policy of a page with a runtime of the tracker.

    It allows no inline scripts or styles, and nothing from other origins.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {SCRIPT_SOURCES.get(runtime, SELF)}",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            # For the page that shows shop and inspector side by side.
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
    """ASGI middleware that adds HEADERS to responses that do not set them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and add headers to the response."""
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
