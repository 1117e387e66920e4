"""Diagnoses faults from the observations: each cause once, with its remedy.

A fault masks those behind it: without the script there are no events, and an endpoint that does
not respond cannot reject the application id. Therefore the path of an event is followed from the
tag to the API, and only the first fault on it is reported. Faults of the markup are independent of
that path.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from neuralens_embed.placeholders import explain_placeholder
from neuralens_tracker.attributes import IGNORE, LIST, OFFSET, PRODUCT, QUERY
from neuralens_tracker.vocabulary import DENIED, GRANTED, PENDING, VIEW_PRODUCT

from neuralens_verify.observations import ACCEPTED, Event, Observations, Probe, Tag, View

# The names of the steps, in order.
OPEN, SEARCH, RESULTS, SECOND_PAGE, PRODUCT_PAGE = "open", "search", "results", "page 2", "product"
# The most values listed in one finding.
MAX_LISTED = 3


@dataclass(frozen=True)
class Finding:
    """A fault: the name of its cause, what was observed, the remedy, and the URL of the page."""

    cause: str
    message: str
    remedy: str
    page: str


def diagnose(seen: Observations) -> list[Finding]:
    """Return the findings, the first one of each cause."""
    findings = [*diagnose_path(seen), *check_markup(seen)]
    return list({finding.cause: finding for finding in reversed(findings)}.values())[::-1]


def diagnose_path(seen: Observations) -> Iterator[Finding]:
    """Yield duplicate tags, and the first fault that stops an event on its path."""
    for view in seen.views:
        yield from check_tags(view)
    for view in seen.views:
        finding = next(check_script(seen, view), None)
        if finding:
            yield finding
            return
    for check in (check_delivery, check_consent, check_relay):
        finding = next(check(seen), None)
        if finding:
            yield finding
            return


def check_tags(view: View) -> Iterator[Finding]:
    """Yield a finding if there is more than one tag."""
    if len(view.tracker_tags) > 1:
        yield Finding(
            "tag-twice",
            f"the page loads the tracker {len(view.tracker_tags)} times:"
            f" {', '.join(tag.src for tag in view.tracker_tags)}",
            "Remove all tags but one: check the base template and the tag manager. Only the first"
            " has an effect.",
            view.url,
        )


def check_script(seen: Observations, view: View) -> Iterator[Finding]:
    """Yield why the tracker does not run on a page, or why an old version does."""
    tag = view.tracker_tags[0] if view.tracker_tags else None
    if view.version is None:
        if tag is None:
            yield Finding(
                "no-tag",
                "the page does not contain the tracker's script tag",
                "Put the output of `neuralens-tracker snippet --app-id APP` into the base"
                " template.",
                view.url,
            )
            return
        yield from explain_loading(seen, view, tag)
    elif tag is not None and not tag.integrity:
        script = seen.scripts.get(tag.src)
        if (
            script
            and script.current_integrity
            and script.integrity
            and script.current_integrity != script.integrity
        ):
            yield old_cached_script(tag, view)


def explain_loading(seen: Observations, view: View, tag: Tag) -> Iterator[Finding]:
    """Yield why the tracker does not run on a page that has its tag."""
    script = seen.scripts.get(tag.src)
    if is_blocked(seen, "script-src", tag.src):
        yield Finding(
            "csp-script-src",
            f"the page's Content-Security-Policy blocks {tag.src}",
            f"Allow {csp_source(tag.src, view.url)} in script-src, or pass the page's nonce to the"
            " snippet.",
            view.url,
        )
    elif script is None or script.error:
        reason = script.error if script else "it was not requested"
        yield Finding(
            "script-unreachable",
            f"{tag.src} does not respond: {reason}",
            "Correct the address in the tag, or start the relay that serves it.",
            view.url,
        )
    elif script.status >= 400 and script.current_integrity:
        yield Finding(
            "stale-integrity",
            f"{tag.src} answers {script.status}: the snippet is for another version than the"
            " script that is served",
            "Regenerate the snippet with `neuralens-tracker snippet` of the version that serves"
            " the script.",
            view.url,
        )
    elif script.status >= 400 or "html" in script.media_type:
        if seen.probe and seen.probe.prefix_stripped:
            yield prefix_stripped(seen.probe, view)
        else:
            response = "an HTML page" if script.status < 400 else str(script.status)
            yield not_proxied(tag.src, response, view)
    elif tag.integrity and script.integrity not in tag.integrity.split():
        if script.current_integrity and script.current_integrity in tag.integrity.split():
            yield old_cached_script(tag, view)
        else:
            yield Finding(
                "stale-integrity",
                f"the integrity hash in the tag does not match {tag.src}: the browser blocks it",
                "Regenerate the snippet with `neuralens-tracker snippet`; no proxy or CDN may"
                " change the script, for example by minifying it.",
                view.url,
            )
    elif any("data-app-id is missing" in sentence for sentence in seen.messages):
        yield Finding(
            "missing-app-id",
            "the script runs, but has no data-app-id: nothing is tracked",
            "Add data-app-id to the tag, with the value of the relay's NEURALENS_APPLICATION_ID.",
            view.url,
        )
    else:
        exception = f": {seen.exceptions[0]}" if seen.exceptions else ""
        yield Finding(
            "script-fails",
            f"{tag.src} is loaded, but the tracker does not start{exception}",
            "Check the browser's console on this page.",
            view.url,
        )


def old_cached_script(tag: Tag, view: View) -> Finding:
    """Return the finding that a cache serves an old script."""
    return Finding(
        "old-cached-script",
        f"a cache serves an older script at {tag.src} than the server",
        "Purge this address from the cache of the CDN or proxy, and generate the snippet with"
        " --versioned, which gives each version its own address.",
        view.url,
    )


def prefix_stripped(probe: Probe, view: View) -> Finding:
    """Return the finding that a proxy strips the prefix."""
    prefix = urlsplit(probe.url).path.rpartition("/")[0] or "/"
    return Finding(
        "prefix-stripped",
        f"the proxy strips {prefix} from the path before it forwards requests to the relay",
        f"Forward the full path: in nginx, `proxy_pass http://RELAY;` without a path in"
        f" `location {prefix}/`; in Caddy, `handle` instead of `handle_path`.",
        view.url,
    )


def not_proxied(address: str, response: str, view: View) -> Finding:
    """Return the finding that requests for the relay are not forwarded to it."""
    prefix = urlsplit(address).path.rpartition("/")[0] or "/"
    return Finding(
        "not-proxied",
        f"{address} answers {response}, and the response is not the relay's",
        f"Forward {prefix}/ to the relay, including POST, or correct the tag's data-endpoint.",
        view.url,
    )


def check_delivery(seen: Observations) -> Iterator[Finding]:
    """Yield why batches do not get from the page to the relay."""
    probe, view = seen.probe, seen.views[-1] if seen.views else None
    if probe is None or view is None:
        return
    if is_blocked(seen, "connect-src", probe.url):
        yield Finding(
            "csp-connect-src",
            f"the page's Content-Security-Policy blocks requests to {probe.url}",
            f"Allow {csp_source(probe.url, view.url)} in connect-src.",
            view.url,
        )
    elif probe.failure:
        yield Finding(
            "relay-unreachable",
            f"{probe.url} does not respond: {probe.failure}",
            "Start the relay, or correct the tag's data-endpoint.",
            view.url,
        )
    elif probe.prefix_stripped:
        yield prefix_stripped(probe, view)
    elif probe.status == 403:
        yield explain_refusal(probe, view)
    elif probe.status == 400 and "application" in probe.error:
        yield Finding(
            "wrong-app-id",
            f"the relay refuses the tag's application id {view.settings.get('appId', '')!r}:"
            f" {probe.error}",
            "Set data-app-id to the relay's NEURALENS_APPLICATION_ID.",
            view.url,
        )
    elif probe.status != ACCEPTED and probe.error:
        yield Finding(
            "relay-refuses",
            f"the relay answers {probe.status}: {probe.error}",
            "Check the relay's log and GET health.",
            view.url,
        )
    elif probe.status != ACCEPTED:
        yield not_proxied(probe.url, str(probe.status), view)
    elif probe.is_cross_origin and not (
        probe.allow_credentials and probe.allow_origin == probe.origin
    ):
        yield Finding(
            "cross-site-cookies",
            f"the relay has another origin than the page, and its response does not allow"
            f" credentials from {probe.origin} (Access-Control-Allow-Origin:"
            f" {probe.allow_origin or 'none'}): the tracker cannot see the outcome of beacons",
            f"List {probe.origin} in NEURALENS_ALLOWED_ORIGINS instead of *, or serve the relay"
            " under the shop's own origin.",
            view.url,
        )


def explain_refusal(probe: Probe, view: View) -> Finding:
    """Return why an endpoint answers 403."""
    if not probe.error:
        return Finding(
            "blocked-on-the-way",
            f"{probe.url} answers 403, and the response is not the relay's",
            "Allow POST requests with text/plain and application/json in the firewall, and exempt"
            " the endpoint from the framework's CSRF protection.",
            view.url,
        )
    if probe.is_cross_origin:
        return Finding(
            "origin-refused",
            f"the relay does not accept events from pages of {probe.origin}: {probe.error}",
            f"Add {probe.origin} to NEURALENS_ALLOWED_ORIGINS.",
            view.url,
        )
    return Finding(
        "host-rewritten",
        f"the relay takes the page for another origin's, because the proxy rewrites the Host"
        f" header: {probe.error}",
        "Forward the shop's Host header: in nginx, `proxy_set_header Host $http_host;`.",
        view.url,
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
    dropped = [each for each in seen.suppressed if each.reason == "consent"]
    if dropped or consent != GRANTED:
        state = DENIED if dropped else PENDING
        banner = f"after {seen.banner} was accepted" if seen.banner else "no banner was found"
        yield Finding(
            "consent-never-granted",
            f"consent is still {state} at the end of the visit ({banner}): nothing is sent",
            'Make the banner call neuralens("consent", "granted") when the shopper agrees, and on'
            " later pages, or render data-consent from the stored choice.",
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
    elif not any(each.elements for each in seen.views):
        yield Finding(
            "no-items",
            "no visited page has a product or suggestion with an attribute",
            f'Add {PRODUCT}="ID" to the tiles; `neuralens-tracker audit` shows what is captured.',
            view.url,
        )
    else:
        yield Finding(
            "nothing-seen",
            "the markup has items, but none was in view for long enough",
            "Check that they are visible: half of each, for data-view-ms.",
            view.url,
        )


def check_relay(seen: Observations) -> Iterator[Finding]:
    """Yield why the relay has not acknowledged events, or cannot forward them to the API."""
    view, health = seen.views[-1] if seen.views else None, seen.health
    if view is None:
        return
    captured = {event.eid for event in seen.events}
    missing = captured - seen.acknowledged
    if missing and not seen.refused:
        statuses = Counter(
            str(batch.status or "no response")
            for batch in seen.batches
            if missing & set(batch.eids)
        )
        yield Finding(
            "not-acknowledged",
            f"{len(missing)} of {len(captured)} events were not acknowledged by the relay"
            f" ({', '.join(statuses) or 'never sent'})",
            "Check the requests to the endpoint in the browser's network tab, and the relay's log.",
            view.url,
        )
    if health is None:
        return
    reason = "; ".join(health.reasons)
    _, _, cause = reason.partition(f"forwarding is {health.forwarding}: ")
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


def check_markup(seen: Observations) -> Iterator[Finding]:
    """Yield faults of ids, ranks, clones and context."""
    for view in seen.views:
        yield from check_placeholders(view)
        yield from check_clones(view)
    yield from check_ranks(seen)
    yield from check_context(seen)


def check_placeholders(view: View) -> Iterator[Finding]:
    """Yield ids and queries that show a mistake in the template."""
    texts = [(element.attribute, element.value) for element in view.elements]
    texts += [(QUERY, query) for query in view.queries]
    reasons = {
        f'{name}="{value}"': reason
        for name, value in texts
        if (reason := explain_placeholder(value))
    }
    if reasons:
        listed = ", ".join(list(reasons)[:MAX_LISTED])
        explanation, _, remedy = next(iter(reasons.values())).partition(": ")
        yield Finding(
            "unrendered-id",
            f"{listed}: {explanation}",
            f"{remedy.capitalize()}.",
            view.url,
        )


def check_clones(view: View) -> Iterator[Finding]:
    """Yield products that occur more than once in a list, except as hidden clones of a carousel."""
    counts = Counter(
        (element.list_id, element.value)
        for element in view.elements
        if element.attribute == PRODUCT and element.list_id and not element.hidden
        if not explain_placeholder(element.value)
    )
    clones = [value for (_, value), count in counts.items() if count > 1]
    if clones:
        yield Finding(
            "clones",
            f"products occur more than once in a list: {', '.join(clones[:MAX_LISTED])}",
            f'Add {IGNORE} or aria-hidden="true" to the clones that a carousel or a sticky bar'
            " makes, so that each product has one rank.",
            view.url,
        )


def check_ranks(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if ranks restart on the second page of a list."""
    first, second = products_by_rank(seen, RESULTS), products_by_rank(seen, SECOND_PAGE)
    restarted = [rank for rank in second if rank in first and not first[rank] & second[rank]]
    if 0 in restarted:
        view = next(view for view in seen.views if view.step == SECOND_PAGE)
        (name, *_) = sorted(second[0])
        yield Finding(
            "ranks-restart",
            f"ranks restart at 0 on page 2: {name} has the same rank as {min(first[0])}",
            f'Add {OFFSET}="N" to the element with {LIST}, where N is the rank of the page\'s first'
            " item.",
            view.url,
        )


