"""Diagnoses of the tags and their scripts: why the tracker does not run on a page."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from neuralens_embed.names import APP_ID, kebab, snake, suggest_setting
from neuralens_tracker.personal_data import is_email

from neuralens_verify.addresses import origin_of
from neuralens_verify.findings import (
    LEAVE_ALONE,
    Finding,
    csp_source,
    find_violation,
    is_mixed,
    mixed_content,
    page_fails,
)
from neuralens_verify.observations import Observations, Probe, Script, Tag, View, Violation

# The tracker's module, as npm's package has it, too.
MODULE = re.compile(r"/neuralens[\w.\-]*\.mjs$")
# The address of a script with its version.
VERSIONED = re.compile(r"[?&]v=")
# What a sandboxed page must be allowed, for the tracker to run and for its requests to have the
# page's origin.
NEEDED_IN_SANDBOX = ("allow-scripts", "allow-same-origin")
# What a proxy answers if the server behind it does not respond.
GATEWAY_ERRORS = range(502, 505)


def check_loads(seen: Observations) -> Iterator[Finding]:
    """Yield a finding if a page loads itself again and again."""
    for url, count in seen.reloading.items():
        yield Finding(
            "page-reloads",
            f"the page was loaded {count} times during one step",
            "Find what reloads it: a script, a meta refresh, or a service worker that is replaced"
            " on each load.",
            url,
        )


def check_tags(view: View) -> Iterator[Finding]:
    """Yield a finding if there is more than one tag, and one for a misspelled setting."""
    if len(view.tracker_tags) > 1:
        yield Finding(
            "tag-twice",
            f"the page loads the tracker {len(view.tracker_tags)} times:"
            f" {', '.join(tag.src for tag in view.tracker_tags)}",
            "Remove all tags but one: check the base template and the tag manager. Only the first"
            " has an effect.",
            view.url,
        )
    if is_email(view.settings.get("uid", "")):
        yield Finding(
            "personal-data",
            "the tag's data-uid is an e-mail address, which goes to the API with each event",
            "Use an id of the account that says nothing of the person, such as its number.",
            view.url,
        )
    for tag in view.tags:
        for name in tag.settings:
            right = suggest_setting(data_attribute(name))
            # A missing application id is reported as such.
            if right and right != APP_ID:
                yield Finding(
                    "unknown-setting",
                    f"the script tag has {data_attribute(name)}, which is not a setting",
                    f"Did you mean {right}?",
                    view.url,
                )


def check_script(seen: Observations, view: View) -> Finding | None:
    """Return why the tracker does not run on a page, or why an old version or no add-on does."""
    if missing := sandboxed(view.policy):
        return Finding(
            "csp-sandbox",
            f"the page's Content-Security-Policy has sandbox without {' and '.join(missing)}",
            f"Add {' and '.join(missing)} to it, or remove the directive.",
            view.url,
        )
    tag = view.intended_tag
    if view.version is not None:
        return (explain_old_script(seen, view, tag) if tag else None) or explain_addons(seen, view)
    if view.outdated:
        return Finding(
            "old-cached-page",
            "a cache or the shop's service worker serves an older page than the server, with"
            f" {'another tag' if tag else 'no tag'} of the tracker",
            "Purge the pages from the cache of the CDN or the proxy, and have a service worker"
            " request pages from the network first.",
            view.url,
        )
    return explain_loading(seen, view, tag) if tag else explain_absence(seen, view)


def explain_absence(seen: Observations, view: View) -> Finding:
    """Return why a page has no tag of the tracker."""
    if view.fails:
        return page_fails(view, "script tag of the tracker")
    if module := find_module(seen):
        return not_started(seen, module, view)
    if view.mentions_script:
        return Finding(
            "tag-inert",
            "the page's HTML names the tracker's script, but no script tag that runs has it",
            "Take the tag out of the comment, <noscript> or <template> around it, and print it"
            " without escaping, as a template's `safe` or `raw` does; if a script is to insert"
            " it, check when that does.",
            view.url,
        )
    return Finding(
        "no-tag",
        "the page does not contain the tracker's script tag",
        "Put the output of `neuralens-tracker snippet --app-id APP` into the base template.",
        view.url,
    )


def explain_old_script(seen: Observations, view: View, tag: Tag) -> Finding | None:
    """Return the finding that a running script without integrity is older than the server's."""
    script = seen.scripts.get(tag.src)
    if tag.integrity or script is None or not (script.current_integrity and script.integrity):
        return None
    is_old = script.current_integrity != script.integrity
    return old_cached_script(tag, view) if is_old else None


