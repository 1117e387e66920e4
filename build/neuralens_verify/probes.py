"""HTTP requests outside the page: the scripts, the endpoint and the relay's health."""

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from neuralens_embed import bundles
from neuralens_embed.names import RELAY_PATH
from neuralens_tracker.vocabulary import ACCEPTED, VERSION, WIRE_VERSION
from playwright.sync_api import APIRequestContext, APIResponse
from playwright.sync_api import Error as BrowserError

from neuralens_verify.addresses import locate, origin_of, uncached
from neuralens_verify.messages import Receipt, is_live, parse_health, parse_receipt
from neuralens_verify.observations import Health, Probe, Script

# Milliseconds that a response may take, at most, and even when the time of a visit is over.
TIMEOUT_MS, LEAST_TIMEOUT_MS = 8000, 300
# How many batches tell whether an endpoint fails now and then.
TRIES = 6
# Redirects on which browsers repeat a POST.
REPEATING = (307, 308)
# How Playwright and Chromium name a response whose body is not in the encoding of its headers.
UNDECODABLE = ("incorrect header check", "unexpected end of file", "invalid", "Decompress")


class Http:
    """Makes requests as the page's browser profile, without exceeding the time of a visit.

    ``deadline`` is its end, in the seconds of time.monotonic.
    """

    def __init__(self, context: APIRequestContext, deadline: float) -> None:
        self._context = context
        self._deadline = deadline

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> APIResponse:
        """Request a URL; raises BrowserError if there is no response."""
        url, headers = locate(url, headers or {})
        return self._context.get(url, headers=headers, timeout=self.timeout)

    def post(
        self, url: str, body: str | bytes, headers: Mapping[str, str], *, follow: bool = True
    ) -> APIResponse:
        """Post a body; ``follow`` redirects. Raises BrowserError if there is no response."""
        url, headers = locate(url, headers)
        return self._context.post(
            url,
            data=body,
            headers=headers,
            timeout=self.timeout,
            max_redirects=None if follow else 0,
        )

    @property
    def timeout(self) -> float:
        """The milliseconds that a response may take."""
        left = (self._deadline - time.monotonic()) * 1000
        return max(LEAST_TIMEOUT_MS, min(left, TIMEOUT_MS))


def error_message(error: BrowserError) -> str:
    """Return the message of an error without Playwright's call and call log."""
    text = error.message.splitlines()[0].rpartition("Error: ")[2]
    return re.sub(r"^\w+\.\w+: ", "", text)


