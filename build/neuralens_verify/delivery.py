"""Diagnoses of an event's path from the page to the API: endpoint, consent, relay."""

from collections import Counter

from neuralens_tracker.attributes import IGNORE, PRODUCT
from neuralens_tracker.vocabulary import CONSENTS, DENIED, GRANTED, PENDING

from neuralens_verify.events import all_suppressed, nothing_seen
from neuralens_verify.findings import (
    LEAVE_ALONE,
    OPEN,
    Finding,
    csp_source,
    find_violation,
    is_invalid_consent,
    is_mixed,
    mixed_content,
)
from neuralens_verify.loading import is_down, is_refusal, not_proxied, prefix_stripped
from neuralens_verify.observations import Batch, Health, Observations, Probe, View

# What the relay answers at another path than that of events.
MISSING = (404, 405)


def check_delivery(seen: Observations) -> Finding | None:
    """Return why batches do not get from the pages to the relay."""
    # Without an application id there was no request.
    found = (explain_probe(seen, probe) for probe in seen.probes if probe.app)
    return next(filter(None, found), None)


def explain_probe(seen: Observations, probe: Probe) -> Finding | None:
    """Return why the endpoint of a page does not accept its batches."""
    return (
        explain_block(seen, probe)
        or explain_silence(probe)
        or explain_path(probe)
        or (None if probe.accepted else explain_response(probe))
        or explain_credentials(probe)
    )


def explain_block(seen: Observations, probe: Probe) -> Finding | None:
    """Return why the browser does not even send a batch."""
    if violation := find_violation(seen, "connect-src", probe.url):
        return Finding(
            "csp-connect-src",
            f"the page's Content-Security-Policy blocks requests to {probe.url}",
            f"Allow {csp_source(probe.url, violation.page)} in connect-src.",
            violation.page,
        )
    return mixed_content(probe.url, probe.page) if is_mixed(probe.url, probe.page) else None


def explain_silence(probe: Probe) -> Finding | None:
    """Return why nothing answers that could know of the relay, or not always."""
    if probe.failures:
        return Finding(
            "relay-unreliable",
            f"{probe.url} answers {probe.failures}, and accepts the others",
            "Check each server to which the load balancer forwards these requests: one of them does"
            " not reach the relay.",
            probe.page,
        )
    if probe.failure:
        reason = f"does not respond: {probe.failure}"
        remedy = "Start the relay, or correct the tag's data-endpoint."
    elif probe.error or probe.status < 500:
        return None
    elif is_down(probe.status):
        reason = f"answers {probe.status}: the proxy gets no answer from the relay"
        remedy = "Start the relay, or correct its address in the proxy."
    else:
        reason = f"answers {probe.status}: the application or proxy before the relay fails"
        remedy = "Check the log of the server that answers there."
    return Finding("relay-unreachable", f"{probe.url} {reason}", remedy, probe.page)


def explain_path(probe: Probe) -> Finding | None:
    """Return the finding that the relay accepts events elsewhere."""
    if probe.prefix_stripped:
        return prefix_stripped(probe)
    if 300 <= probe.status < 400:
        return redirected(probe, "where browsers do not repeat a POST")
    if probe.relay and probe.url != f"{probe.relay}/events" and probe.status in MISSING:
        return Finding(
            "wrong-endpoint",
            f"{probe.url} answers {probe.status}: the relay accepts events at {probe.relay}/events",
            f"Set data-endpoint to {probe.relay}/events, or render the snippet with prefix=.",
            probe.page,
        )
    if probe.location and not probe.accepted and (probe.status in MISSING or not probe.error):
        return redirected(probe, f"where the answer is {probe.status}")
    return None


def explain_response(probe: Probe) -> Finding:
    """Return why the relay, or what answers in its place, does not accept a batch."""
    if probe.status == 403 or (not probe.error and is_refusal(probe.status)):
        return explain_refusal(probe)
    if not probe.error:
        return not_proxied(probe.url, str(probe.status), probe.page)
    if probe.status == 400 and "application" in probe.error:
        return Finding(
            "wrong-app-id",
            f"the relay refuses the page's application id {probe.app!r}: {probe.error}",
            "Set data-app-id to the relay's NEURALENS_APPLICATION_ID.",
            probe.page,
        )
    return Finding(
        "relay-refuses",
        f"the relay answers {probe.status}: {probe.error}",
        "Check the relay's log and GET health.",
        probe.page,
    )


def explain_credentials(probe: Probe) -> Finding | None:
    """Return the finding that a relay of another origin does not allow credentials."""
    is_allowed = probe.allow_credentials and probe.allow_origin == probe.origin
    if is_allowed or not probe.is_cross_origin:
        return None
    return Finding(
        "cross-site-cookies",
        f"the relay has another origin than the page, and its response does not allow"
        f" credentials from {probe.origin} (Access-Control-Allow-Origin:"
        f" {probe.allow_origin or 'none'}): the tracker cannot see the outcome of beacons",
        "Let one server alone add the header: the relay or the proxy."
        if "," in probe.allow_origin
        else f"List {probe.origin} instead of * in NEURALENS_ALLOWED_ORIGINS, or in --origins"
        " of `neuralens-tracker dev`; or serve the relay under the shop's own origin.",
        probe.page,
    )


