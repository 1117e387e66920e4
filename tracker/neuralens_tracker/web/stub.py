"""The inline stub: keeps the page's calls until the tracker is there and takes them over."""

from neuralens_tracker.types import JSObject
from neuralens_tracker.web.ffi import get, put, window


def install_stub() -> None:
    """Make ``neuralens()`` queue its calls, unless there is one already."""
    if get(window, "neuralens") is None:
        queue: list[JSObject] = []

        def neuralens(*values: JSObject) -> None:
            queue.append(values)

        put(window, "neuralens", neuralens)
        put(neuralens, "q", queue)