def integrity(content: bytes) -> str:
    """Return the integrity attribute of a script."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def fetch_script(http: Http, url: str, page: str) -> Script:
    """Fetch a page's script by its tag's URL, and again without the version, bypassing caches."""
    try:
        response = http.get(url, {"Origin": origin_of(page)})
    except BrowserError as error:
        reason = error_message(error)
        undecodable = any(each in reason for each in UNDECODABLE)
        return Script(url, error=reason, undecodable=undecodable)
    media_type = response.headers.get("content-type", "")
    # The shop's own page of an error may be in another encoding.
    if response.ok and "javascript" in media_type:
        try:
            response.body().decode()
        except UnicodeDecodeError:
            return Script(
                url,
                status=response.status,
                media_type=media_type,
                error="it is not text",
                undecodable=True,
            )
    return Script(
        url,
        status=response.status,
        media_type=media_type,
        integrity=integrity(response.body()) if response.ok else "",
        current_integrity=fetch_current_integrity(http, url),
        allow_origin=response.headers.get("access-control-allow-origin", ""),
        relay_error="" if response.ok else parse_receipt(read_body(response)).error,
        built_integrity=built_integrity(url, response.body()) if response.ok else "",
    )


def fetch_current_integrity(http: Http, url: str) -> str:
    """Return the integrity of the server's current script, "" if there is none.

    Without it, a stale cache cannot be detected.
    """
    try:
        response = http.get(uncached(url.partition("?")[0]))
        is_script = response.ok and "javascript" in response.headers.get("content-type", "")
        return integrity(response.body()) if is_script else ""
    except BrowserError:
        return ""


def fetch_page(http: Http, url: str, headers: Mapping[str, str] | None = None) -> str:
    """Return the HTML that the server now sends for a page, "" if there is none."""
    try:
        response = http.get(uncached(url), headers)
        return response.text() if response.ok else ""
    except (BrowserError, UnicodeDecodeError):
        return ""


def built_integrity(url: str, content: bytes) -> str:
    """Return the integrity that this version's script should have, "" for another version's."""
    name = urlsplit(url).path.rpartition("/")[2]
    try:
        # A copy of another version is stale, not altered. The version may be in a part that is cut.
        is_ours = f'"{VERSION}"'.encode() in content
        if is_ours or bundles.read(name).encode().startswith(content):
            return bundles.integrity(name)
    except bundles.NotBuiltError:
        # An asset pipeline has renamed it.
        return ""
    return ""


def probe_endpoint(http: Http, endpoint: str, page: str, application: str, script: str) -> Probe:
    """Post a batch without events, as the tracker on ``page`` would.

    ``script`` is the URL of the page's script, near which the relay is looked for, too. Without the
    application id of the page, nothing is posted.
    """
    origin = origin_of(page)
    if not application:
        return Probe(
            endpoint,
            origin,
            prefix_stripped=is_prefix_stripped(http, endpoint),
            relay=find_relay(http, endpoint, script),
            page=page,
        )
    try:
        response, location = post_batch(http, endpoint, origin, application)
    except BrowserError as error:
        failure = error_message(error)
        return Probe(endpoint, origin, failure=failure, page=page, app=application)
    receipt = parse_receipt(read_body(response))
    accepted = response.status == ACCEPTED and receipt.is_relay
    return Probe(
        endpoint,
        origin,
        response.status,
        error=receipt.error,
        allow_origin=response.headers.get("access-control-allow-origin", ""),
        allow_credentials=response.headers.get("access-control-allow-credentials") == "true",
        prefix_stripped=response.status == 404 and is_prefix_stripped(http, endpoint),
        relay="" if accepted else find_relay(http, endpoint, script),
        location=location.partition("?")[0],
        page=page,
        app=application,
        accepted=accepted,
    )


def post_batch(http: Http, endpoint: str, origin: str, application: str) -> tuple[APIResponse, str]:
    """Post a batch without events; return the response, and where the endpoint redirects, or "".

    One redirect on which browsers repeat the POST is followed. Raises BrowserError.
    """
    body = make_batch(application)
    target, location = f"{endpoint}?b={body['batch']}", ""
    while True:
        response = http.post(target, json.dumps(body), headers_of(origin), follow=False)
        if response.status not in REPEATING or location:
            break
        location = target = urljoin(target, response.headers.get("location", ""))
    if 300 <= response.status < 400:
        location = urljoin(target, response.headers.get("location", ""))
    return response, location


def count_failures(http: Http, probe: Probe) -> str:
    """Return how many of several batches without events fail, "" if all or none of them do."""
    statuses = []
    for _ in range(TRIES):
        body = make_batch(probe.app)
        url = f"{probe.url}?b={body['batch']}"
        try:
            statuses.append(http.post(url, json.dumps(body), headers_of(probe.origin)).status)
        except BrowserError:
            statuses.append(0)
    failed = [status for status in statuses if status == 0 or status >= 500]
    if ACCEPTED not in statuses or not failed:
        return ""
    return f"{failed[0] or 'nothing'} to {len(failed)} of {len(statuses)} requests"


def headers_of(origin: str) -> dict[str, str]:
    """Return the headers with which the tracker on a page of an origin posts batches."""
    return {"Content-Type": "text/plain", "Origin": origin}


def make_batch(application: str, *events: Any) -> dict[str, Any]:
    """Return a batch of given events."""
    return {
        "v": WIRE_VERSION,
        "app": application,
        "batch": f"verify-{secrets.token_hex(8)}",
        "sent": time.time(),
        "lost": 0,
        "events": list(events),
    }


def resend(http: Http, url: str, body: bytes, origin: str) -> Receipt:
    """Send the batch of an origin's page again, and return the relay's receipt.

    It counts the events that it has received as duplicates, and repeats those that it rejects.
    """
    try:
        return parse_receipt(read_body(http.post(url, body, headers_of(origin))))
    except BrowserError:
        return Receipt()


def is_relay(http: Http, url: str) -> bool:
    """Return whether the relay responds under a URL."""
    try:
        response = http.get(f"{url}/health?live")
    except BrowserError:
        return False
    return is_live(read_body(response))


def is_prefix_stripped(http: Http, endpoint: str) -> bool:
    """Return whether the relay responds under one more prefix, because a proxy strips the first."""
    folder = endpoint.rpartition("/")[0]
    return bool(urlsplit(folder).path) and is_relay(http, folder + RELAY_PATH)


def find_relay(http: Http, *urls: str) -> str:
    """Return the first URL under which the relay responds: a folder of one of them, or its own."""
    for url in urls:
        folder = url.partition("?")[0]
        while urlsplit(folder := folder.rpartition("/")[0]).path:
            if is_relay(http, folder):
                return folder
        if is_relay(http, origin_of(url) + RELAY_PATH):
            return origin_of(url) + RELAY_PATH
    return ""


def fetch_health(http: Http, relay: str, token: str) -> Health | None:
    """Return the relay's health; None if it does not disclose it to this machine."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return parse_health(read_body(http.get(f"{relay}/health", headers)))
    except BrowserError:
        return None


def read_body(response: APIResponse) -> bytes:
    """Return the body of a response, empty if it breaks off."""
    try:
        return response.body()
    except BrowserError:
        return b""