OF_CSRF = (
    "The shop's application answers, with its CSRF protection: have the proxy forward the endpoint"
    " to the relay, or exempt it if the application passes it on."
)
# The remedies of refusals whose status says more than that something refuses: 419 is Laravel's for
# a missing CSRF token, 422 that of Rails.
OF_STATUS = {
    419: OF_CSRF,
    422: OF_CSRF,
    413: "Allow requests of 48 KiB in the proxy (nginx: client_max_body_size).",
    429: "Exempt the endpoint from the rate limit of the proxy or the firewall.",
}


def redirected(probe: Probe, reason: str) -> Finding:
    """Return the finding that the endpoint redirects to where events are not accepted."""
    return Finding(
        "redirected",
        f"{probe.url} redirects to {probe.location}, {reason}",
        "Exempt the endpoint from redirects, such as those to a login, a language, a trailing slash"
        " or HTTPS, or set data-endpoint to where the relay accepts events.",
        probe.page,
    )


def explain_refusal(probe: Probe) -> Finding:
    """Return why an endpoint refuses a request that it has received."""
    if not probe.error:
        return Finding(
            "blocked-on-the-way",
            f"{probe.url} answers {probe.status}, and the response is not the relay's",
            OF_STATUS.get(
                probe.status,
                "Allow POST requests with text/plain and application/json in the firewall, and"
                " exempt the endpoint from the framework's CSRF protection.",
            ),
            probe.page,
        )
    if probe.is_cross_origin:
        return Finding(
            "origin-refused",
            f"the relay does not accept events from pages of {probe.origin}: {probe.error}",
            f"Add {probe.origin} to NEURALENS_ALLOWED_ORIGINS, or to --origins of"
            " `neuralens-tracker dev`.",
            probe.page,
        )
    return Finding(
        "host-rewritten",
        f"the relay takes the page for another origin's, because the proxy rewrites the Host"
        f" header: {probe.error}",
        "Forward the shop's Host header: in nginx, `proxy_set_header Host $http_host;`.",
        probe.page,
    )


def check_consent(seen: Observations) -> Finding | None:
    """Return why no event was captured, or that some were in spite of a refusal."""
    view = seen.views[-1] if seen.views else None
    if view is None:
        return None
    if seen.refused and seen.banner:
        late = [event for event in seen.events if event.step != OPEN]
        if not late:
            return None
        return Finding(
            "sent-without-consent",
            f"{len(late)} events were captured after {seen.banner} was refused",
            'Make the banner call neuralens("consent", "denied").',
            view.url,
        )
    if seen.events:
        return None
    if view.gpc and view.settings.get("respectGpc", "true").lower() != "false":
        return Finding(
            "gpc",
            "the browser sends Global Privacy Control: nothing is tracked, as intended for"
            " shoppers who send it",
            "Switch off Global Privacy Control in this browser or its extension to see events.",
            view.url,
        )
    return explain_no_events(seen, view)


def explain_no_events(seen: Observations, view: View) -> Finding | None:
    """Return why a running tracker has captured no event."""
    consent = view.settings.get("consent", GRANTED)
    if consent not in CONSENTS or any(is_invalid_consent(each) for each in seen.messages):
        # Reported as an invalid value, of the setting or of a call.
        return None
    dropped = [each for each in seen.suppressed if each.reason == "consent"]
    if dropped or seen.held or consent != GRANTED:
        return never_granted(seen, view, DENIED if dropped else PENDING)
    if seen.suppressed:
        each = seen.suppressed[0]
        what = f"event was suppressed, such as {each.name}"
        return all_suppressed(what, each.reason, view.url)
    if any(element.value for each in seen.views for element in each.elements):
        return nothing_seen(view.url)
    return explain_no_items(seen, view)


def never_granted(seen: Observations, view: View, state: str) -> Finding:
    """Return the finding that no banner has granted consent."""
    banner = f"after {seen.banner} was accepted" if seen.banner else "verify found no banner"
    adapters = [tag.src for tag in view.tags if tag.is_adapter]
    remedy = (
        f"Check that the platform of {adapters[0]} is the one on the page, and that what it"
        " asks for covers the tracker."
        if adapters
        else 'Make the banner call neuralens("consent", "granted") when the shopper agrees, and'
        " on later pages, or render data-consent from the stored choice."
    )
    return Finding(
        "consent-never-granted",
        f"consent is still {state} at the end of the visit ({banner}): nothing is sent",
        remedy,
        view.url,
    )


