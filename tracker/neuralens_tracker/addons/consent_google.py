"""Consent by Google Consent Mode v2: what ``gtag("consent", ...)`` puts into ``dataLayer``.

Source: https://developers.google.com/tag-platform/security/guides/consent
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import GRANTED, PENDING
from neuralens_tracker.web.addon import follow_pushes, tell
from neuralens_tracker.web.ffi import elements, get, put, window


def start(tag: JSObject) -> None:
    """Follow the entries of the data layer, those from before this script too."""
    layer = get(window, "dataLayer") or []
    put(window, "dataLayer", layer)
    region: JSObject = None

    # The first entry may be the result of a push: a number, which says nothing.
    def look(*entries: JSObject) -> None:
        nonlocal region
        said: JSObject = None
        for entry in entries:
            values = elements(entry or [])
            fields = values[2] or values
            state = get(fields, "analytics_storage")
            if values[0] == "consent" and state:
                # Which region a shopper is in is not known here, and its default outweighs the one
                # for all others: then only the shopper's own decision grants.
                region = region or get(fields, "region")
                known = values[1] == "update" or (state == GRANTED and not region)
                said = state if known else PENDING
        # Only once all are read: a default for a region may follow the one for all others.
        if said:
            tell("consent", said)

    follow_pushes(layer, look)
    look(*elements(layer))
