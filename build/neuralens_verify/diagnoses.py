"""From what was seen to what is wrong: each cause once, with its remedy.

A fault hides what lies behind it: without the script there are no events, and an endpoint that
nobody answers says nothing of the application id. So the way of an event is followed from the tag
to the API, and the first thing on it that is wrong is the finding. What is wrong with the markup is
independent of that way.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from neuralens_embed.placeholders import explain_placeholder
from neuralens_tracker.attributes import IGNORE, LIST, OFFSET, PRODUCT, QUERY
from neuralens_tracker.vocabulary import DENIED, GRANTED, PENDING, VIEW_PRODUCT

from neuralens_verify.observations import ACCEPTED, Event, Observations, Probe, Tag, View

# The steps by name, in their order.
OPEN, SEARCH, RESULTS, SECOND_PAGE, PRODUCT_PAGE = "open", "search", "results", "page 2", "product"
# Values named in one finding.
MAX_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: its cause by name, what was seen, what to do, and on which page."""

    cause: str
    message: str
    remedy: str
    page: str


def diagnose(seen: Observations) -> list[Finding]:
    """Return what is wrong, each cause once."""
    found = [*follow(seen), *judge_markup(seen)]
    return list({finding.cause: finding for finding in reversed(found)}.values())[::-1]


def follow(seen: Observations) -> Iterator[Finding]:
    """Yield what is wrong on the way of an event: two tags, and the first thing that stops it."""
    for view in seen.views:
        yield from judge_tags(view)
    for view in seen.views:
        found = next(judge_script(seen, view), None)
        if found:
            yield found
            return
    for judge in (judge_delivery, judge_consent, judge_relay):
        found = next(judge(seen), None)
        if found:
            yield found
            return


def judge_tags(view: View) -> Iterator[Finding]:
    """Yield that there is more than one tag."""
    if len(view.loading) > 1:
        yield Finding(
            "tag-twice",
            f"the page loads the tracker {len(view.loading)} times:"
            f" {', '.join(tag.src for tag in view.loading)}",
            "Leave one tag: look into the base template and the tag manager. The second one does"
            " nothing but load.",
            view.url,
        )


def judge_script(seen: Observations, view: View) -> Iterator[Finding]:
    """Yield why the tracker does not run on a page, or why the wrong one does."""
    tag = view.loading[0] if view.loading else None
    if view.version is None:
        if tag is None:
            yield Finding(
                "no-tag",
                "the page has no script tag of the tracker",
                "Put what `neuralens-tracker snippet --app-id APP` prints into the base template.",
                view.url,
            )
            return
        yield from explain_loading(seen, view, tag)
    elif tag is not None and not tag.integrity:
        script = seen.scripts.get(tag.src)
        if script and script.newest and script.integrity and script.newest != script.integrity:
            yield outdated(tag, view)


def explain_loading(seen: Observations, view: View, tag: Tag) -> Iterator[Finding]:
    """Yield why a page that has a tag has no tracker."""
    script = seen.scripts.get(tag.src)
    if is_blocked(seen, "script-src", tag.src):
        yield Finding(
            "csp-script-src",
            f"the page's Content-Security-Policy blocks {tag.src}",
            f"Allow {place_of(tag.src, view.url)} in script-src, or give the snippet the page's"
            " nonce.",
            view.url,
        )
    elif script is None or script.error:
        reason = script.error if script else "it was not asked for"
        yield Finding(
            "script-unreachable",
            f"nothing answers at {tag.src}: {reason}",
            "Correct the address, or start the relay behind it.",
            view.url,
        )
    elif script.status >= 400 and script.newest:
        yield Finding(
            "stale-integrity",
            f"{tag.src} answers {script.status}: the snippet is of another version than the script"
            " that is served",
            "Print the snippet again with `neuralens-tracker snippet`, by the version that serves"
            " the script.",
            view.url,
        )
    elif script.status >= 400 or "html" in script.media_type:
        if seen.probe and seen.probe.stripped:
            yield stripped(seen.probe, view)
        else:
            what = "a page" if script.status < 400 else str(script.status)
            yield unproxied(tag.src, what, view)
    elif tag.integrity and script.integrity not in tag.integrity.split():
        if script.newest and script.newest in tag.integrity.split():
            yield outdated(tag, view)
        else:
            yield Finding(
                "stale-integrity",
                f"the integrity of the tag is not that of {tag.src}: the browser blocks it",
                "Print the snippet again with `neuralens-tracker snippet`; nothing on the way, such"
                " as a minifying proxy, may change the script.",
                view.url,
            )
    elif any("data-app-id is missing" in sentence for sentence in seen.said):
        yield Finding(
            "missing-app-id",
            "the script runs, but has no data-app-id: nothing is tracked",
            "Give the tag data-app-id, with the relay's NEURALENS_APPLICATION_ID.",
            view.url,
        )
    else:
        thrown = f": {seen.thrown[0]}" if seen.thrown else ""
        yield Finding(
            "script-fails",
            f"{tag.src} is loaded, but the tracker does not start{thrown}",
            "Look at the browser's console on this page.",
            view.url,
        )


