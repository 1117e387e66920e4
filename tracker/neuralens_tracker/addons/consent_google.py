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
    regions: list[JSObject] = []

    def look(result: JSObject, *entries: JSObject) -> None:
        for entry in entries:
            values = elements(entry or [])
            fields = values[2]
            if values[0] == "consent" and fields:
                state = get(fields, "analytics_storage")
                # Which region a shopper is in is not known here, and its default outweighs the one
                # for all others: then only the shopper's own decision grants.
                if get(fields, "region"):
                    regions.append(state)
                known = values[1] == "update" or (state == GRANTED and len(regions) == 0)
                if state:
                    tell("consent", state if known else PENDING)

    follow_pushes(layer, look)
    look(None, *elements(layer))