def products_by_rank(seen: Observations, step: str) -> dict[int, set[str]]:
    """Return the ids of the products seen at each rank of the list of results.

    That is the list with the most products; others, such as recommendations, rightly start at 0.
    """
    lists: dict[str, set[str]] = {}
    for view in seen.views:
        if view.step == step:
            for element in view.elements:
                if element.attribute == PRODUCT and element.list_id:
                    lists.setdefault(element.list_id, set()).add(element.value)
    results = max(lists.values(), key=len, default=set())
    ranks: dict[int, set[str]] = {}
    for event in seen.events:
        viewed = event.step == step and event.name == VIEW_PRODUCT and event.ids[0] in results
        if viewed and event.index is not None:
            ranks.setdefault(event.index, set()).add(event.ids[0])
    return ranks


def check_context(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if views of results lack the query, as happens in single-page shops."""
    documents: dict[str, str] = {}
    for view in seen.views:
        documents.setdefault(view.step, view.document)
    results = [each for each in seen.events if each.step == RESULTS and each.name == VIEW_PRODUCT]
    if (
        not results
        or not seen.searched
        or any(has_searched_query(seen, event) for event in results)
    ):
        return
    view = next(view for view in seen.views if view.step == RESULTS)
    queries = {event.query for event in results if event.query}
    have = f"have the query {min(queries)!r}" if queries else "have no query"
    if documents[RESULTS] == documents.get(OPEN):
        yield Finding(
            "spa-without-context",
            f"the route has changed without a page load, and products in the results {have}",
            f"Add data-nl-page and {QUERY} to the list, or call"
            ' neuralens("page", {page, query}) on each route change.',
            view.url,
        )
    elif not queries:
        yield Finding(
            "results-without-query",
            f"products in the results {have}",
            f'Add data-nl-page="SEARCH_RESULT_PAGE" and {QUERY} to the list.',
            view.url,
        )


def has_searched_query(seen: Observations, event: Event) -> bool:
    """Return whether an event of the results has the query that was searched for."""
    return event.query is not None and seen.is_search(event.query)


def is_blocked(seen: Observations, directive: str, address: str) -> bool:
    """Return whether the policy blocked an address; browsers may report only its origin."""
    bare = address.partition("?")[0]
    blocked = [
        violation.blocked.partition("?")[0]
        for violation in seen.violations
        if violation.directive.startswith(directive)
    ]
    return any(url and bare.startswith(url) for url in blocked)


def csp_source(address: str, page: str) -> str:
    """Return the source expression that allows an address in the page's policy."""
    parts, own = urlsplit(address), urlsplit(page)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return "'self'"
    return f"{parts.scheme}://{parts.netloc}"
