"""Reads the page's settings from the script tag and ``neuralensConfig``."""

from neuralens_tracker.types import Fields, JSObject, Report
from neuralens_tracker.web.dom import document, find_all
from neuralens_tracker.web.ffi import get, on_caught, record, window
from neuralens_tracker.web.values import from_browser

TAG = "script[data-app-id]"


def find_tag(tag: JSObject) -> JSObject:
    """Return the script tag with the settings: the given one, or another one on the page.

    A tag manager inserts scripts without attributes, or evaluates their text; then the settings are
    on an inert tag with ``data-app-id``.
    """
    if tag and get(get(tag, "dataset"), "appId"):
        return tag
    found = find_all(document, TAG)
    return found[0] if len(found) > 0 else tag


def read_configuration(tag: JSObject, report: Report) -> Fields:
    """Return the keys of ``neuralensConfig`` and the script tag's data, which takes precedence.

    Replaces the function set by ``on_caught``: the caller must set its own afterwards.
    """

    def report_invalid(*_: JSObject) -> None:
        report("neuralensConfig must be an object")

    # What the configuration's getters throw is not reported itself.
    on_caught(report_invalid)
    given = from_browser(get(window, "neuralensConfig") or record({}))
    if given is None:
        given = {}
        report_invalid()
    if tag:
        given.update(from_browser(get(tag, "dataset")) or {})
    return given
