"""Reads URLs: their origin, the site they belong to, and what a visit needs to request them."""

import secrets
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

# A parameter that makes a URL new to every cache, and that the relay ignores.
CACHE_BUSTER = "neuralens-verify"


def split_login(address: str) -> tuple[str, tuple[str, str] | None]:
    """Return a URL without its user name and password, and these."""
    parts = urlsplit(address)
    if parts.username is None:
        return address, None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, (unquote(parts.username), unquote(parts.password or ""))


def origin_of(url: str) -> str:
    """Return the origin of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def site_of(url: str) -> str:
    """Return the end of a host name that the hosts of one shop have in common.

    That is shop.example of www.shop.example, and shop.co.uk of www.shop.co.uk.
    """
    labels = (urlsplit(url).hostname or "").removeprefix("www.").split(".")
    has_suffix = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if has_suffix else -2 :])


def locate(url: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return a URL that resolves outside a browser, and the headers for it.

    Names such as shop.localhost resolve in browsers alone.
    """
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".localhost"):
        return url, dict(headers)
    port = f":{parts.port}" if parts.port else ""
    local = parts._replace(netloc=f"localhost{port}").geturl()
    return local, {**headers, "Host": parts.netloc}


def uncached(url: str) -> str:
    """Return a URL whose response no cache has."""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, f"{CACHE_BUSTER}={secrets.token_hex(8)}"]))
    return urlunsplit((*parts[:3], query, ""))
