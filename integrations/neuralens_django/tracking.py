"""Tracks events from the project's server, such as purchases, with the settings in ``NEURALENS``.

The fields, the receipt and the errors are those of ``neuralens_relay.Client``. With ``ENABLED``
false, events are only checked.
"""

from typing import Any

from neuralens_relay.client import Receipt, check_event

from neuralens_django.configuration import configuration
from neuralens_django.mounted import relay


def track(event: str, **fields: Any) -> Receipt:
    """Track an event, and block until it is on disk."""
    if not configuration().enabled:
        return check_event(event, **fields)
    return relay().client().track(event, **fields)


async def track_async(event: str, **fields: Any) -> Receipt:
    """Track an event in an asynchronous view."""
    if not configuration().enabled:
        return check_event(event, **fields)
    return await relay().client().track_async(event, **fields)
