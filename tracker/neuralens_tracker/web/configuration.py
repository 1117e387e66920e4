"""What the page gives as settings."""

from neuralens_tracker.types import Fields, JSObject, Say
from neuralens_tracker.web.ffi import get, on_caught, record, window
from neuralens_tracker.web.values import from_browser


def read_configuration(tag: JSObject, say: Say) -> Fields:
    """Return the keys of ``neuralensConfig`` and the data of the script tag, which goes first.

    Whoever calls this gives ``on_caught`` a function of its own afterwards.
    """

    def complain(*_: JSObject) -> None:
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
