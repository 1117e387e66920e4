"""What was observed during a visit, as plain data; the input of the diagnoses."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from neuralens_embed.bundles import RUNNING_TYPES, TRACKER_FILE
from neuralens_tracker.settings import SETTINGS
from neuralens_tracker.vocabulary import ACCEPTED

ADDON_FILE = re.compile(r"^neuralens\.(?:ga4|overlay|consent-)[\w.\-]*\.js$")
# How often a step of the visit may load one page: again after a consent, a service worker, or a
# choice of language.
MAX_LOADS = 3


@dataclass(frozen=True)
class Tag:
    """A script element of the tracker: its absolute URL or "", and its attributes.

    ``settings`` are the data attributes by their names in JavaScript (``appId``). ``cors`` is the
    attribute crossorigin, None if it is absent; ``nonce`` the nonce, "" if it is absent.
    """

    src: str
    integrity: str
    settings: Mapping[str, str]
    kind: str = ""
    cors: str | None = None
    nonce: str = ""

    @property
    def is_tracker(self) -> bool:
        """Whether its file is the tracker's; a tag with nothing but settings is not."""
        return bool(TRACKER_FILE.match(self._file))

    @property
    def is_addon(self) -> bool:
        """Whether its file is that of an add-on."""
        return bool(ADDON_FILE.match(self._file))

    @property
    def is_adapter(self) -> bool:
        """Whether its file is the adapter of a consent platform."""
        return self.is_addon and ".consent-" in self._file

    @property
    def runs(self) -> bool:
        """Whether a browser runs a script element of its type."""
        return self.kind.strip().lower() in RUNNING_TYPES

    @property
    def _file(self) -> str:
        return urlsplit(self.src).path.rpartition("/")[2]


@dataclass(frozen=True)
class Element:
    """An item in the markup.

    ``attribute`` is the name of its ``data-nl-`` attribute. ``list_id`` identifies its list within
    the document, "" outside any. ``hidden``: from assistive technology, as a carousel's clones are.
    ``index`` is its ``data-nl-index``, ``link`` the path to which it leads. ``is_price``: its text
    has its value next to a currency. ``outer`` is the value of the product around it, if any.
    ``before`` is, for the first item of a list, how many elements like its tile precede that
    without an item, as ads do.
    """

    attribute: str
    value: str
    list_id: str
    hidden: bool
    index: str = ""
    link: str = ""
    is_price: bool = False
    outer: str = ""
    before: int = 0


@dataclass(frozen=True)
class Control:
    """An element with ``data-nl-action``; ``has_item``: it is inside a product or a landing."""

    action: str
    has_item: bool


