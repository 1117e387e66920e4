"""What the page gives as settings."""

from typing import Any

from neuralens_tracker.web.dom import document, find_all
from neuralens_tracker.web.ffi import get, on_caught, record, window
from neuralens_tracker.web.values import from_browser

TAG = "script[data-app-id]"


def find_tag(tag: Any) -> Any:
    """Return the script tag that holds the settings: the given one, or another of the page.

    A tag manager inserts a script without attributes, or evaluates its text: then an inert tag with
    ``data-app-id`` counts.
    """
    if tag and get(get(tag, "dataset"), "appId"):
        return tag
    found = find_all(document, TAG)
    return found[0] if len(found) > 0 else tag


def read_configuration(tag: Any, say: Any) -> dict[str, Any]:
    """Return the keys of ``neuralensConfig`` and the data of the script tag, which goes first.

    Whoever calls this gives ``on_caught`` a function of its own afterwards.
    """

    def complain(*_: Any) -> None:
        say("neuralensConfig must be an object")

    # A configuration that throws is said to be wrong, not what it throws.
    on_caught(complain)
    given = from_browser(get(window, "neuralensConfig") or record({}))
    if given is None:
        given = {}
        complain()
    if tag:
        given.update(from_browser(get(tag, "dataset")))
    return given
