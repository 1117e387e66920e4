"""Asks servers, once the visit has ended, for what no page can observe."""

import base64
import html
import json
import re
import time
from contextlib import suppress
from dataclasses import replace

from neuralens_tracker.vocabulary import ACCEPTED
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from neuralens_verify.addresses import origin_of
from neuralens_verify.observations import Batch, Health, Observations, Script, View
from neuralens_verify.probes import (
    Http,
    count_failures,
    fetch_health,
    fetch_page,
    fetch_script,
    integrity,
    make_batch,
    probe_endpoint,
    resend,
)
from neuralens_verify.recorder import Recorder
from neuralens_verify.served import SCRIPT_NAME
from neuralens_verify.waiting import pause

# Seconds until the relay has forwarded the events.
FORWARD_TIMEOUT = 4.0
# Milliseconds between two requests for the relay's health.
POLL_MS = 50
# A cookie in place of those of the visit.
OTHER_VISITOR = {"Cookie": "other-visitor=1"}
# Returns what the page receives for a URL, the body in base64.
FETCH_SCRIPT = """async (url) => {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const body = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return { body, status: response.status, type: response.headers.get("content-type") ?? "" };
}"""


class Inquiry:
    """Completes the observations of a visit, until ``deadline``; ``page`` is its last one."""

    def __init__(
        self, page: Page, recorder: Recorder, observed: Observations, deadline: float
    ) -> None:
        self._page = page
        self._http = Http(page.context.request, deadline)
        self._recorder = recorder
        self._observed = observed

    def run(self, relay: str, token: str) -> None:
        """Ask for the pages' scripts and endpoints, and the health of the last one's relay.

        ``relay`` is its URL, "" to derive it from the endpoint; ``token`` that for its health.
        """
        self._fetch_scripts()
        self._compare_pages()
        endpoints = [self._probe_endpoint(view) for view in self._observed.views]
        self._read_receipts()
        self._ask_for_unreported()
        if self._observed.is_running:
            relay = relay or endpoints[-1].rpartition("/")[0]
            self._observed.health = self._await_health(relay.rstrip("/"), token)

    def _fetch_scripts(self) -> None:
        scripts = self._observed.scripts
        for view in self._observed.views:
            addons = [tag for tag in view.tags if tag.is_addon]
            for tag in [*view.tracker_tags, *addons, view.intended_tag]:
                if tag and tag.src not in scripts:
                    scripts[tag.src] = self._fetch_script(tag.src, view.url)

    def _fetch_script(self, url: str, page: str) -> Script:
        """Fetch a page's script; within the page if its service worker has answered there."""
        script = fetch_script(self._http, url, page)
        if url in self._recorder.from_worker:
            # The page's policy may forbid it.
            with suppress(BrowserError):
                found = self._page.evaluate(FETCH_SCRIPT, url)
                seen = replace(
                    script,
                    status=found["status"],
                    media_type=found["type"],
                    integrity=integrity(base64.b64decode(found["body"])),
                )
                return replace(seen, replaced=script.is_usable and not seen.is_usable)
        return script

    def _compare_pages(self) -> None:
        """Mark pages that a cache or a service worker serves without the server's current tag."""
        views = self._observed.views
        for position, view in enumerate(views):
            tag = view.intended_tag
            if view.version is not None or (tag and not tag.integrity) or view.status >= 400:
                continue
            page = html.unescape(fetch_page(self._http, view.url))
            is_other = tag.integrity not in page if tag else not view.mentions_script
            if is_other and SCRIPT_NAME.search(page):
                views[position] = replace(view, outdated=True)

    def compare_shoppers(self) -> None:
        """Find out whether a page gives another visitor the same uid."""
        given = [(view.settings.get("uid", ""), view.url) for view in self._observed.views]
        uid, url = next((each for each in given if each[0]), ("", ""))
        attribute = re.compile(rf"""\bdata-uid=["']?{re.escape(uid)}["'\s>]""")
        if uid and attribute.search(html.unescape(fetch_page(self._http, url, OTHER_VISITOR))):
            self._observed.shared_uid = uid

    def _probe_endpoint(self, view: View) -> str:
        """Probe the endpoint of a page, unless another page has the same; return its URL."""
        observed = self._observed
        sent = [batch for batch in observed.batches if batch.step == view.step]
        if not sent and "appId" not in view.settings:
            # A bundle's settings are in its code.
            sent = observed.batches
        endpoint = sent[-1].url if sent else view.endpoint
        application = sent[-1].app if sent else view.settings.get("appId", "")
        if (endpoint, application) not in {(each.url, each.app) for each in observed.probes}:
            script = view.intended_tag.src if view.intended_tag else view.url
            probe = probe_endpoint(self._http, endpoint, view.url, application, script)
            statuses = {each.status or 0 for each in observed.batches if each.url == endpoint}
            if max(statuses | {probe.status}) >= 500:
                probe = replace(probe, failures=count_failures(self._http, probe))
            observed.probes.append(probe)
        return endpoint

    def _read_receipts(self) -> None:
        """Read the relay's receipts, which no browser reports, by sending batches again.

        These are the batches sent while unloading, whose status is not reported either, and the
        last one, for events that the relay has rejected.
        """
        # A copy, because the page may send more meanwhile.
        batches = list(self._recorder.batches.items())
        last = next(reversed(self._recorder.batches.values()), None)
        for request, batch in batches:
            unknown = batch.status is None and not set(batch.eids) <= self._observed.acknowledged
            if not unknown and batch is not last:
                continue
            origin = request.headers.get("origin", origin_of(request.url))
            receipt = resend(self._http, request.url, request.post_data_buffer or b"", origin)
            known = receipt.duplicates + len(receipt.rejected)
            if unknown and receipt.is_relay and known >= len(batch.eids):
                batch.status = ACCEPTED
            self._observed.rejected.update(receipt.rejected)

    def _ask_for_unreported(self) -> None:
        """Ask the relay for events in batches that the browser has not reported, as at an unload.

        Each is sent again, alone: the relay counts as duplicates those that it has received.
        """
        observed = self._observed
        for event in observed.events:
            probe = observed.probes[-1]
            if event.eid in observed.sent or not probe.accepted:
                continue
            body = make_batch(probe.app, event.fields)
            url = f"{probe.url}?b={body['batch']}"
            receipt = resend(self._http, url, json.dumps(body).encode(), probe.origin)
            if receipt.duplicates == 1:
                batch = Batch(event.step, probe.url, probe.app, (event.eid,), ACCEPTED)
                observed.batches.append(batch)

    def _await_health(self, relay: str, token: str) -> Health | None:
        """Return the relay's health once no event is waiting, or it gives a reason."""
        deadline = time.monotonic() + FORWARD_TIMEOUT
        while True:
            health = fetch_health(self._http, relay, token)
            done = health is None or health.waiting == 0 or health.reasons
            if done or time.monotonic() > deadline:
                return health
            pause(self._page, POLL_MS)