def explain_addons(seen: Observations, view: View) -> Finding | None:
    """Return the finding that an add-on is not loaded."""
    for addon in view.tags:
        if addon.is_addon and (reason := explain_addon(seen, view, addon)):
            return Finding(
                "add-on-fails",
                f"the add-on {addon.src} is not loaded: {reason}",
                "Correct its tag, or regenerate the snippet; a proxy must forward the add-ons like"
                " the script.",
                view.url,
            )
    return None


def explain_addon(seen: Observations, view: View, tag: Tag) -> str:
    """Return why the script of an add-on is not loaded, or ""."""
    script = seen.scripts.get(tag.src)
    if find_violation(seen, "script-src", tag.src):
        return "the page's Content-Security-Policy blocks it"
    if script is None or not tag.runs:
        return ""
    if script.error or script.status >= 400:
        return script.error or f"it answers {script.status}"
    if not script.is_javascript:
        return f"its media type is {script.media_type or 'missing'}"
    if tag.integrity and script.integrity not in tag.integrity.split():
        return "its integrity hash does not match"
    return explain_cors(script, view, tag)


def explain_cors(script: Script, view: View, tag: Tag) -> str:
    """Return why the browser may not use a script of another origin, or ""."""
    own, other = origin_of(view.url), origin_of(script.url)
    if own == other or (tag.cors is None and not tag.integrity):
        return ""
    if tag.cors is None:
        return "the tag has an integrity hash, but no crossorigin attribute"
    if script.allow_origin not in ("*", own):
        return f"its response does not allow {own} (no Access-Control-Allow-Origin)"
    return ""


def explain_loading(seen: Observations, view: View, tag: Tag) -> Finding:
    """Return why the tracker does not run on a page that has its tag."""
    script = seen.scripts.get(tag.src)
    if blocked := explain_block(seen, view, tag):
        return blocked
    if script and script.undecodable:
        return altered_script(
            f"its Content-Encoding is not that of its body ({script.error})", view
        )
    if script is None or script.error or is_down(script.status):
        reason = script.error or f"it answers {script.status}" if script else "it was not requested"
        return Finding(
            "script-unreachable",
            f"{tag.src} does not respond: {reason}",
            "Correct the address in the tag, or start the relay that serves it.",
            view.url,
        )
    return (
        explain_response(seen, view, tag, script)
        or explain_integrity(view, tag, script)
        or explain_start(seen, view, tag, script)
    )


def explain_block(seen: Observations, view: View, tag: Tag) -> Finding | None:
    """Return why the browser does not even request a tag's script."""
    if not tag.runs:
        return Finding(
            "tag-inert",
            f'the tag has type="{tag.kind}", with which browsers do not run it',
            "Remove the type; or, if a consent platform is to change it when the shopper agrees,"
            " check the tag's category there. `--consent-platform` follows the platform without"
            " that.",
            view.url,
        )
    if is_mixed(tag.src, view.url):
        return mixed_content(tag.src, view.url)
    if violation := find_violation(seen, "script-src", tag.src):
        return blocked_script(violation, tag, view)
    if view.needs_integrity and (missing := missing_integrity(tag)):
        return Finding(
            "integrity-required",
            f"the page's Integrity-Policy blocks {tag.src}, whose tag has no"
            f" {' and no '.join(missing)}",
            "Print the tag with `neuralens-tracker snippet --crossorigin anonymous`, which adds"
            " the hash, too.",
            view.url,
        )
    return None


def explain_response(seen: Observations, view: View, tag: Tag, script: Script) -> Finding | None:
    """Return the finding that the response to a request for the script is not a script."""
    if script.replaced:
        response = str(script.status) if script.status >= 400 else script.media_type
        return Finding(
            "blocked-on-the-way",
            f"the shop's service worker answers {tag.src} with {response or 'no media type'}, and"
            " not with the script of the server",
            LEAVE_ALONE,
            view.url,
        )
    if script.status >= 400 and script.current_integrity:
        return Finding(
            "stale-integrity",
            f"{tag.src} answers {script.status}: the snippet is for another version than the"
            " script that is served",
            "Regenerate the snippet with `neuralens-tracker snippet` of the version that serves"
            " the script.",
            view.url,
        )
    if script.status >= 400 or "html" in script.media_type:
        return explain_address(seen, view, tag, script)
    if not script.is_javascript:
        return Finding(
            "script-media-type",
            f"{tag.src} is served as {script.media_type or 'no media type'}: browsers refuse to run"
            " it",
            "Serve it as text/javascript.",
            view.url,
        )
    return None


