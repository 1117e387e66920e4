"""Explains why a shop cannot be opened, or shows something else in its place."""

import re

DOWNLOAD = "it is a download, or has no content: give the address of a page"
# Chromium's network errors, and what they mean; the first that matches counts.
ERRORS = (
    ("ERR_NAME_NOT_RESOLVED", "its host name does not resolve: correct it, or check the network"),
    ("ERR_INTERNET_DISCONNECTED", "this machine has no network"),
    ("ERR_CONNECTION_REFUSED", "nothing listens there: start the shop, or correct the port"),
    ("ERR_UNSAFE_PORT", "browsers never use this port: let the shop listen on another"),
    (
        "ERR_CERT_",
        "its certificate is not one that browsers trust: in development, add --insecure;"
        " elsewhere, renew it",
    ),
    ("ERR_SSL_", "it does not answer with TLS: use http, or correct the port"),
    (
        "ERR_TOO_MANY_REDIRECTS",
        "it redirects in a circle: check its redirects, and whether they"
        " depend on a cookie that is not set",
    ),
    (
        "ERR_INVALID_AUTH_CREDENTIALS",
        "it asks for a user name and a password: put them into the URL, as in"
        " https://USER:PASSWORD@HOST/",
    ),
    ("ERR_EMPTY_RESPONSE", "the server closes the connection without an answer: check its log"),
    ("ERR_CONNECTION_", "the connection breaks: check the shop's server and the network"),
    ("ERR_ABORTED", DOWNLOAD),
    ("Download is starting", DOWNLOAD),
    (
        "ERR_CONTENT_DECODING_FAILED",
        "its body is not in the encoding that its Content-Encoding names: check the middleware or"
        " proxy that compresses it",
    ),
    ("Timeout", "it does not respond: check that it is up, and that this machine may reach it"),
)
# What a status in place of the page means.
STATUSES = {
    401: "it asks for a user name and a password: put them into the URL, as in"
    " https://USER:PASSWORD@HOST/",
    403: "it may refuse automated browsers or this machine: allow this machine, or verify a copy"
    " of the shop that has no such protection",
    404: "there is no such page: correct the URL",
    429: "it refuses so many requests: wait, or exempt this machine from the limit",
}
STATUSES[503] = f"it may be down for maintenance, or {STATUSES[403].removeprefix('it may ')}"
# What stands in the way of the shop, as wall.js has it.
WALLS = {"login": "asks to log in", "challenge": "asks to prove that the visitor is not a robot"}
STUCK = (
    "{url} stops responding, and the visit was given up: look for a script of that page that never"
    " ends"
)
OTHER = "give the address of a page that works"


def explain_error(address: str, message: str) -> str:
    """Return a sentence on a browser's error in place of a page, with its remedy."""
    for code, reason in ERRORS:
        if code in message:
            name = re.search(r"ERR_\w+", message)
            return f"cannot open {address}: {reason}" + (f" ({name[0]})" if name else "")
    return f"cannot open {address}: {message}"


def explain_type(address: str, media_type: str) -> str:
    """Return a sentence on a file in place of a page, with the remedy; "" for a page."""
    kind = media_type.partition(";")[0].strip().lower()
    # Without a type, browsers look at the content.
    if kind in ("", "text/html", "application/xhtml+xml"):
        return ""
    return f"{address} is {kind}, not a page: give the address of a page, or serve it as text/html"


def explain_status(address: str, status: int, *, has_login: bool) -> str:
    """Return a sentence on a status in place of a page, with its remedy.

    ``has_login``: a user name and a password were given.
    """
    if status == 401 and has_login:
        return f"{address} refuses the user name and the password of the URL: correct them"
    failure = "the shop fails: check its log" if status >= 500 else OTHER
    return f"{address} answers {status}: {STATUSES.get(status, failure)}"


def explain_wall(address: str, url: str, wall: str) -> str:
    """Return a sentence on a login or a challenge in place of a page, with its remedy."""
    where = (
        address if url.rstrip("/") == address.rstrip("/") else f"{address} leads to {url}, which"
    )
    if wall == "login":
        return (
            f"{where} {WALLS[wall]}, and has no tag of the tracker: verify a page or a copy of the"
            " shop that needs no login, or put the tag on this page, too"
        )
    return (
        f"{where} {WALLS[wall]}: allow this machine in the bot"
        " protection, or verify a copy of the shop that has none"
    )
