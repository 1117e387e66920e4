"""Consent by Cookiebot: its category of statistics.

Source: https://www.cookiebot.com/en/developer/
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import listen_for, tell_consent
from neuralens_tracker.web.ffi import get, window

EVENTS = ("CookiebotOnConsentReady", "CookiebotOnAccept", "CookiebotOnDecline")


def start() -> None:
    """Follow the categories that are consented to, from when they are known."""
    granted: JSObject = None

    def look(event: JSObject) -> None:
        nonlocal granted
        bot = get(window, "Cookiebot")
        consent = bot and get(bot, "consent")
        if consent:
            # ``Cookiebot.withdraw()`` may take back the response, too.
            decided = granted or get(bot, "hasResponse")
            granted = get(consent, "statistics")
            tell_consent(granted, decided)

    for name in EVENTS:
        listen_for(name, look)
    look(None)
