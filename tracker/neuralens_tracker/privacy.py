"""Whether a shopper may be tracked: consent, and what the browser says for the shopper."""

from typing import Any

from neuralens_tracker.vocabulary import DENIED


def decide(consent: str, respects_signal: bool, signal: Any) -> str:
    """Return the consent that holds: Global Privacy Control is a refusal, where it is respected.

    Source: https://w3c.github.io/gpc/, "navigator.globalPrivacyControl".
    """
    return DENIED if respects_signal and signal else consent