def explain_no_items(seen: Observations, view: View) -> Finding | None:
    """Return why no visited page has an item."""
    if any(each.elements or each.unknown or each.removed for each in seen.views):
        # Without ids, with misspelled names, or removed: reported with the markup.
        return None
    if any(each.fails for each in seen.views):
        # Reported with the events.
        return None
    if any(each.ignored for each in seen.views):
        return Finding(
            "all-ignored",
            f"all products and suggestions are inside an element with {IGNORE}",
            f"Put {IGNORE} only on what is not to be tracked, such as a carousel's clones.",
            view.url,
        )
    if seen.asks_to_log_in:
        return Finding(
            "no-items",
            f"no visited page has a product or suggestion with an attribute, and {view.url} asks"
            " to log in",
            "If the products are behind the login, verify a copy of the shop that needs none.",
            view.url,
        )
    return Finding(
        "no-items",
        "no visited page has a product or suggestion with an attribute",
        f'Add {PRODUCT}="ID" to the tiles; `neuralens-tracker audit` shows what is captured.',
        view.url,
    )


def check_relay(seen: Observations) -> Finding | None:
    """Return why the relay has not accepted events, or cannot forward them to the API."""
    if not seen.views:
        return None
    url = seen.views[-1].url
    lost = None if seen.refused else explain_missing(seen, seen.views[-1]) or explain_rejected(seen)
    return lost or (explain_health(seen.health, url) if seen.health else None)


def explain_missing(seen: Observations, view: View) -> Finding | None:
    """Return why captured events were not acknowledged."""
    captured = {event.eid for event in seen.events}
    missing = captured - seen.acknowledged
    if not missing:
        return None
    unknown = [batch for batch in seen.batches if missing & set(batch.eids)]
    for batch in unknown:
        if batch.status and (batch.from_worker or batch.status < 300 or is_refusal(batch.status)):
            return answered_by_another(batch, batch.status, view.url)
    if unknown and view.worker and all(batch.failed for batch in unknown):
        return Finding(
            "blocked-on-the-way",
            f"the requests with {len(missing)} of {len(captured)} events fail in the page, which"
            f" the service worker {view.worker} controls; the endpoint accepts those from outside",
            LEAVE_ALONE,
            view.url,
        )
    if not unknown and view.replaced:
        return Finding(
            "requests-replaced",
            f"the browser has sent none of {len(missing)} events: a script of the page has"
            f" replaced {' and '.join(view.replaced)}",
            "Check what that script does with requests to the endpoint: that of a consent"
            " platform may block them until their category is allowed.",
            view.url,
        )
    statuses = Counter(str(batch.status or "no response") for batch in unknown)
    return Finding(
        "not-acknowledged",
        f"{len(missing)} of {len(captured)} events were not acknowledged by the relay"
        f" ({', '.join(statuses) or 'never sent'})",
        "Check the requests to the endpoint in the browser's network tab, and the relay's log.",
        view.url,
    )


def answered_by_another(batch: Batch, status: int, url: str) -> Finding:
    """Return the finding that something answers batches with events in the relay's place."""
    remedy = OF_STATUS.get(
        status,
        "Exempt POST requests to the endpoint from the firewall, the bot protection"
        " and the login, whatever their content.",
    )
    if batch.from_worker:
        remedy = LEAVE_ALONE
    return Finding(
        "blocked-on-the-way",
        f"{batch.url} answers batches with {status}, and the response is not the"
        " relay's, which accepts a batch without events",
        remedy,
        url,
    )


def explain_rejected(seen: Observations) -> Finding | None:
    """Return the finding that the relay accepts batches, but rejects their events."""
    if not seen.rejected:
        return None
    (reason, count), *_ = seen.rejected.most_common(1)
    return Finding(
        "rejected-events",
        f"the relay rejects events, such as {count} of the last: {reason}",
        "Correct what the reason names; a page token is too old if a cache serves pages for"
        " longer than a week.",
        seen.views[-1].url,
    )


def explain_health(health: Health, url: str) -> Finding | None:
    """Return why the relay cannot forward events to the API, as of its health."""
    cause = cause_of(health)
    status = cause[:3]
    if status in ("401", "403"):
        return Finding(
            "refused-key",
            f"the API refuses the relay's key or application id: {cause}",
            "Correct NEURALENS_API_KEY and NEURALENS_APPLICATION_ID; until then, events stay in the"
            " outbox.",
            url,
        )
    # Neither an error of the API nor its documented response: something else is at that address.
    is_other = cause and (not status.isdigit() or status.startswith("2"))
    if health.forwarding == "paused" or is_other:
        return Finding(
            "wrong-api-address",
            f"the relay cannot reach the API at NEURALENS_API_URL: {cause}",
            "Correct NEURALENS_API_URL, including its path; until then, events stay in the outbox.",
            url,
        )
    if cause and health.forwarding in ("holding", "failing"):
        return Finding(
            "api-unavailable",
            f"the API is unavailable: {cause}",
            "No event is lost: the relay retries. Check the API's status.",
            url,
        )
    if health.dead:
        return Finding(
            "dead-events",
            f"the API has permanently refused events: {'; '.join(health.reasons)}",
            "List them with `neuralens-tracker relay --dead`, and resend them with --replay once"
            " the cause is fixed.",
            url,
        )
    return None


def cause_of(health: Health) -> str:
    """Return why forwarding fails, beginning with the API's status if it answers; or ""."""
    if health.forwarding == "following":
        # Another process forwards the events of the same outbox, and knows how the API answers.
        return ""
    return "; ".join(health.reasons).partition(f"forwarding is {health.forwarding}: ")[2]
