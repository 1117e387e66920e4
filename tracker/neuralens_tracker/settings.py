"""The settings: attributes of the script tag (``data-app-id``) and keys of ``neuralensConfig``."""

from typing import Any

from neuralens_tracker.value_types import COUNT, FLAG, TEXT, demand, read
from neuralens_tracker.vocabulary import CONSENTS, GRANTED, PAGES

# name: (kind, default). The attribute of the script tag is "data-" and the name in kebab-case.
SETTINGS: dict[str, Any] = {
    "appId": (TEXT, ""),
    "endpoint": (TEXT, "/nl/events"),
    "uid": (TEXT, None),
    "page": (PAGES, None),
    "query": (TEXT, None),
    "consent": (CONSENTS, GRANTED),
    "respectGpc": (FLAG, True),
    # Milliseconds that a product is in view, and that a list of suggestions stands unchanged.
    "viewMs": (COUNT, 1000),
    "suggestionMs": (COUNT, 400),
    "debug": (FLAG, False),
}


def choose(name: str, value: Any, otherwise: Any, say: Any) -> Any:
    """Return what a setting becomes with a value; ``otherwise``, and a word of it, when wrong."""
    known = read(SETTINGS[name][0], value)
    if known is None and value is not None:
        say(demand(name, SETTINGS[name][0]))
    return otherwise if known is None else known


def resolve(given: dict[str, Any], say: Any) -> dict[str, Any]:
    """Return every setting: the given one where it is right, else the default."""
    settings: dict[str, Any] = {}
    for name in list(SETTINGS.keys()):
        settings[name] = choose(name, given.get(name), SETTINGS[name][1], say)
    return settings