def explain_address(seen: Observations, view: View, tag: Tag, script: Script) -> Finding:
    """Return why there is an error or a page at the script's address."""
    response = "an HTML page" if script.status < 400 else str(script.status)
    relay = seen.relay_of(view)
    right = f"{relay or 'PREFIX'}/neuralens.js"
    if stripped := next((probe for probe in seen.probes if probe.prefix_stripped), None):
        return prefix_stripped(stripped)
    if script.relay_error or (relay and tag.src.partition("?")[0] != right):
        return Finding(
            "wrong-script-address",
            f"{tag.src} answers {response}: the relay's script has another address",
            f"Set the tag's src to {right}, or print the tag with `neuralens-tracker snippet`.",
            view.url,
        )
    if is_refusal(script.status):
        return Finding(
            "blocked-on-the-way",
            f"{tag.src} answers {script.status}, and the response is not the relay's",
            f"Exempt {prefix_of(tag.src)}/ from the firewall or the login.",
            view.url,
        )
    return not_proxied(tag.src, response, view.url)


def explain_integrity(view: View, tag: Tag, script: Script) -> Finding | None:
    """Return why the browser rejects a script that it has received."""
    hashes = tag.integrity.split()
    if not hashes or script.integrity in hashes:
        return script_without_cors(view, tag, script)
    if script.current_integrity and script.current_integrity in hashes:
        return old_cached_script(tag, view)
    if script.built_integrity in hashes:
        return altered_script("its content is not the one that the tag's integrity names", view)
    return Finding(
        "stale-integrity",
        f"the integrity hash in the tag does not match {tag.src}: the browser blocks it",
        "Regenerate the snippet with `neuralens-tracker snippet`; no proxy or CDN may"
        " change the script, for example by minifying it.",
        view.url,
    )


def script_without_cors(view: View, tag: Tag, script: Script) -> Finding | None:
    """Return the finding that a script of another origin may not be used."""
    reason = explain_cors(script, view, tag)
    if not reason:
        return None
    return Finding(
        "script-without-cors",
        f"the browser blocks {tag.src}: {reason}",
        "Have its server answer with Access-Control-Allow-Origin, and give the tag"
        ' crossorigin="anonymous", as the snippet does; or serve the script from the relay.',
        view.url,
    )


def explain_start(seen: Observations, view: View, tag: Tag, script: Script) -> Finding:
    """Return why a script that the browser may run does not start the tracker."""
    if tag.src not in seen.requested:
        return Finding(
            "tag-inert",
            f"the page contains the tag, but the browser never requests {tag.src}",
            "Scripts that are inserted as HTML (innerHTML, v-html, dangerouslySetInnerHTML) do not"
            " run: put the tag into the page's own HTML, or insert it with createElement.",
            view.url,
        )
    if any(f"{APP_ID} is missing" in sentence for sentence in seen.messages):
        return Finding(
            "missing-app-id",
            f"the script runs, but {APP_ID} is missing or empty: nothing is tracked",
            f"Add {APP_ID} to the tag, with the value of the relay's NEURALENS_APPLICATION_ID.",
            view.url,
        )
    if script.built_integrity and script.integrity != script.built_integrity:
        return altered_script("it does not run, and its content is not that of its version", view)
    return not_started(seen, tag.src, view)


def not_started(seen: Observations, src: str, view: View) -> Finding:
    """Return the finding that the tracker's script does not start it."""
    exception = f": {seen.exceptions[0]}" if seen.exceptions else ""
    return Finding(
        "script-fails",
        f"{src} is loaded, but the tracker does not start{exception}",
        "Import its function start and call it, or load neuralens.js."
        if src.partition("?")[0].endswith(".mjs")
        else "Check the browser's console on this page.",
        view.url,
    )


