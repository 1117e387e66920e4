"""Consent by Cookiebot: its category of statistics.

Source: https://www.cookiebot.com/en/developer/
"""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.addon import listen_for, tell_consent
from neuralens_tracker.web.ffi import get, window

EVENTS = ("CookiebotOnConsentReady", "CookiebotOnAccept", "CookiebotOnDecline")


def start(tag: JSObject) -> None:
    """Follow the categories that are consented to, from when they are known."""

    def look(event: JSObject) -> None:
        bot = get(window, "Cookiebot")
        consent = bot and get(bot, "consent")
        if consent:
            tell_consent(get(consent, "statistics"), get(bot, "hasResponse"))

    for name in EVENTS:
        listen_for(name, look)
    look(None)
