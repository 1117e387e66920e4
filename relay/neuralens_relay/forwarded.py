"""Middleware that applies the ``X-Forwarded-*`` headers of trusted proxies.

A proxy connects from its own address, may change ``Host``, and terminates TLS. It reports the
original client, host and scheme in ``X-Forwarded-For``, ``-Host`` and ``-Proto``. Anybody can send
these headers, so they count only on connections from a trusted proxy.
"""

import logging
import time
from collections.abc import Sequence
from ipaddress import ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from neuralens_relay.addresses import Address, Network, find_client, is_within, read_address
from neuralens_relay.notices import Notices

# Stands for the peer at a Unix socket, which has no address and is on this machine.
LOCAL = "127.0.0.1"
FOR, HOST, PROTO = "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"
SCHEMES = ("http", "https")

log = logging.getLogger(__name__)


class TrustedProxies:
    """Restores a request's original client, host and scheme."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network], setting: str) -> None:
        """Trust proxies in these networks; ``setting`` is the variable that lists them."""
        self._app = app
        self._trusted = trusted
        self._setting = setting
        self._notices = Notices(log, time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; without a trusted proxy it is passed on unchanged."""
        if scope["type"] == "http":
            peer = (scope.get("client") or ("", 0))[0] or LOCAL
            address = read_address(peer)
            if is_within(address, self._trusted):
                scope = self._restore(scope, peer)
            elif address is not None and address.is_private and FOR in Headers(scope=scope):
                self._warn_of_proxy(address)
        await self._app(scope, receive, send)

    def _warn_of_proxy(self, address: Address) -> None:
        """Warn that a proxy in a private network is not trusted."""
        prefix = 16 if address.version == 4 else 64
        self._notices.log(
            logging.WARNING,
            FOR,
            "a proxy in %s is not trusted, so all its clients count as one: add it to %s",
            ip_network((address, prefix), strict=False),
            self._setting,
        )

    def _restore(self, scope: Scope, peer: str) -> Scope:
        headers = Headers(scope=scope)
        named = ",".join(headers.getlist(FOR)).split(",")
        restored = {**scope, "client": (find_client(peer, named, self._trusted), 0)}
        # With several proxies, the first value is the browser's.
        scheme = headers.get(PROTO, "").partition(",")[0].strip().lower()
        if scheme in SCHEMES:
            restored["scheme"] = scheme
        host = headers.get(HOST, "").partition(",")[0].strip()
        if host:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            restored["headers"] = [(b"host", host.encode("latin-1")), *others]
        return restored
