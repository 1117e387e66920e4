"""A finding of verify, the names of the steps, and what several diagnoses need."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from neuralens_verify.observations import Observations

# The names of the steps, in order.
OPEN, SEARCH, RESULTS, SECOND_PAGE, PRODUCT_PAGE = "open", "search", "results", "page 2", "product"


@dataclass(frozen=True)
class Finding:
    """A fault: the name of its cause, what was observed, the remedy, and the URL of the page."""

    cause: str
    message: str
    remedy: str
    page: str


def is_blocked(seen: Observations, directive: str, address: str) -> bool:
    """Return whether the policy blocked an address; browsers may report only its origin."""
    bare = address.partition("?")[0]
    blocked = [
        violation.blocked.partition("?")[0]
        for violation in seen.violations
        if violation.directive.startswith(directive)
    ]
    return any(url and bare.startswith(url) for url in blocked)


def csp_source(address: str, page: str) -> str:
    """Return the source expression that allows an address in the page's policy."""
    parts, own = urlsplit(address), urlsplit(page)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return "'self'"
    return f"{parts.scheme}://{parts.netloc}"