@dataclass(frozen=True)
class View:
    """A page at the end of a step. ``document`` differs after each page load.

    ``unknown`` are unknown attributes with the tracker's prefix. ``configuration`` is
    ``window.neuralensConfig``. ``removed`` are items of the server's HTML, as
    ``data-nl-product="A"``, if the page no longer has any of their kind. ``mentions_script``: the
    name of the tracker's file is somewhere in that HTML. ``duplicates`` describe attributes that an
    element has twice in it. ``status`` is that of the document, and ``policy`` its
    Content-Security-Policy. ``ignored`` is the number of items within ``data-nl-ignore``.
    ``replaced`` are the browser's functions for requests that a script has replaced.
    ``needs_integrity``: its Integrity-Policy allows no script without integrity.
    ``outdated``: the server now sends another page, with a tag that this one does not have.
    ``worker`` is the URL of the service worker that controls the page, "" if none does.
    """

    step: str
    url: str
    document: str
    tags: tuple[Tag, ...]
    version: str | None
    gpc: bool
    elements: tuple[Element, ...]
    queries: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    mentions_script: bool = False
    duplicates: tuple[str, ...] = ()
    status: int = 200
    policy: str = ""
    ignored: int = 0
    replaced: tuple[str, ...] = ()
    needs_integrity: bool = False
    outdated: bool = False
    worker: str = ""

    @property
    def fails(self) -> bool:
        """Whether its document is that of an error; some single-page shops send each page so."""
        return self.status >= 400

    @property
    def tracker_tags(self) -> list[Tag]:
        """The tags that load the tracker, without the scripts that such a tag inserts itself."""
        inserted = {urljoin(self.url, tag.settings.get("src", "")) for tag in self.tags}
        return [
            tag
            for tag in self.tags
            if tag.is_tracker and tag.runs and tag.src not in inserted - {self.url}
        ]

    @property
    def intended_tag(self) -> Tag | None:
        """The tag that loads the tracker, or that should: with another file name, or inert."""
        candidates = [tag for tag in self.tags if tag.src and not tag.is_addon]
        named = [tag for tag in candidates if tag.is_tracker]
        return next(iter([*self.tracker_tags, *named, *candidates]), None)

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of the page: those of its tag override ``neuralensConfig``."""
        tags = [tag for tag in self.tags if "appId" in tag.settings] or self.tracker_tags
        return {**self.configuration, **(tags[0].settings if tags else {})}

    @property
    def endpoint(self) -> str:
        """The absolute URL to which the page sends events."""
        return urljoin(self.url, self.settings.get("endpoint", str(SETTINGS["endpoint"].default)))


@dataclass(frozen=True)
class Event:
    """An event that the tracker captured and that neither consent nor a hook suppressed.

    ``fields`` are all with which it is sent.
    """

    step: str
    eid: str
    name: str
    ids: tuple[str, ...]
    index: int | None
    page: str | None
    query: str | None
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Suppressed:
    """An event that the tracker suppressed, and the reason."""

    step: str
    name: str
    reason: str


@dataclass
class Batch:
    """A batch that was sent; ``status`` is None if the browser reported no response.

    ``failed``: the request failed, or the page was left before the response. ``from_worker``: the
    response is from the shop's service worker, which may have asked the server.
    """

    step: str
    url: str
    app: str
    eids: tuple[str, ...]
    status: int | None = None
    failed: bool = False
    from_worker: bool = False


@dataclass(frozen=True)
class Script:
    """The response to a request for a tag's script, made outside the page.

    ``integrity`` is that of the response; ``current_integrity`` that of the server's current
    script, requested without the version and past any cache, "" if there is none. ``allow_origin``
    is the response's header of that name. ``relay_error`` is the relay's reason for an error.
    ``error`` is the reason if there is no response, and then the status is 0; ``undecodable``:
    there is one, but not in the encoding that its headers name. ``built_integrity`` is the
    integrity that this version's script should have, "" if the response is another version's.
    ``replaced``: the shop's service worker answers something else than a script, which the server
    does have.
    """

    url: str
    _: KW_ONLY
    status: int = 0
    media_type: str = ""
    integrity: str = ""
    current_integrity: str = ""
    error: str = ""
    allow_origin: str = ""
    relay_error: str = ""
    undecodable: bool = False
    built_integrity: str = ""
    replaced: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether it is a script, and no error."""
        return 200 <= self.status < 300 and self.is_javascript

    @property
    def is_javascript(self) -> bool:
        """Whether the response's media type lets browsers run it."""
        return bool(re.search(r"\b(java|ecma)script\b", self.media_type))


@dataclass(frozen=True)
class Probe:
    """The response of a page's endpoint to an empty batch with its application id and origin.

    ``page`` is the URL of the page, ``app`` its application id. ``accepted``: the response is the
    relay's receipt. ``prefix_stripped``: the relay responds under one more prefix. ``relay``: the
    URL near it, or near the script, at which the relay responds, "" for none; both are looked for
    if the endpoint does not accept the batch. ``location``: where it redirects to. ``error`` is the
    relay's error; ``failure`` the reason if there is no response. ``failures`` tells how many of
    several requests fail, if others do not.
    """

    url: str
    origin: str
    status: int = 0
    _: KW_ONLY
    error: str = ""
    allow_origin: str = ""
    allow_credentials: bool = False
    prefix_stripped: bool = False
    relay: str = ""
    location: str = ""
    failures: str = ""
    failure: str = ""
    page: str = ""
    app: str = ""
    accepted: bool = False

    @property
    def is_cross_origin(self) -> bool:
        """Whether the endpoint has another origin than the page."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" != self.origin


@dataclass(frozen=True)
class Health:
    """The relay's response to ``GET health``."""

    forwarding: str
    reasons: tuple[str, ...]
    waiting: int
    dead: int


