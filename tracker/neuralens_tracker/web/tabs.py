"""Detects which tabs of a site are still open, by the Web Locks API.

Source: https://w3c.github.io/web-locks/. It needs a secure context.
"""

from collections.abc import Callable

from neuralens_tracker.types import Fields, JSFunction, JSObject
from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.ffi import (
    attempt,
    callback,
    construct,
    get,
    invoke,
    record,
    window,
)
from neuralens_tracker.web.platform import wait

# Without locks any tab counts as closed after this many milliseconds: its batches have outcomes by
# then, and the relay deduplicates if it was open after all.
GONE_MS = 10000
# Milliseconds for which the lock of a closed tab is held: by then the storage of other tabs, which
# may be in other processes, shows that its events were adopted.
SYNC_MS = 500


class Tabs:
    """Each tab holds a lock of its name while it is open."""

    def __init__(self) -> None:
        self._locks = get(get(window, "navigator"), "locks")
        # Resolving the promise of the lock's callback releases the lock.
        self._resolve: JSFunction = None

    def hold(self, tab: str) -> None:
        """Mark this tab as open under a name, until ``release``."""

        def keep(*_: JSObject) -> JSObject:
            return construct("Promise", callback(self._keep))

        if self._locks:
            self._request(tab, {}, keep)

    def _keep(self, resolve: JSObject, *_: JSObject) -> None:
        self._resolve = resolve

    def _request(self, tab: str, options: Fields, granted: Callable[..., object]) -> None:
        asked = attempt(self._locks, "request", PREFIX + tab, record(options), callback(granted))
        # The request is rejected when the page is being unloaded.
        attempt(asked, "catch", callback(ignore))

    def release(self) -> None:
        """Mark this tab as closed. A held lock would keep it out of the back/forward cache."""
        if self._resolve:
            invoke(self._resolve, None)

    def if_gone(self, tab: str, act: Callable[[str], None]) -> None:
        """Call ``act(tab)`` if no open tab has that name, holding its lock meanwhile."""

        def linger(resolve: JSObject, *_: JSObject) -> None:
            wait(SYNC_MS, invoke, resolve, None)

        def granted(lock: JSObject, *_: JSObject) -> JSObject:
            if lock:
                act(tab)
            return construct("Promise", callback(linger))

        if self._locks:
            self._request(tab, {"ifAvailable": True}, granted)
        else:
            wait(GONE_MS, act, tab)


def ignore(*_: JSObject) -> None:
    """Ignore the rejection of a promise."""
    return