def find_module(seen: Observations) -> str:
    """Return the URL of the tracker's module that a page has imported, "" if none has."""
    urls = (url for url in sorted(seen.requested) if MODULE.search(urlsplit(url).path))
    return next(urls, "")


def missing_integrity(tag: Tag) -> list[str]:
    """Return the attributes that an Integrity-Policy requires and a tag does not have."""
    attributes = {"integrity": tag.integrity, "crossorigin": tag.cors is not None}
    return [name for name, is_there in attributes.items() if not is_there]


def sandboxed(policy: str) -> list[str]:
    """Return what the sandbox of a Content-Security-Policy does not allow, of what is needed."""
    missing = []
    # Several headers are joined by a comma or a line break.
    for directive in re.split("[,;\n]", policy):
        name, *allowed = directive.lower().split() or [""]
        if name == "sandbox":
            missing += [each for each in NEEDED_IN_SANDBOX if each not in allowed]
    return list(dict.fromkeys(missing))


def old_cached_script(tag: Tag, view: View) -> Finding:
    """Return the finding that a cache serves an old script."""
    prevention = (
        "have it tell addresses apart by their query, which differs with each version."
        if VERSIONED.search(tag.src)
        else "generate the snippet with --versioned, which gives each version its own address."
    )
    return Finding(
        "old-cached-script",
        f"a cache serves an older script at {tag.src} than the server",
        "Purge this address from the cache of the CDN, the proxy or the shop's service worker, and "
        + prevention,
        view.url,
    )


def altered_script(reason: str, view: View) -> Finding:
    """Return the finding that something between the relay and the browser changes the script."""
    src = view.intended_tag.src if view.intended_tag else view.url
    return Finding(
        "altered-script",
        f"{src} is changed on its way from the relay to the browser: {reason}",
        "Exempt it from what minifies, compresses or rewrites scripts: a middleware, a proxy or a"
        " CDN (the relay sends it compressed, and with Cache-Control: no-transform).",
        view.url,
    )


def blocked_script(violation: Violation, tag: Tag, view: View) -> Finding:
    """Return the finding that a page's policy blocks the script."""
    allow = f"Allow {csp_source(tag.src, view.url)} in script-src"
    nonce = "pass the nonce of each response's policy to the snippet"
    if tag.nonce and "'nonce-" in violation.policy:
        reason, remedy = ", whose nonce is not the policy's", f"{nonce}; no cache may keep the page"
    elif "'strict-dynamic'" in violation.policy:
        reason, remedy = ": with 'strict-dynamic' it needs the page's nonce", nonce
    else:
        reason, remedy = "", f"{allow}, or {nonce}"
    return Finding(
        "csp-script-src",
        f"the page's Content-Security-Policy blocks {tag.src}{reason}",
        f"{remedy[0].upper()}{remedy[1:]}.",
        view.url,
    )


def data_attribute(name: str) -> str:
    """Return the attribute of a key of an element's dataset."""
    return "data-" + kebab(snake(name))


def prefix_stripped(probe: Probe) -> Finding:
    """Return the finding that a proxy strips the prefix."""
    prefix = prefix_of(probe.url)
    return Finding(
        "prefix-stripped",
        f"the proxy strips {prefix} from the path before it forwards requests to the relay",
        f"Forward the full path: in nginx, `proxy_pass http://RELAY;` without a path in"
        f" `location {prefix}/`; in Caddy, `handle` instead of `handle_path`.",
        probe.page,
    )


def not_proxied(address: str, response: str, page: str) -> Finding:
    """Return the finding that requests for the relay are not forwarded to it."""
    prefix = prefix_of(address)
    return Finding(
        "not-proxied",
        f"{address} answers {response}, and the response is not the relay's",
        f"Forward all of {prefix}/ to the relay, including POST, or correct the tag's"
        " data-endpoint.",
        page,
    )


def prefix_of(address: str) -> str:
    """Return the path under which the relay should be, of the script's or endpoint's address."""
    return urlsplit(address).path.rpartition("/")[0]


def is_refusal(status: int) -> bool:
    """Return whether a status is a refusal, as of a firewall, rather than a path without a server.

    Frameworks answer 403, 419 or 422 to a request without their CSRF token.
    """
    return 400 <= status < 500 and status not in (404, 405, 410)


def is_down(status: int) -> bool:
    """Return whether a status says that the server behind a proxy does not respond."""
    return status in GATEWAY_ERRORS
