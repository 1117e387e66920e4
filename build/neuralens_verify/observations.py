"""What was seen of a shop: plain data, from which the diagnoses are made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urljoin, urlsplit

from neuralens_tracker.settings import SETTINGS

ACCEPTED = 202
# A file that runs the tracker, whatever an asset pipeline has put into its name; not the stub, and
# none of the add-ons.
RUNS = re.compile(r"^neuralens(?!\.(?:stub|overlay|ga4|consent-))(?:[.\-]\w+)*\.m?js$")


@dataclass(frozen=True)
class Tag:
    """A script element of the tracker's: its address, absolute or "", and its attributes.

    ``settings`` are the data attributes by their names in JavaScript (``appId``).
    """

    src: str
    integrity: str
    settings: Mapping[str, str]

    @property
    def runs(self) -> bool:
        """Whether it loads the tracker; a tag of settings alone does not."""
        return bool(RUNS.match(urlsplit(self.src).path.rpartition("/")[2]))


@dataclass(frozen=True)
class Element:
    """An item in the markup.

    ``attribute`` is the name of its ``data-nl-`` attribute. ``listing`` tells the lists of one
    document apart, "" where there is none; ``name`` is its list's. ``hidden`` is from assistive
    technology, as a carousel's own copies are.
    """

    attribute: str
    value: str
    listing: str
    name: str
    hidden: bool


@dataclass(frozen=True)
class View:
    """A page at the end of a step. ``document`` is another one after each load of a page."""

    step: str
    url: str
    document: str
    tags: tuple[Tag, ...]
    version: str | None
    gpc: bool
    elements: tuple[Element, ...]
    queries: tuple[str, ...]

    @property
    def loading(self) -> list[Tag]:
        """The tags that load the tracker; what a heavy runtime's tag loads itself is not one."""
        inserted = {urljoin(self.url, tag.settings.get("src", "")) for tag in self.tags}
        return [tag for tag in self.tags if tag.runs and tag.src not in inserted - {self.url}]

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings that the page's tags give."""
        for tag in self.tags:
            if "appId" in tag.settings:
                return tag.settings
        return self.loading[0].settings if self.loading else {}

    @property
    def endpoint(self) -> str:
        """Where the page's events go, absolute."""
        return urljoin(self.url, self.settings.get("endpoint", str(SETTINGS["endpoint"].default)))


@dataclass(frozen=True)
class Event:
    """An event that the tracker captured, as consent and the shop's hooks let it pass."""

    step: str
    eid: str
    name: str
    ids: tuple[str, ...]
    index: int | None
    page: str | None
    query: str | None


@dataclass(frozen=True)
class Suppressed:
    """An event that the tracker has dropped, and why."""

    step: str
    name: str
    reason: str


@dataclass
class Post:
    """A batch that was sent; ``status`` is None where the browser did not tell of an answer.

    ``left``: the page was left before there was one, or the request failed.
    """

    step: str
    url: str
    app: str
    eids: tuple[str, ...]
    status: int | None = None
    left: bool = False


@dataclass(frozen=True)
class Script:
    """What the address of a tag's script answers, asked for by no browser.

    ``integrity`` is that of the answer; ``newest`` that of the answer to the address without its
    version, past any cache, "" where there is none. ``error`` says why there is no answer.
    """

    url: str
    status: int
    media_type: str
    integrity: str
    newest: str
    error: str = ""


@dataclass(frozen=True)
class Probe:
    """What the endpoint answers to an empty batch of the page's application and origin.

    ``stripped``: the relay answers one prefix further down. ``error`` is the relay's own word;
    ``failure`` says why there is no answer.
    """

    url: str
    origin: str
    status: int
    error: str = ""
    rejected: tuple[str, ...] = ()
    allow_origin: str = ""
    allow_credentials: bool = False
    stripped: bool = False
    failure: str = ""

    @property
    def crosses(self) -> bool:
        """Whether the endpoint is of another origin than the page."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" != self.origin


@dataclass(frozen=True)
class Health:
    """What the relay says of itself: ``GET health``."""

    forwarding: str
    reasons: tuple[str, ...]
    waiting: int
    dead: int


@dataclass(frozen=True)
class Violation:
    """What a content security policy has blocked."""

    directive: str
    blocked: str


@dataclass
class Observations:
    """All that was seen of a shop.

    ``steps`` are those that were made, in order, with what is to be said of each. ``searched`` are
    the texts that a search may rightly carry. ``refused``: the shopper refused; ``answered``: the
    banner that was answered, "" for none. ``said``: the tracker's own sentences on the console.
    """

    address: str
    refused: bool
    answered: str = ""
    steps: dict[str, str] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    scripts: dict[str, Script] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    thrown: list[str] = field(default_factory=list)
    searched: set[str] = field(default_factory=set)
    probe: Probe | None = None
    health: Health | None = None

    @property
    def runs(self) -> bool:
        """Whether the tracker ran on the last page."""
        return bool(self.views) and self.views[-1].version is not None

    @property
    def acknowledged(self) -> set[str]:
        """The ids of the events that the relay has taken."""
        return {eid for post in self.posts if post.status == ACCEPTED for eid in post.eids}

    @property
    def sent(self) -> set[str]:
        """The ids of the events that have left the page."""
        return {eid for post in self.posts for eid in post.eids}

    def is_search(self, query: str) -> bool:
        """Return whether a query is one that the shopper has searched for."""
        return normalize(query) in {normalize(text) for text in self.searched}


def normalize(text: str) -> str:
    """Return a text as searches compare it."""
    return " ".join(text.casefold().split())


def texts_of_address(url: str) -> set[str]:
    """Return every value in an address's query: one of them may be the search text."""
    return {value for values in parse_qs(urlsplit(url).query).values() for value in values}
