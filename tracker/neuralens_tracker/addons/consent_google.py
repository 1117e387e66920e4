"""Consent by Google Consent Mode v2: what ``gtag("consent", ...)`` puts into ``dataLayer``.

Source: https://developers.google.com/tag-platform/security/guides/consent
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import DENIED, GRANTED, PENDING
from neuralens_tracker.web.addon import follow_pushes, tell
from neuralens_tracker.web.ffi import elements, get, put, window


def start() -> None:
    """Follow the entries of the data layer, those from before this script too."""
    layer = get(window, "dataLayer") or []
    put(window, "dataLayer", layer)
    region: JSObject = None
    decision = ""
    said = ""

    # The first entry may be the result of a push: a number, which says nothing.
    def look(*entries: JSObject) -> None:
        nonlocal region, decision, said
        before = said
        for entry in entries:
            values = elements(entry or [])
            fields = values[0] == "consent" and values[2]
            state = fields and get(fields, "analytics_storage")
            if state:
                if values[1] == "update":
                    decision = str(state)
                # Which region a shopper is in is not known here, and its default outweighs the one
                # for all others: then only the shopper's own decision grants.
                region = region or get(fields, "region")
                said = decision or (PENDING if region or state != GRANTED else GRANTED)
        # Only once all are read: a default for a region may follow the one for all others.
        if said != before:
            if before == GRANTED:
                # What a default granted that another takes back is erased, too.
                tell("consent", DENIED)
            tell("consent", said)

    follow_pushes(layer, look)
    look(*elements(layer))
