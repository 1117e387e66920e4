"""HTTP requests outside the page: the scripts, the endpoint and the relay's health."""

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from neuralens_tracker.vocabulary import WIRE_VERSION
from playwright.sync_api import APIRequestContext, APIResponse
from playwright.sync_api import Error as BrowserError

from neuralens_verify.observations import Health, Probe, Script

TIMEOUT_MS = 10_000
# The prefix of a standalone relay.
RELAY_PREFIX = "/nl"
# A parameter that makes a URL new to every cache, and that the relay ignores.
CACHE_BUSTER = "neuralens-verify"


def error_message(error: BrowserError) -> str:
    """Return the message of an error without Playwright's call log."""
    return error.message.splitlines()[0].rpartition("Error: ")[2]


def integrity(content: bytes) -> str:
    """Return the integrity attribute of a script."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def fetch_script(http: APIRequestContext, url: str) -> Script:
    """Fetch a script by its tag's URL, and again without the version, bypassing caches."""
    try:
        response = http.get(url, timeout=TIMEOUT_MS)
    except BrowserError as error:
        return Script(url, 0, "", "", "", error_message(error))
    media_type = response.headers.get("content-type", "")
    own = integrity(response.body()) if response.ok else ""
    uncached = urlunsplit((*urlsplit(url)[:3], f"{CACHE_BUSTER}={secrets.token_hex(8)}", ""))
    current = ""
    try:
        fresh = http.get(uncached, timeout=TIMEOUT_MS)
        if fresh.ok and "javascript" in fresh.headers.get("content-type", ""):
            current = integrity(fresh.body())
    except BrowserError:
        # Then a stale cache cannot be detected.
        current = ""
    return Script(url, response.status, media_type, own, current)


def probe_endpoint(http: APIRequestContext, endpoint: str, page: str, application: str) -> Probe:
    """Post a batch without events, as the tracker on ``page`` would."""
    parts = urlsplit(page)
    origin = f"{parts.scheme}://{parts.netloc}"
    batch_id = f"verify-{secrets.token_hex(8)}"
    body = {
        "v": WIRE_VERSION,
        "app": application,
        "batch": batch_id,
        "sent": time.time(),
        "lost": 0,
        "events": [],
    }
    try:
        response = http.post(
            f"{endpoint}?b={batch_id}",
            data=json.dumps(body),
            headers={"Content-Type": "text/plain", "Origin": origin},
            timeout=TIMEOUT_MS,
            max_redirects=0,
        )
    except BrowserError as error:
        return Probe(endpoint, origin, 0, failure=error_message(error))
    return Probe(
        endpoint,
        origin,
        response.status,
        error=str(parse_json(response).get("error", "")),
        allow_origin=response.headers.get("access-control-allow-origin", ""),
        allow_credentials=response.headers.get("access-control-allow-credentials") == "true",
        prefix_stripped=response.status == 404 and is_prefix_stripped(http, endpoint),
    )


def is_acknowledged(http: APIRequestContext, url: str, body: str, count: int) -> bool:
    """Return whether the relay has received all events of a batch, by sending it again.

    It counts those that it has received as duplicates.
    """
    parts = urlsplit(url)
    headers = {"Content-Type": "text/plain", "Origin": f"{parts.scheme}://{parts.netloc}"}
    try:
        response = http.post(url, data=body, headers=headers, timeout=TIMEOUT_MS)
    except BrowserError:
        return False
    return int(parse_json(response).get("duplicates", 0)) >= count


def is_prefix_stripped(http: APIRequestContext, endpoint: str) -> bool:
    """Return whether the relay responds under one more prefix, because a proxy strips the first."""
    base = endpoint.rpartition("/")[0]
    try:
        response = http.get(f"{base}{RELAY_PREFIX}/health?live", timeout=TIMEOUT_MS)
    except BrowserError:
        return False
    return parse_json(response).get("live", False) is True


def fetch_health(http: APIRequestContext, relay: str, token: str) -> Health | None:
    """Return the relay's health; None if it does not disclose it to this machine."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        health = parse_json(http.get(f"{relay}/health", headers=headers, timeout=TIMEOUT_MS))
    except BrowserError:
        return None
    if not isinstance(health.get("forwarding"), str):
        return None
    reasons = tuple(str(reason) for reason in health.get("reasons", ()))
    waiting, dead = health.get("waiting") or 0, health.get("dead") or 0
    return Health(health["forwarding"], reasons, int(waiting), int(dead))


def parse_json(response: APIResponse) -> dict[str, Any]:
    """Return the JSON object in a response, or an empty one."""
    try:
        value = json.loads(response.body())
    except (ValueError, BrowserError):
        return {}
    return value if isinstance(value, dict) else {}
