"""A finding of verify, the names of the steps, and what several diagnoses need."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from neuralens_embed.names import LOCAL_HOSTS

from neuralens_verify.addresses import origin_of
from neuralens_verify.observations import Observations, View, Violation

# The names of the steps, in order.
OPEN, SEARCH, RESULTS, SECOND_PAGE = "open", "search", "results", "page 2"
CATEGORY, PRODUCT_PAGE = "category", "product"
# The most values listed in one finding.
MAX_LISTED = 3


@dataclass(frozen=True)
class Finding:
    """A fault: the name of its cause, what was observed, the remedy, and the URL of the page."""

    cause: str
    message: str
    remedy: str
    page: str


# The remedy for a service worker that answers what is the relay's to answer.
LEAVE_ALONE = (
    "Have the shop's service worker leave these requests alone: it calls respondWith only for"
    " requests that it caches."
)


def find_violation(seen: Observations, directive: str, address: str) -> Violation | None:
    """Return how a policy blocked an address, if one did; browsers may report only its origin."""
    bare = address.partition("?")[0]
    for violation in seen.violations:
        blocked = violation.blocked.partition("?")[0]
        if violation.directive.startswith(directive) and blocked and bare.startswith(blocked):
            return violation
    return None


def is_invalid_consent(message: str) -> bool:
    """Return whether the tracker has reported another word than those for consent."""
    return message.startswith("consent must be ")


def csp_source(address: str, page: str) -> str:
    """Return the source expression that allows an address in the page's policy."""
    return "'self'" if origin_of(address) == origin_of(page) else origin_of(address)


def is_mixed(address: str, page: str) -> bool:
    """Return whether browsers block requests to an address for being less secure than the page.

    Those to the shopper's own machine are allowed.
    """
    parts = urlsplit(address)
    is_local = parts.hostname in LOCAL_HOSTS
    return page.startswith("https:") and parts.scheme == "http" and not is_local


def mixed_content(address: str, page: str) -> Finding:
    """Return the finding that browsers block requests to an address of http."""
    return Finding(
        "mixed-content",
        f"browsers block requests to {address} from a page with https",
        "Use an address with https in the snippet, or a path of the shop.",
        page,
    )


def page_fails(view: View, missing: str) -> Finding:
    """Return the finding that a page answers with an error, and lacks what it should have."""
    return Finding(
        "page-fails",
        f"the page answers {view.status}, and has no {missing}",
        "Check the shop's log, and the link or the search that leads there.",
        view.url,
    )
