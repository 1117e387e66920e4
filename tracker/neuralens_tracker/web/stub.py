"""The inline stub: queues the page's calls until the tracker has loaded."""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.ffi import get, put, window


def install_stub() -> None:
    """Define ``window.neuralens`` as a function that queues its calls, unless it is defined."""
    if get(window, "neuralens") is None:
        queue: list[JSObject] = []

        def neuralens(*values: JSObject) -> None:
            queue.append(values)

        put(window, "neuralens", neuralens)
        put(neuralens, "q", queue)