@dataclass(frozen=True)
class Violation:
    """A violation of a page's content security policy: its directive, and the blocked URL."""

    directive: str
    blocked: str
    policy: str = ""
    page: str = ""


@dataclass
class Observations:
    """Everything observed during a visit.

    ``steps`` maps each step, in order, to a note for the report. ``searched`` are the queries that
    events of the search may carry. ``refused``: the visit refused consent; ``banner`` is the
    platform of the banner that was answered, "" for none. ``requested`` are the URLs of scripts
    that pages requested. ``rejected`` maps the relay's reasons for rejecting events to how many.
    ``messages`` maps the tracker's own, from the console, to the URL of the page. ``held``: events
    were captured only once consent had been granted in the banner's place. ``probes`` are those of
    the pages' endpoints, in order. ``loads`` counts the loads of each page's URL in each step.
    ``asks_to_log_in``: the last page has a field for a password. ``shared_uid`` is a shopper's id
    that a page gives another visitor, too, "" for none.
    """

    address: str
    refused: bool
    banner: str = ""
    steps: dict[str, str] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    scripts: dict[str, Script] = field(default_factory=dict)
    requested: set[str] = field(default_factory=set)
    rejected: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    exceptions: list[str] = field(default_factory=list)
    searched: set[str] = field(default_factory=set)
    held: bool = False
    shared_uid: str = ""
    probes: list[Probe] = field(default_factory=list)
    loads: Counter[tuple[str, str]] = field(default_factory=Counter)
    health: Health | None = None
    asks_to_log_in: bool = False

    @property
    def is_running(self) -> bool:
        """Whether the tracker was running on the last page."""
        return bool(self.views) and self.views[-1].version is not None

    @property
    def reloading(self) -> dict[str, int]:
        """The URLs of pages that load themselves again and again, and how often in one step."""
        return {url: count for (_, url), count in self.loads.items() if count > MAX_LOADS}

    def relay_of(self, view: View) -> str:
        """Return the URL under which the relay responds near a page's endpoint or script, or ""."""
        for probe in self.probes:
            if probe.url == view.endpoint and (probe.accepted or probe.relay):
                return probe.relay or probe.url.rpartition("/")[0]
        return ""

    @property
    def acknowledged(self) -> set[str]:
        """The ids of the events that the relay has acknowledged."""
        return {eid for batch in self.batches if batch.status == ACCEPTED for eid in batch.eids}

    @property
    def sent(self) -> set[str]:
        """The ids of the events that were sent."""
        return {eid for batch in self.batches for eid in batch.eids}

    @property
    def settled(self) -> set[str]:
        """The ids of the events that were sent, and whose outcome is known or cannot become so."""
        settled = (batch for batch in self.batches if batch.failed or batch.status is not None)
        return {eid for batch in settled for eid in batch.eids}

    def note(self, step: str, text: str) -> None:
        """Add a note to a step."""
        notes = self.steps.get(step, "")
        if text not in notes:
            self.steps[step] = f"{notes}; {text}" if notes else text

    def is_search(self, query: str) -> bool:
        """Return whether the visit has searched for a query."""
        return normalize(query) in {normalize(text) for text in self.searched}


def normalize(text: str) -> str:
    """Return a query with case and whitespace normalized, for comparison."""
    return " ".join(text.casefold().split())


def query_values(url: str) -> set[str]:
    """Return the values of a URL's parameters, one of which may be the search text."""
    return {value for values in parse_qs(urlsplit(url).query).values() for value in values}