def outdated(tag: Tag, view: View) -> Finding:
    """Return the finding that a cache holds an old script."""
    return Finding(
        "old-cached-script",
        f"a cache on the way answers with an older script at {tag.src} than the server has",
        "Empty the cache of the CDN or proxy for this address, and print the snippet with"
        " --versioned, so that each version has an address of its own.",
        view.url,
    )


def stripped(probe: Probe, view: View) -> Finding:
    """Return the finding that a proxy takes the prefix away."""
    prefix = urlsplit(probe.url).path.rpartition("/")[0] or "/"
    return Finding(
        "prefix-stripped",
        f"the proxy takes {prefix} away from the address before the relay sees it",
        f"Pass the whole path on: in nginx, `proxy_pass http://RELAY;` without a path in"
        f" `location {prefix}/`; in Caddy, `handle` instead of `handle_path`.",
        view.url,
    )


def unproxied(address: str, answer: str, view: View) -> Finding:
    """Return the finding that the shop itself answers where the relay should."""
    prefix = urlsplit(address).path.rpartition("/")[0] or "/"
    return Finding(
        "not-proxied",
        f"{address} is answered with {answer}, and not by the relay",
        f"Pass {prefix}/ on to the relay, for POST too, or correct the tag's data-endpoint.",
        view.url,
    )


def judge_delivery(seen: Observations) -> Iterator[Finding]:
    """Yield why batches do not get from the page into the relay."""
    probe, view = seen.probe, seen.views[-1] if seen.views else None
    if probe is None or view is None:
        return
    if is_blocked(seen, "connect-src", probe.url):
        yield Finding(
            "csp-connect-src",
            f"the page's Content-Security-Policy blocks what is sent to {probe.url}",
            f"Allow {place_of(probe.url, view.url)} in connect-src.",
            view.url,
        )
    elif probe.failure:
        yield Finding(
            "relay-unreachable",
            f"nothing answers at {probe.url}: {probe.failure}",
            "Start the relay, or correct the tag's data-endpoint.",
            view.url,
        )
    elif probe.stripped:
        yield stripped(probe, view)
    elif probe.status == 403:
        yield explain_refusal(probe, view)
    elif probe.status == 400 and "application" in probe.error:
        yield Finding(
            "wrong-app-id",
            f"the relay refuses the tag's application id {view.settings.get('appId', '')!r}:"
            f" {probe.error}",
            "Make data-app-id the relay's NEURALENS_APPLICATION_ID.",
            view.url,
        )
    elif probe.status != ACCEPTED and probe.error:
        yield Finding(
            "relay-refuses",
            f"the relay answers {probe.status}: {probe.error}",
            "Look at the relay's log and at GET health.",
            view.url,
        )
    elif probe.status != ACCEPTED:
        yield unproxied(probe.url, str(probe.status), view)
    elif probe.crosses and not (probe.allow_credentials and probe.allow_origin == probe.origin):
        yield Finding(
            "cross-site-cookies",
            f"the relay is of another origin than the page, and its answer does not allow cookies"
            f" of {probe.origin} (Access-Control-Allow-Origin: {probe.allow_origin or 'none'}): the"
            " browser hides what became of each beacon",
            f"Name {probe.origin} in NEURALENS_ALLOWED_ORIGINS, not *, or put the relay under the"
            " shop's own origin.",
            view.url,
        )


def explain_refusal(probe: Probe, view: View) -> Finding:
    """Return why an endpoint answers 403."""
    if not probe.error:
        return Finding(
            "blocked-on-the-way",
            f"{probe.url} is answered with 403, and not by the relay",
            "Let POST requests of text/plain and application/json through the firewall or the"
            " framework's CSRF protection.",
            view.url,
        )
    if probe.crosses:
        return Finding(
            "origin-refused",
            f"the relay takes nothing from pages of {probe.origin}: {probe.error}",
            f"Add {probe.origin} to NEURALENS_ALLOWED_ORIGINS.",
            view.url,
        )
    return Finding(
        "host-rewritten",
        f"the relay takes the page for another site's, for the proxy has changed the Host:"
        f" {probe.error}",
        "Pass the shop's Host on: in nginx, `proxy_set_header Host $http_host;`.",
        view.url,
    )


