"""Clients of the project's servers."""

import httpx

from tests.polling import TIMEOUT

# Below the 5 s after which uvicorn closes an idle connection: a request on a connection that is
# being closed would be lost.
LIMITS = httpx.Limits(keepalive_expiry=2)
# Shared, because loading the certificates takes longer than most requests.
CERTIFICATES = httpx.create_ssl_context()


def connect(url: str = "", timeout: float = TIMEOUT) -> httpx.Client:
    """Return a client whose requests go to ``url`` and below."""
    return httpx.Client(base_url=url, timeout=timeout, limits=LIMITS, verify=CERTIFICATES)
