"""Records the browser's events during a visit: requests, responses, messages, console."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Frame, Page, Request, Response
from playwright.sync_api import Error as BrowserError

from neuralens_verify.observations import Batch, Event, Observations, Suppressed, Violation

OBSERVE_SCRIPT = (Path(__file__).parent / "page" / "observe.js").read_text("utf-8")
# How the tracker's messages on the console begin, and those of verify's own scripts.
TRACKER_PREFIX, VERIFY_PREFIX = "neuralens: ", "neuralens-verify "
# What is raised by reading as data of the tracker what a page has printed or sent by itself.
NOT_OURS = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Recorder:
    """Records into the observations what happens in a page and the rest of its browser profile.

    ``step`` is the one to which it is attributed. ``ended``: the visit is over, and events that the
    page captures from then on are no part of it. ``document`` is the response with the current
    document, ``failure`` why it broke off, if it did. ``is_navigating``: the next one is on its
    way. ``changed`` is when the page was last navigated, in seconds of time.monotonic;
    ``has_reloaded``: to the same URL. ``batches`` are the requests with batches. ``details`` are
    the captured events by their ids, as they are sent. ``from_worker`` are the URLs of scripts that
    a service worker has answered.
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
        self.details: dict[str, Any] = {}
        self.from_worker: set[str] = set()
        self._observed = observed
        # Responses with the documents of pages that are just being opened.
        self._unattributed: dict[str, Response] = {}
        # What the page itself is fetching.
        self._fetches: set[Request] = set()
        # Called with what a script has sent under a name: {"detail", "document", "page"}.
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "event": self._on_event,
            "suppressed": self._on_suppressed,
            "violation": lambda m: observed.violations.append(Violation(**m["detail"])),
            "error": lambda m: self._add_message(str(m["detail"]["message"]), m["page"]),
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

    def handle(self, name: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Have what the pages' scripts send under a name handled, such as those of banners."""
        self._handlers[name] = handler

    def _on_event(self, message: dict[str, Any]) -> None:
        if self.ended:
            self._observed.held = True
        else:
            self._add_event(message["detail"])

    def _add_event(self, detail: dict[str, Any]) -> None:
        """Record an event, unless it is already known from its capture or from a batch."""
        event = read_event(detail, self.step)
        if event.eid not in self.details:
            self._observed.events.append(event)
            self.details[event.eid] = detail

    def _on_suppressed(self, message: dict[str, Any]) -> None:
        detail = message["detail"]
        name = str(detail["event"]["event"])
        self._observed.suppressed.append(Suppressed(self.step, name, detail["reason"]))

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
        body = read_batch(request)
        if body is None:
            if request.resource_type in ("fetch", "xhr"):
                self._fetches.add(request)
            return
        url = request.url.partition("?")[0]
        if not self.ended:
            for event in body["events"]:
                # It may have been captured before verify could listen.
                self._add_event(event)
        eids = tuple(event["eid"] for event in body["events"])
        batch = Batch(self.step, url, str(body.get("app", "")), eids)
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
        # A frame that is just being created has no name yet; a service worker's has no frame.
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
            with suppress(*NOT_OURS):
                sent = json.loads(text.removeprefix(VERIFY_PREFIX))
                self._handlers[sent["name"]](sent)


def read_event(detail: dict[str, Any], step: str) -> Event:
    """Return an event from how the tracker sends it; raises one of NOT_OURS for anything else."""
    ids = tuple(str(item["id"]) for item in detail["items"])
    eid, name = detail["eid"], detail["event"]
    index, page, query = (detail.get(each) for each in ("index", "page", "query"))
    if not all(isinstance(text, str) for text in (eid, name, page or "", query or "")):
        raise TypeError("these are texts")
    return Event(step, eid, name, ids, None if index is None else int(index), page, query)


def read_batch(request: Request) -> dict[str, Any] | None:
    """Return the batch in a request, or None."""
    if request.method != "POST" or "b=" not in urlsplit(request.url).query:
        return None
    with suppress(*NOT_OURS):
        batch: dict[str, Any] = json.loads(request.post_data or "")
        for event in batch["events"]:
            read_event(event, "")
        return batch
    return None
