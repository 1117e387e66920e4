"""Routes of a single-page shop: when the page's context changes without a load."""

from collections.abc import Callable

from neuralens_tracker.attributes import IGNORE, LANDING, PAGE, QUERY
from neuralens_tracker.page_view import DOCUMENT, ROUTE, PageView
from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import AUTOCOMPLETE
from neuralens_tracker.web.dom import attribute, closest, document, find_all, listen
from neuralens_tracker.web.ffi import call, callback, get, window
from neuralens_tracker.web.platform import now

# The query of the page, not of a search box's suggestions.
PAGE_QUERY = "[" + QUERY + "]:not([role=listbox],[" + PAGE + "=" + AUTOCOMPLETE + "])"


def read_path() -> str:
    """Return the part of the address that names a page, in the hash where a router keeps it.

    Parameters are left out: campaigns, filters and pages of one list are in them.
    """
    location = get(window, "location")
    fragment = get(location, "hash")
    is_route = fragment.startswith("#/") or fragment.startswith("#!")
    return str(get(location, "pathname") + (fragment if is_route else ""))


def first_value(name: str, selector: str) -> str | None:
    """Return the attribute of the first element that has it and is not ignored; else None."""
    for element in find_all(document, selector):
        if not closest(element, "[" + IGNORE + "]"):
            return attribute(element, name)
    return None


class Routes:
    """Compares address and document with what they were; ``begin()`` begins a page view.

    ``page_view`` tells whether a change is one.
    """

    def __init__(self, page_view: PageView, begin: Callable[[], None]) -> None:
        self._page_view = page_view
        self._begin = begin
        self._path = read_path()
        # The landing and the query that the document had last.
        self._landing: str | None = None
        self._query: str | None = None

    def start(self) -> None:
        """Listen from now on: to the Navigation API, and to the History API where there is none."""
        self._page_view.start(now())
        listen("popstate hashchange", self.check)
        navigation = get(window, "navigation")
        if navigation:
            check = callback(self.check)
            call(navigation, "addEventListener", "currententrychange", check)

    def check(self, *_: JSObject) -> None:
        """Begin a page view if the context has changed.

        A route that no event tells of is seen when the document changes.
        """
        path = read_path()
        landing = first_value(LANDING, "[" + LANDING + "]") or self._landing
        query = first_value(QUERY, PAGE_QUERY) or self._query
        is_other = (self._landing is not None and landing != self._landing) or (
            self._query is not None and query != self._query
        )
        is_begun = False
        if path != self._path:
            self._path = path
            is_begun = self._page_view.notice(ROUTE, now())
        self._landing = landing
        self._query = query
        if is_other and self._page_view.notice(DOCUMENT, now()):
            is_begun = True
        if is_begun:
            self._begin()
