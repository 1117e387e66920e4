"""Shops with one seeded fault each, and the cause that ``verify`` must report.

``FAULTLESS`` are shops without any fault.
"""

from neuralens_embed import bundles

from tests.verify.shops import Shop, tag

REMOTE = {"allowed_origins": ("{shop}",)}


def remote(shop: Shop) -> str:
    """Return the snippet for a relay on another origin, without a proxy."""
    return tag(shop, prefix=f"{shop.relay_url}/nl")


def pending(shop: Shop) -> str:
    """Return the snippet of a shop that asks for consent."""
    return tag(shop, consent="pending", stub=True)


def without_integrity(shop: Shop) -> str:
    return tag(shop, integrity=False, versioned=False)


OLD = bundles.read("neuralens.js").encode() + b"// an older build"
POLICY = "default-src 'self'; script-src {}; connect-src {}; img-src data:"

FAULTLESS = {
    "plain": Shop(),
    "policy": Shop(policy=POLICY.format("'self'", "'self'")),
    "single-page": Shop(single_page=True),
    "cross-origin": Shop(tag=remote, relay=REMOTE),
    "own banner": Shop(tag=pending, banner="own"),
    "platform's banner": Shop(tag=pending, banner="platform"),
    "unversioned": Shop(tag=without_integrity),
}
FAULTS = {
    "no tag": ("no-tag", Shop(tag=lambda shop: "")),
    "tag twice": ("tag-twice", Shop(tag=lambda shop: tag(shop) * 2)),
    "wrong app id": (
        "wrong-app-id",
        Shop(tag=lambda shop: tag(shop).replace("shop-app", "other-app")),
    ),
    "missing app id": (
        "missing-app-id",
        Shop(tag=lambda shop: tag(shop).replace("data-app-id", "data-appid")),
    ),
    "stale integrity": (
        "stale-integrity",
        Shop(tag=lambda shop: tag(shop, versioned=False).replace("sha384-", "sha384-AAAA")),
    ),
    "stale version": (
        "stale-integrity",
        Shop(tag=lambda shop: tag(shop).replace("?v=", "?v=AAAA")),
    ),
    "CSP script-src": ("csp-script-src", Shop(policy=POLICY.format("'none'", "'self'"))),
    "CSP connect-src": (
        "csp-connect-src",
        Shop(policy=POLICY.format("'self'", "'none'")),
    ),
    "nothing proxied": ("not-proxied", Shop(forward=lambda path: None)),
    "endpoint not proxied": (
        "not-proxied",
        Shop(forward=lambda path: None if path.endswith("/events") else path),
    ),
    "prefix stripped": (
        "prefix-stripped",
        Shop(forward=lambda path: path.removeprefix("/nl")),
    ),
    "Host rewritten": ("host-rewritten", Shop(host="relay.internal")),
    "origin refused": ("origin-refused", Shop(tag=remote)),
    "cross-site without cookies": (
        "cross-site-cookies",
        Shop(tag=remote, relay={"allowed_origins": ("*",)}),
    ),
    "old cached script": ("old-cached-script", Shop(tag=without_integrity, cached=OLD)),
    "old script, new integrity": (
        "old-cached-script",
        Shop(tag=lambda shop: tag(shop, versioned=False), cached=OLD),
    ),
    "GPC": ("gpc", Shop(signal=True)),
    "consent never granted": (
        "consent-never-granted",
        Shop(tag=pending, banner="own", grants=False),
    ),
    "SPA without context": (
        "spa-without-context",
        Shop(single_page=True, context=False, delay=1),
    ),
    "SPA with an old context": (
        "spa-without-context",
        Shop(
            tag=lambda shop: tag(shop, page="SEARCH_RESULT_PAGE", query="table"),
            single_page=True,
            context=False,
        ),
    ),
    "id None": ("unrendered-id", Shop(identify=lambda product: str(None))),
    "id not rendered": ("unrendered-id", Shop(identify=lambda product: "{{ product.id }}")),
    "id localised": (
        "unrendered-id",
        Shop(identify=lambda product: f"{1234 + product.position:,}"),
    ),
    "ranks restart": ("ranks-restart", Shop(offset=False)),
    "clones": ("clones", Shop(clone=True)),
    "wrong API address": (
        "wrong-api-address",
        Shop(relay={"api_url": "{api}/elsewhere"}),
    ),
    "nobody at the API's address": (
        "wrong-api-address",
        Shop(relay={"api_url": "http://127.0.0.1:9/analytics/event"}),
    ),
    "refused key": ("refused-key", Shop(relay={"api_key": "another"})),
    "dead events": ("dead-events", Shop(faults=[{"status": 422, "times": 99}])),
}
