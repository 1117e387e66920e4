"""Consent by Google Consent Mode v2: what ``gtag("consent", ...)`` puts into ``dataLayer``.

Source: https://developers.google.com/tag-platform/security/guides/consent
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import DENIED, GRANTED, PENDING
from neuralens_tracker.web.addon import follow_pushes, tell
from neuralens_tracker.web.ffi import call, callback, get, same, window

# Milliseconds until the next look at a layer that the page has replaced.
POLL_MS = 1000


def start() -> None:
    """Follow the entries of the data layer, those from before this script too."""
    followed: JSObject = None
    region: JSObject = None
    decision: JSObject = None
    said: JSObject = None

    def look() -> None:
        nonlocal followed, region, decision, said
        layer = get(window, "dataLayer") or []
        if not same(layer, followed):
            followed = layer
            follow_pushes(layer, look)
        before = said
        for entry in layer:
            fields = entry and entry[0] == "consent" and entry[2]
            state = fields and get(fields, "analytics_storage")
            if state:
                if entry[1] == "update":
                    decision = state
                # Which region a shopper is in is not known here, and its default outweighs the one
                # for all others: then only the shopper's own decision grants.
                region = region or get(fields, "region")
                said = decision or (PENDING if region or state != GRANTED else GRANTED)
        # Only once all are read: a default for a region may follow the one for all others.
        if not same(said, before):
            if before == GRANTED:
                # What a default granted that another takes back is erased, too.
                tell("consent", DENIED)
            tell("consent", said)

    look()
    call(window, "setInterval", callback(look), POLL_MS)
