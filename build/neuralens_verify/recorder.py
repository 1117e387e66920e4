"""Records the browser's events during a visit: requests, responses, messages, console."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Frame, Page, Request, Response
from playwright.sync_api import Error as BrowserError

from neuralens_verify.messages import (
    Message,
    SentBatch,
    parse_batch,
    parse_event,
    parse_message,
    parse_suppressed,
    parse_violation,
)
from neuralens_verify.observations import Batch, Event, Observations

OBSERVE_SCRIPT = (Path(__file__).parent / "page" / "observe.js").read_text("utf-8")
# How the tracker's messages on the console begin, and those of verify's own scripts.
TRACKER_PREFIX, VERIFY_PREFIX = "neuralens: ", "neuralens-verify "


class Recorder:
    """Records into the observations what happens in a page and the rest of its browser profile.

    ``step`` is the one to which it is attributed. ``ended``: the visit is over, and events that the
    page captures from then on are not part of it. ``document`` is the response with the current
    document, ``failure`` why it broke off, if it did. ``is_navigating``: the next one has been
    requested. ``changed`` is when the page was last navigated, in seconds of time.monotonic;
    ``has_reloaded``: to the same URL. ``batches`` are the requests with batches. ``from_worker``
    are the URLs of scripts that a service worker has answered.
    """

    def __init__(self, page: Page, observed: Observations, step: str) -> None:
        self.step = step
        self.ended = False
        self.document: Response | None = None
        self.failure = ""
        self.is_navigating = False
        self.has_reloaded = False
        self.changed = time.monotonic()
        self.batches: dict[Request, Batch] = {}
        self.from_worker: set[str] = set()
        self._observed = observed
        # The ids of the captured events.
        self._known: set[str] = set()
        # Responses with the documents of pages that are just being opened.
        self._unattributed: dict[str, Response] = {}
        # What the page itself is fetching.
        self._fetches: set[Request] = set()
        # Called with the messages of a name.
        self._handlers: dict[str, Callable[[Message], None]] = {
            "event": self._on_event,
            "suppressed": self._on_suppressed,
            "violation": self._on_violation,
            "error": self._on_error,
        }
        context = page.context
        context.add_init_script(OBSERVE_SCRIPT)
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        context.on("requestfailed", self._on_failure)
        context.on("requestfinished", self._on_finish)
        context.on("console", self._on_console)
        self.follow(page)

    def follow(self, page: Page) -> None:
        """Record another page, such as one that a link has opened in a new tab."""
        self._page = page
        self.document = self._unattributed.pop(page.url, None)
        page.on("framenavigated", self._on_navigated)
        page.on("pageerror", lambda error: self._observed.exceptions.append(str(error)))

    @property
    def is_fetching(self) -> bool:
        """Whether the page waits for what it fetches, other than for the tracker's batches."""
        return bool(self._fetches)

    def handle(self, name: str, handler: Callable[[Message], None]) -> None:
        """Have the messages of a name handled, such as those of banners."""
        self._handlers[name] = handler

    def _on_event(self, message: Message) -> None:
        event = parse_event(message.detail, self.step)
        if event and self.ended:
            self._observed.held = True
        elif event:
            self._add_event(event)

    def _add_event(self, event: Event) -> None:
        """Record an event, unless it is already known from its capture or from a batch."""
        if event.eid not in self._known:
            self._known.add(event.eid)
            self._observed.events.append(event)

    def _on_suppressed(self, message: Message) -> None:
        if suppressed := parse_suppressed(message.detail, self.step):
            self._observed.suppressed.append(suppressed)

    def _on_violation(self, message: Message) -> None:
        if violation := parse_violation(message.detail):
            self._observed.violations.append(violation)

    def _on_error(self, message: Message) -> None:
        match message.detail:
            case {"message": str(text)}:
                self._add_message(text, message.page)

    def _add_message(self, text: str, page: str) -> None:
        self._observed.messages.setdefault(text, page)

    def _on_request(self, request: Request) -> None:
        """Record the batch in a request, if there is one, and which scripts are requested."""
        if self._is_document(request):
            self.is_navigating, self.failure = True, ""
        if request.resource_type == "script":
            self._observed.requested.add(request.url)
        before = request.redirected_from
        if before in self.batches:
            # The same batch, and the endpoint is where the page has sent it.
            self.batches[request] = self.batches[before]
            return
        sent = read_batch(request, self.step)
        if sent is None:
            if request.resource_type in ("fetch", "xhr"):
                self._fetches.add(request)
            return
        url = request.url.partition("?")[0]
        if not self.ended:
            for event in sent.events:
                # It may have been captured before verify could listen.
                self._add_event(event)
        batch = Batch(self.step, url, sent.app, tuple(event.eid for event in sent.events))
        self.batches[request] = batch
        self._observed.batches.append(batch)

    def _on_response(self, response: Response) -> None:
        if response.request.resource_type == "script" and response.from_service_worker:
            self.from_worker.add(response.url)
        batch = self.batches.get(response.request)
        if batch is not None:
            batch.status = response.status
            batch.from_worker = response.from_service_worker
        if self._is_unattributed(response.request):
            self._unattributed[response.url] = response
        if self._is_document(response.request):
            self.has_reloaded |= self.document is not None and self.document.url == response.url
            self.document = response
            self._observed.loads[self.step, response.url] += 1

    def _is_document(self, request: Request) -> bool:
        """Return whether a request is for the page itself."""
        # A frame that is being created is not known yet; a service worker's request has no frame.
        with suppress(BrowserError):
            return request.is_navigation_request() and request.frame == self._page.main_frame
        return False

    def _is_unattributed(self, request: Request) -> bool:
        """Return whether a request is for a page whose frame has not been created yet."""
        try:
            return request.is_navigation_request() and not request.frame
        except BrowserError:
            return True

    def _on_navigated(self, frame: Frame) -> None:
        if frame == self._page.main_frame:
            self.is_navigating = False
            self.changed = time.monotonic()

    def _on_finish(self, request: Request) -> None:
        self._fetches.discard(request)

    def _on_failure(self, request: Request) -> None:
        self._fetches.discard(request)
        if self._is_document(request):
            self.is_navigating = False
            self.failure = request.failure or ""
        batch = self.batches.get(request)
        if batch is not None:
            batch.failed = True

    def _on_console(self, message: ConsoleMessage) -> None:
        text = message.text
        if text.startswith(TRACKER_PREFIX):
            self._add_message(text.removeprefix(TRACKER_PREFIX), self._page.url)
        elif text.startswith(VERIFY_PREFIX):
            sent = parse_message(text.removeprefix(VERIFY_PREFIX))
            if sent and sent.name in self._handlers:
                self._handlers[sent.name](sent)


def read_batch(request: Request, step: str) -> SentBatch | None:
    """Return the batch in a request, None if there is none."""
    if request.method != "POST" or "b=" not in urlsplit(request.url).query:
        return None
    return parse_batch(request.post_data_buffer or b"", step)
