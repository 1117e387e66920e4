"""What is asked for outside the browser's page: scripts, the endpoint, the relay's health."""

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

PATIENCE_MS = 10_000
# Where a relay that is a process of its own serves.
RELAY_PREFIX = "/nl"
# A query that no cache has seen, and that the relay does not know.
FRESH = "neuralens-verify"


def first_line(error: BrowserError) -> str:
    """Return what an error says, without Playwright's log of the call."""
    return error.message.splitlines()[0].rpartition("Error: ")[2]


def integrity(content: bytes) -> str:
    """Return the integrity attribute of a script."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def fetch_script(http: APIRequestContext, url: str) -> Script:
    """Ask for a script as the tag names it, and past every cache without its version."""
    try:
        answer = http.get(url, timeout=PATIENCE_MS)
    except BrowserError as error:
        return Script(url, 0, "", "", "", first_line(error))
    media_type = answer.headers.get("content-type", "")
    own = integrity(answer.body()) if answer.ok else ""
    bare = urlunsplit((*urlsplit(url)[:3], f"{FRESH}={secrets.token_hex(8)}", ""))
    newest = ""
    try:
        fresh = http.get(bare, timeout=PATIENCE_MS)
        if fresh.ok and "javascript" in fresh.headers.get("content-type", ""):
            newest = integrity(fresh.body())
    except BrowserError:
        # Without it nothing can be said of caches.
        newest = ""
    return Script(url, answer.status, media_type, own, newest)


def probe(http: APIRequestContext, endpoint: str, page: str, application: str) -> Probe:
    """Post a batch without events, as a page's tracker would."""
    parts = urlsplit(page)
    origin = f"{parts.scheme}://{parts.netloc}"
    batch = f"verify-{secrets.token_hex(8)}"
    body = {
        "v": WIRE_VERSION,
        "app": application,
        "batch": batch,
        "sent": time.time(),
        "lost": 0,
        "events": [],
    }
    try:
        answer = http.post(
            f"{endpoint}?b={batch}",
            data=json.dumps(body),
            headers={"Content-Type": "text/plain", "Origin": origin},
            timeout=PATIENCE_MS,
            max_redirects=0,
        )
    except BrowserError as error:
        return Probe(endpoint, origin, 0, failure=first_line(error))
    said = read_json(answer)
    return Probe(
        endpoint,
        origin,
        answer.status,
        error=str(said.get("error", "")),
        allow_origin=answer.headers.get("access-control-allow-origin", ""),
        allow_credentials=answer.headers.get("access-control-allow-credentials") == "true",
        stripped=answer.status == 404 and is_stripped(http, endpoint),
    )


def has_taken(http: APIRequestContext, url: str, body: str, count: int) -> bool:
    """Return whether the relay knows all events of a batch, by sending it again.

    What the relay knows it counts as duplicates; a page that was left sends the rest itself.
    """
    parts = urlsplit(url)
    headers = {"Content-Type": "text/plain", "Origin": f"{parts.scheme}://{parts.netloc}"}
    try:
        answer = http.post(url, data=body, headers=headers, timeout=PATIENCE_MS)
    except BrowserError:
        return False
    return int(read_json(answer).get("duplicates", 0)) >= count


def is_stripped(http: APIRequestContext, endpoint: str) -> bool:
    """Return whether the relay answers one prefix further down: the proxy takes the first away."""
    base = endpoint.rpartition("/")[0]
    try:
        return (
            read_json(http.get(f"{base}{RELAY_PREFIX}/health?live", timeout=PATIENCE_MS)).get(
                "live", False
            )
            is True
        )
    except BrowserError:
        return False


def ask_health(http: APIRequestContext, relay: str, token: str) -> Health | None:
    """Return what the relay says of itself; None where it says it to others alone."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        said = read_json(http.get(f"{relay}/health", headers=headers, timeout=PATIENCE_MS))
    except BrowserError:
        return None
    if not isinstance(said.get("forwarding"), str):
        return None
    reasons = tuple(str(reason) for reason in said.get("reasons", ()))
    waiting, dead = said.get("waiting") or 0, said.get("dead") or 0
    return Health(said["forwarding"], reasons, int(waiting), int(dead))


def read_json(answer: APIResponse) -> dict[str, Any]:
    """Return the JSON object of an answer, an empty one where there is none."""
    try:
        value = json.loads(answer.body())
    except (ValueError, BrowserError):
        return {}
    return value if isinstance(value, dict) else {}
