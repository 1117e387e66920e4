"""Diagnoses of an event's path from the page to the API: endpoint, consent, relay."""

from collections import Counter
from collections.abc import Iterator

from neuralens_tracker.attributes import IGNORE, PRODUCT
from neuralens_tracker.vocabulary import CONSENTS, DENIED, GRANTED, PENDING

from neuralens_verify.captured import nothing_seen
from neuralens_verify.findings import (
    OPEN,
    Finding,
    csp_source,
    find_violation,
    is_mixed,
    mixed_content,
)
from neuralens_verify.loading import is_down, is_refusal, not_proxied, prefix_stripped
from neuralens_verify.observations import Observations, Probe, View

# What the relay answers at another path than that of events.
MISSING = (404, 405)


def check_delivery(seen: Observations) -> Iterator[Finding]:
    """Yield why batches do not get from the pages to the relay."""
    for probe in seen.probes:
        # Without an application id there was no request.
        if probe.app:
            yield from explain_probe(seen, probe)


def explain_probe(seen: Observations, probe: Probe) -> Iterator[Finding]:
    """Yield why the endpoint of a page does not accept its batches."""
    if violation := find_violation(seen, "connect-src", probe.url):
        yield Finding(
            "csp-connect-src",
            f"the page's Content-Security-Policy blocks requests to {probe.url}",
            f"Allow {csp_source(probe.url, violation.page)} in connect-src.",
            violation.page,
        )
    elif is_mixed(probe.url, probe.page):
        yield mixed_content(probe.url, probe.page)
    elif probe.failures:
        yield Finding(
            "relay-unreliable",
            f"{probe.url} answers {probe.failures}, and accepts the others",
            "Check each server to which the load balancer forwards these requests: one of them does"
            " not reach the relay.",
            probe.page,
        )
    elif probe.failure:
        yield Finding(
            "relay-unreachable",
            f"{probe.url} does not respond: {probe.failure}",
            "Start the relay, or correct the tag's data-endpoint.",
            probe.page,
        )
    elif is_down(probe.status) and not probe.error:
        yield Finding(
            "relay-unreachable",
            f"{probe.url} answers {probe.status}: the proxy gets no answer from the relay",
            "Start the relay, or correct its address in the proxy.",
            probe.page,
        )
    elif probe.status >= 500 and not probe.error:
        yield Finding(
            "relay-unreachable",
            f"{probe.url} answers {probe.status}: the application or proxy before the relay fails",
            "Check the log of the server that answers there.",
            probe.page,
        )
    elif probe.prefix_stripped:
        yield prefix_stripped(probe)
    elif 300 <= probe.status < 400:
        yield redirected(probe, "where browsers do not repeat a POST")
    elif probe.relay and probe.url != f"{probe.relay}/events" and probe.status in MISSING:
        yield Finding(
            "wrong-endpoint",
            f"{probe.url} answers {probe.status}: the relay accepts events at {probe.relay}/events",
            f"Set data-endpoint to {probe.relay}/events, or render the snippet with prefix=.",
            probe.page,
        )
    elif probe.location and not probe.accepted and (probe.status in MISSING or not probe.error):
        yield redirected(probe, f"where the answer is {probe.status}")
    elif probe.status == 403 or (not probe.error and is_refusal(probe.status)):
        yield explain_refusal(probe)
    elif probe.status == 400 and "application" in probe.error:
        yield Finding(
            "wrong-app-id",
            f"the relay refuses the page's application id {probe.app!r}: {probe.error}",
            "Set data-app-id to the relay's NEURALENS_APPLICATION_ID.",
            probe.page,
        )
    elif not probe.accepted and probe.error:
        yield Finding(
            "relay-refuses",
            f"the relay answers {probe.status}: {probe.error}",
            "Check the relay's log and GET health.",
            probe.page,
        )
    elif not probe.accepted:
        yield not_proxied(probe.url, str(probe.status), probe.page)
    elif probe.is_cross_origin and not (
        probe.allow_credentials and probe.allow_origin == probe.origin
    ):
        yield Finding(
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


# The remedies of refusals whose status says more than that something refuses.
OF_STATUS = {
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


def check_consent(seen: Observations) -> Iterator[Finding]:
    """Yield why no event was captured, or that some were in spite of a refusal."""
    view = seen.views[-1] if seen.views else None
    if view is None:
        return
    if seen.refused and seen.banner:
        late = [event for event in seen.events if event.step != OPEN]
        if late:
            yield Finding(
                "sent-without-consent",
                f"{len(late)} events were captured after {seen.banner} was refused",
                'Make the banner call neuralens("consent", "denied").',
                view.url,
            )
        return
    signal = view.gpc and view.settings.get("respectGpc", "true").lower() != "false"
    if signal and not seen.events:
        yield Finding(
            "gpc",
            "the browser sends Global Privacy Control: nothing is tracked, as intended for"
            " shoppers who send it",
            "Switch off Global Privacy Control in this browser or its extension to see events.",
            view.url,
        )
    elif not seen.events:
        yield from explain_no_events(seen, view)


def explain_no_events(seen: Observations, view: View) -> Iterator[Finding]:
    """Yield why a running tracker has captured no event."""
    consent = view.settings.get("consent", GRANTED)
    if consent not in CONSENTS:
        # Reported as an invalid value.
        return
    dropped = [each for each in seen.suppressed if each.reason == "consent"]
    if dropped or seen.held or consent != GRANTED:
        state = DENIED if dropped else PENDING
        banner = f"after {seen.banner} was accepted" if seen.banner else "verify found no banner"
        adapters = [tag.src for tag in view.tags if tag.is_adapter]
        remedy = (
            f"Check that the platform of {adapters[0]} is the one on the page, and that what it"
            " asks for covers the tracker."
            if adapters
            else 'Make the banner call neuralens("consent", "granted") when the shopper agrees, and'
            " on later pages, or render data-consent from the stored choice."
        )
        yield Finding(
            "consent-never-granted",
            f"consent is still {state} at the end of the visit ({banner}): nothing is sent",
            remedy,
            view.url,
        )
    elif seen.suppressed:
        each = seen.suppressed[0]
        yield Finding(
            "all-suppressed",
            f"every event was suppressed, such as {each.name}: {each.reason}",
            'Check the functions that the shop passes to neuralens("before", ...).',
            view.url,
        )
    elif not any(element.value for each in seen.views for element in each.elements):
        if any(each.elements or each.unknown or each.removed for each in seen.views):
            # Without ids, with misspelt names, or removed: reported with the markup.
            return
        if any(each.ignored for each in seen.views):
            yield Finding(
                "all-ignored",
                f"all products and suggestions are inside an element with {IGNORE}",
                f"Put {IGNORE} only on what is not to be tracked, such as a carousel's clones.",
                view.url,
            )
            return
        yield Finding(
            "no-items",
            "no visited page has a product or suggestion with an attribute",
            f'Add {PRODUCT}="ID" to the tiles; `neuralens-tracker audit` shows what is captured.',
            view.url,
        )
    else:
        yield nothing_seen(view.url)


def check_relay(seen: Observations) -> Iterator[Finding]:
    """Yield why the relay has not acknowledged events, or cannot forward them to the API."""
    view, health = seen.views[-1] if seen.views else None, seen.health
    if view is None:
        return
    captured = {event.eid for event in seen.events}
    missing = captured - seen.acknowledged
    if missing and not seen.refused:
        unknown = [batch for batch in seen.batches if missing & set(batch.eids)]
        statuses = Counter(str(batch.status or "no response") for batch in unknown)
        for batch in unknown:
            if batch.status and (batch.status < 300 or is_refusal(batch.status)):
                yield Finding(
                    "blocked-on-the-way",
                    f"{batch.url} answers batches with {batch.status}, and the response is not the"
                    " relay's, which accepts a batch without events",
                    "Have the shop's service worker leave these requests alone: it calls"
                    " respondWith only for requests that it caches."
                    if batch.from_worker
                    else OF_STATUS.get(
                        batch.status,
                        "Exempt POST requests to the endpoint from the firewall, the bot protection"
                        " and the login, whatever their content.",
                    ),
                    view.url,
                )
                return
        if not unknown and view.replaced:
            yield Finding(
                "requests-replaced",
                f"the browser has sent none of {len(missing)} events: a script of the page has"
                f" replaced {' and '.join(view.replaced)}",
                "Check what that script does with requests to the endpoint: that of a consent"
                " platform may block them until their category is allowed.",
                view.url,
            )
            return
        yield Finding(
            "not-acknowledged",
            f"{len(missing)} of {len(captured)} events were not acknowledged by the relay"
            f" ({', '.join(statuses) or 'never sent'})",
            "Check the requests to the endpoint in the browser's network tab, and the relay's log.",
            view.url,
        )
    if seen.rejected and not seen.refused:
        (reason, count), *_ = seen.rejected.most_common(1)
        yield Finding(
            "rejected-events",
            f"the relay rejects events, such as {count} of the last: {reason}",
            "Correct what the reason names; a page token is too old if a cache serves pages for"
            " longer than a week.",
            view.url,
        )
    if health is None:
        return
    reason = "; ".join(health.reasons)
    _, _, cause = reason.partition(f"forwarding is {health.forwarding}: ")
    if health.forwarding == "following":
        # Another process forwards the events of the same outbox, and knows how the API answers.
        cause = ""
    status = cause[:3]
    if status in ("401", "403"):
        yield Finding(
            "refused-key",
            f"the API refuses the relay's key or application id: {cause}",
            "Correct NEURALENS_API_KEY and NEURALENS_APPLICATION_ID; until then, events stay in the"
            " outbox.",
            view.url,
        )
    elif health.forwarding == "paused" or (cause and not status.isdigit()):
        yield Finding(
            "wrong-api-address",
            f"the relay cannot reach the API at NEURALENS_API_URL: {cause}",
            "Correct NEURALENS_API_URL, including its path; until then, events stay in the outbox.",
            view.url,
        )
    elif cause and health.forwarding in ("holding", "failing"):
        yield Finding(
            "api-unavailable",
            f"the API is unavailable: {cause}",
            "No event is lost: the relay retries. Check the API's status.",
            view.url,
        )
    elif health.dead:
        yield Finding(
            "dead-events",
            f"the API has permanently refused events: {reason}",
            "List them with `neuralens-tracker relay --dead`, and resend them with --replay once"
            " the cause is fixed.",
            view.url,
        )
