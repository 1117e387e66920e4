"""The tabs of a site that share its storage: which of them are alive, by the Web Locks API.

Source: https://w3c.github.io/web-locks/. It exists on secure pages only.
"""

from typing import Any

from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.ffi import (
    attempt,
    call,
    callback,
    construct,
    get,
    invoke,
    record,
    window,
)
from neuralens_tracker.web.platform import wait

# Milliseconds after which, without locks, a tab is taken for gone: what it sent is settled by then.
GONE_MS = 10000


class Tabs:
    """Each tab holds a lock of its name for as long as it lives."""

    def __init__(self) -> None:
        self._locks = get(get(window, "navigator"), "locks")
        self._let_go: Any = None

    def hold(self, tab: str) -> None:
        """Be alive under this name until ``release``."""

        def keep(*_: Any) -> Any:
            return construct("Promise", callback(self._keep))

        if self._locks:
            self._request(tab, {}, keep)

    def _keep(self, resolve: Any, *_: Any) -> None:
        self._let_go = resolve

    def _request(self, tab: str, options: dict[str, Any], granted: Any) -> None:
        asked = call(self._locks, "request", PREFIX + tab, record(options), callback(granted))
        # A page that is being closed is refused.
        attempt(asked, "catch", callback(ignore))

    def release(self) -> None:
        """Be gone: a lock that is held keeps a page out of the back/forward cache."""
        if self._let_go:
            invoke(self._let_go, None)

    def when_gone(self, tab: str, act: Any) -> None:
        """Call ``act(tab)`` if no tab of that name lives, and let no other tab act meanwhile."""

        def granted(lock: Any, *_: Any) -> None:
            if lock:
                act(tab)

        def passed(*_: Any) -> None:
            act(tab)

        if self._locks:
            self._request(tab, {"ifAvailable": True}, granted)
        else:
            wait(GONE_MS, passed)


def ignore(*_: Any) -> None:
    """Pass over what a promise is refused for."""
    return