def judge_consent(seen: Observations) -> Iterator[Finding]:
    """Yield why nothing was captured, or what was in spite of a refusal."""
    view = seen.views[-1] if seen.views else None
    if view is None:
        return
    if seen.refused and seen.answered:
        late = [event for event in seen.events if event.step != OPEN]
        if late:
            yield Finding(
                "sent-without-consent",
                f"{len(late)} events were captured after {seen.answered} was refused",
                'Have the banner call neuralens("consent", "denied").',
                view.url,
            )
        return
    signal = view.gpc and view.settings.get("respectGpc", "true").lower() != "false"
    by_relay = seen.probe is not None and any("Privacy" in text for text in seen.probe.rejected)
    if by_relay or (signal and not seen.events):
        yield Finding(
            "gpc",
            "the browser says Global Privacy Control: nothing is tracked, which is right for"
            " shoppers who say so",
            "Switch the signal off in this browser, or its extension, to see events.",
            view.url,
        )
    elif not seen.events:
        yield from explain_silence(seen, view)


def explain_silence(seen: Observations, view: View) -> Iterator[Finding]:
    """Yield why a tracker that runs has captured nothing."""
    consent = view.settings.get("consent", GRANTED)
    dropped = [each for each in seen.suppressed if each.reason == "consent"]
    if dropped or consent != GRANTED:
        word = DENIED if dropped else PENDING
        banner = f"after {seen.answered} was accepted" if seen.answered else "no banner was found"
        yield Finding(
            "consent-never-granted",
            f"consent is still {word} at the end of the visit ({banner}): nothing is sent",
            'Have the banner call neuralens("consent", "granted") when the shopper agrees, on later'
            " pages too, or print data-consent from what was decided.",
            view.url,
        )
    elif seen.suppressed:
        each = seen.suppressed[0]
        yield Finding(
            "all-suppressed",
            f"every event was dropped, such as {each.name}: {each.reason}",
            'Look at the functions that the shop gives to neuralens("before", ...).',
            view.url,
        )
    elif not any(each.elements for each in seen.views):
        yield Finding(
            "no-items",
            "none of the pages that were visited has a product or suggestion with an attribute",
            f'Put {PRODUCT}="ID" on the tiles; `neuralens-tracker audit` says what it captures.',
            view.url,
        )
    else:
        yield Finding(
            "nothing-seen",
            "there are items in the markup, but none was seen for long enough",
            "Look whether they can be seen: half of each, for data-view-ms.",
            view.url,
        )


def judge_relay(seen: Observations) -> Iterator[Finding]:
    """Yield what the relay has not taken, or what it cannot hand on to the API."""
    view, health = seen.views[-1] if seen.views else None, seen.health
    if view is None:
        return
    captured = {event.eid for event in seen.events}
    missing = captured - seen.acknowledged
    if missing and not seen.refused:
        statuses = Counter(
            str(post.status or "no answer") for post in seen.posts if missing & set(post.eids)
        )
        yield Finding(
            "not-acknowledged",
            f"{len(missing)} of {len(captured)} events were not taken by the relay"
            f" ({', '.join(statuses) or 'never sent'})",
            "Look at the browser's network tab for the endpoint, and at the relay's log.",
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
            f"the API refuses the relay's key or application: {cause}",
            "Correct NEURALENS_API_KEY and NEURALENS_APPLICATION_ID; the events wait meanwhile.",
            view.url,
        )
    elif health.forwarding == "paused" or (cause and not status.isdigit()):
        yield Finding(
            "wrong-api-address",
            f"the API is not at the relay's address for it: {cause}",
            "Correct NEURALENS_API_URL, with its path; the events wait meanwhile.",
            view.url,
        )
    elif cause and health.forwarding in ("holding", "failing"):
        yield Finding(
            "api-unavailable",
            f"the API takes nothing at the moment: {cause}",
            "Nothing is lost: the events wait. See whether the API is up.",
            view.url,
        )
    elif health.dead:
        yield Finding(
            "dead-events",
            f"the API has refused events for good: {reason}",
            "See `neuralens-tracker relay --dead` for each, and send them again with --replay once"
            " the cause is mended.",
            view.url,
        )


def judge_markup(seen: Observations) -> Iterator[Finding]:
    """Yield what is wrong with ids, ranks, copies and context."""
    for view in seen.views:
        yield from judge_texts(view)
        yield from judge_copies(view)
    yield from judge_ranks(seen)
    yield from judge_context(seen)


