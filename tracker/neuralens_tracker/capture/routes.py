"""Detects route changes of single-page shops, from the address and from the document's context."""

from collections.abc import Callable

from neuralens_tracker.attributes import IGNORE, LANDING, PAGE, QUERY
from neuralens_tracker.capture.lifecycle import on_navigation
from neuralens_tracker.page_view import DOCUMENT, ROUTE, PageView
from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import AUTOCOMPLETE
from neuralens_tracker.web.dom import attribute, closest, document, find_all, listen
from neuralens_tracker.web.ffi import get, window
from neuralens_tracker.web.platform import now

# Selects the page's query, not that of autocomplete suggestions.
PAGE_QUERY = "[" + QUERY + "]:not([role=listbox],[" + PAGE + "=" + AUTOCOMPLETE + "])"


def read_path() -> str:
    """Return the path of the page, with the fragment if a router keeps the route there.

    The query string is left out: it holds campaigns, filters and page numbers.
    """
    location = get(window, "location")
    fragment: str = get(location, "hash")
    is_route = fragment.startswith("#/") or fragment.startswith("#!")
    path: str = get(location, "pathname") + (fragment if is_route else "")
    return path


def first_value(name: str, selector: str) -> str:
    """Return the attribute of the first matching element that is not ignored, or ""."""
    for element in find_all(document, selector):
        if not closest(element, "[" + IGNORE + "]"):
            value: str = attribute(element, name)
            return value
    return ""


def is_other(before: str, value: str) -> bool:
    """Return whether a value is not the one before, if there was one."""
    return before != "" and before != value


class Routes:
    """Compares address and document with the last check, and calls ``begin()`` for a page view.

    ``page_view`` decides whether a change begins one.
    """

    def __init__(self, page_view: PageView, begin: Callable[[], None]) -> None:
        self._page_view = page_view
        self._begin = begin
        self._path = read_path()
        # The last landing and query found in the document.
        self._landing = ""
        self._query = ""

    def start(self) -> None:
        """Listen for navigations, by the Navigation API or, where it is missing, the History API's.

        ``pushState`` fires no event there: such routes are found when the document changes.
        """
        self._page_view.start(now())
        listen("popstate hashchange", self.check)
        on_navigation("currententrychange", self.check)

    def check(self, event: JSObject = None, *_: JSObject) -> None:
        """Begin a page view if address or document have changed, also called after mutations.

        An address that is replaced alone, for example by the canonical one, begins none.
        """
        path = read_path()
        if event and get(event, "navigationType") == "replace":
            self._path = path
        landing = first_value(LANDING, "[" + LANDING + "]") or self._landing
        query = first_value(QUERY, PAGE_QUERY) or self._query
        is_changed = is_other(self._landing, landing) or is_other(self._query, query)
        is_begun = path != self._path and self._page_view.record_signal(ROUTE, now())
        self._path = path
        self._landing = landing
        self._query = query
        if (is_changed and self._page_view.record_signal(DOCUMENT, now())) or is_begun:
            self._begin()
