"""Consent by Usercentrics, by the interfaces of its versions 2 and 3: all services.

Source: https://usercentrics.com/docs/web/
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import LOOK_MS, listen_for, tell_consent
from neuralens_tracker.web.ffi import call, callback, get, window
from neuralens_tracker.web.platform import wait

EVENTS = ("UC_UI_INITIALIZED", "UC_UI_CMP_EVENT", "UC_CONSENT")


def start() -> None:
    """Follow the decisions that the platform knows of."""

    def read(details: JSObject) -> None:
        consent = get(details, "consent")
        decided = get(consent, "type") == "EXPLICIT" or not get(consent, "required")
        granted = decided and get(consent, "status") == "ALL_ACCEPTED"
        tell_consent(granted, decided)

    take = callback(read)

    def look(event: JSObject) -> None:
        third = get(window, "__ucCmp")
        second = get(window, "UC_UI")
        if third:
            # A rejection too, as before the platform has started, or the page would report it.
            call(call(third, "getConsentDetails"), "then", take, take)
        elif second and call(second, "isInitialized"):
            decided = not call(second, "isConsentRequired")
            tell_consent(call(second, "areAllConsentsAccepted"), decided)
        if event:
            # Once more, as the state may change after the event.
            wait(LOOK_MS, look, None)

    for name in EVENTS:
        listen_for(name, look)
    look(None)