def judge_texts(view: View) -> Iterator[Finding]:
    """Yield ids and queries that no template should have printed."""
    texts = [(element.attribute, element.value) for element in view.elements]
    texts += [(QUERY, query) for query in view.queries]
    reasons = {
        f'{name}="{value}"': reason
        for name, value in texts
        if (reason := explain_placeholder(value))
    }
    if reasons:
        named = ", ".join(list(reasons)[:MAX_NAMED])
        yield Finding(
            "unrendered-id",
            f"{named}: {next(iter(reasons.values())).partition(': ')[0]}",
            f"{next(iter(reasons.values())).partition(': ')[2].capitalize()}.",
            view.url,
        )


def judge_copies(view: View) -> Iterator[Finding]:
    """Yield products that stand in one list more than once, and not as a carousel's hidden copy."""
    counts = Counter(
        (element.listing, element.value)
        for element in view.elements
        if element.attribute == PRODUCT and element.listing and not element.hidden
        if not explain_placeholder(element.value)
    )
    copies = [value for (_, value), count in counts.items() if count > 1]
    if copies:
        yield Finding(
            "clones",
            f"products stand more than once in one list: {', '.join(copies[:MAX_NAMED])}",
            f'Put {IGNORE} or aria-hidden="true" on the copies that a carousel or a sticky bar'
            " makes, so that ranks count each product in its own place.",
            view.url,
        )


def judge_ranks(seen: Observations) -> Iterator[Finding]:
    """Yield that ranks begin anew on the second page of a list."""
    first, second = products_by_rank(seen, RESULTS), products_by_rank(seen, SECOND_PAGE)
    restarted = [rank for rank in second if rank in first and not first[rank] & second[rank]]
    if 0 in restarted:
        view = next(view for view in seen.views if view.step == SECOND_PAGE)
        (name, *_) = sorted(second[0])
        yield Finding(
            "ranks-restart",
            f"ranks begin at 0 again on page 2: {name} has the rank of {min(first[0])}",
            f'Put {OFFSET}="N" beside {LIST}, with the rank of the first item of each page.',
            view.url,
        )


def products_by_rank(seen: Observations, step: str) -> dict[int, set[str]]:
    """Return the ids of the products seen at each rank of a search's own list.

    That is the list with the most products; others, such as recommendations, begin at 0 rightly.
    """
    lists: dict[str, set[str]] = {}
    for view in seen.views:
        if view.step == step:
            for element in view.elements:
                if element.attribute == PRODUCT and element.listing:
                    lists.setdefault(element.listing, set()).add(element.value)
    results = max(lists.values(), key=len, default=set())
    ranks: dict[int, set[str]] = {}
    for event in seen.events:
        told = event.step == step and event.name == VIEW_PRODUCT and event.ids[0] in results
        if told and event.index is not None:
            ranks.setdefault(event.index, set()).add(event.ids[0])
    return ranks


def judge_context(seen: Observations) -> Iterator[Finding]:
    """Yield views of a search that do not say for what, as single-page shops forget to."""
    documents: dict[str, str] = {}
    for view in seen.views:
        documents.setdefault(view.step, view.document)
    results = [each for each in seen.events if each.step == RESULTS and each.name == VIEW_PRODUCT]
    if not results or not seen.searched or any(is_right(seen, event) for event in results):
        return
    view = next(view for view in seen.views if view.step == RESULTS)
    queries = {event.query for event in results if event.query}
    what = f"carry the query {min(queries)!r}" if queries else "carry no query"
    if documents[RESULTS] == documents.get(OPEN):
        yield Finding(
            "spa-without-context",
            f"the route has changed without a load, and products in the results {what}",
            f'Put data-nl-page and {QUERY} on the list, or call neuralens("page", {{page, query}})'
            " at each change of route.",
            view.url,
        )
    elif not queries:
        yield Finding(
            "results-without-query",
            f"products in the results {what}",
            f'Put data-nl-page="SEARCH_RESULT_PAGE" and {QUERY} on the list.',
            view.url,
        )


def is_right(seen: Observations, event: Event) -> bool:
    """Return whether a product in the results says what was searched for."""
    return event.query is not None and seen.is_search(event.query)


def is_blocked(seen: Observations, directive: str, address: str) -> bool:
    """Return whether a policy has blocked an address; browsers may name its origin alone."""
    bare = address.partition("?")[0]
    blocked = [
        violation.blocked.partition("?")[0]
        for violation in seen.violations
        if violation.directive.startswith(directive)
    ]
    return any(place and bare.startswith(place) for place in blocked)


def place_of(address: str, page: str) -> str:
    """Return how a policy of a page names an address."""
    parts, here = urlsplit(address), urlsplit(page)
    if (parts.scheme, parts.netloc) == (here.scheme, here.netloc):
        return "'self'"
    return f"{parts.scheme}://{parts.netloc}"
