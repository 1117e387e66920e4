"""Ranks items by their positions in lists."""

from collections.abc import Callable

from neuralens_tracker.attributes import LIST
from neuralens_tracker.capture.markup import OPTION, Item
from neuralens_tracker.types import JSObject
from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.dom import attribute, closest, find_below
from neuralens_tracker.web.ffi import same
from neuralens_tracker.web.visibility import box_of

CLONE = "[class*=clone],[class*=duplicate]"
# Carousels mark off-screen slides so, and clones so or by their class.
HIDDEN = "[aria-hidden=true],[inert]," + CLONE


class Ranking:
    """The ranks of one kind of item in the list of a query, during one page view.

    ``reported`` holds the ranks that events have used, which stay stable, ``positions`` those
    counted since the page last changed; both by PREFIX + id. ``elements`` are the candidates; those
    from ``next`` on are not read yet. After a change it is None, and they are the former ones.
    """

    def __init__(self, name: str, listing: JSObject, kind: str, query: str | None) -> None:
        self.name = name
        self.listing = listing
        self.kind = kind
        self.query = query
        self.reported: dict[str, int] = {}
        self.elements: list[JSObject] = []
        self.next: int | None = None
        self.total = 0
        self.positions: dict[str, int] = {}


def restore_order(found: list[JSObject], before: list[JSObject]) -> list[JSObject]:
    """Return elements in their order before an endless carousel rotated them, if one has.

    It moves its last slides to the front, or the first ones to the end. Otherwise they are in the
    order in which they were found, not copied: that takes longer in a long list than finding them.
    """
    last = len(before) - 1
    if len(found) == len(before):
        found = list(found)
        for _ in before:
            if not (same(found[0], before[0]) and same(found[last], before[last])):
                found.append(found.pop(0))
    return found


class Ranks:
    """The ranks of the page view.

    ``read(element)`` returns the item that an element is, or None; ``list_of(item)`` the list
    within which it is ranked; ``is_present(element, item_id)`` whether an element is that item.
    """

    def __init__(
        self,
        read: Callable[[JSObject], Item | None],
        list_of: Callable[[Item], JSObject],
        is_present: Callable[[JSObject, str], bool],
    ) -> None:
        self._read = read
        self._list_of = list_of
        self._is_present = is_present
        self._rankings: list[Ranking] = []

    def forget_counted(self) -> None:
        """Invalidate counted ranks, because the page has changed."""
        for ranking in self._rankings:
            ranking.next = None

    def forget_all(self) -> None:
        """Forget all ranks, including reported ones, because a page view begins."""
        self._rankings = []

    def find(self, listing: JSObject, item: Item, query: str | None, offset: int) -> int | None:
        """Return the item's rank by its position, counting its list only up to it, or None.

        ``query`` is that of the list, ``offset`` the rank of its first item. Each id counts once;
        elements that are not rendered, and carousel copies, do not count. An item with a reported
        rank continues the count from there, as in a virtualized list.
        """
        ranking = self._ranking(listing, item.kind, query)
        reported = ranking.reported
        sought = PREFIX + item.id
        if reported.get(sought) is not None:
            return reported[sought]
        if ranking.next is None:
            found = find_below(listing, "[" + item.kind + "]," + OPTION)
            ranking.elements = restore_order(found, ranking.elements)
            ranking.next = 0
            ranking.total = 0
            ranking.positions = {}
        positions = ranking.positions
        while positions.get(sought) is None and ranking.next < len(ranking.elements):
            element = ranking.elements[ranking.next]
            other = self._read(element)
            ranking.next += 1
            if (
                other
                and other.kind == item.kind
                and positions.get(PREFIX + other.id) is None
                and same(listing, self._list_of(other))
                and box_of(element)
                and not self._is_copy(ranking, other)
            ):
                key = PREFIX + other.id
                rank = reported.get(key)
                # A smaller rank is from an earlier page of the list, on which the item was, too.
                positions[key] = ranking.total if rank is None or rank < offset else rank - offset
                ranking.total = max(ranking.total, positions[key]) + 1
        if positions.get(sought) is not None:
            reported[sought] = offset + positions[sought]
        return reported.get(sought)

    def _ranking(self, listing: JSObject, kind: str, query: str | None) -> Ranking:
        """Return a list's ranking for one kind of item; lists of the same name share it."""
        name = attribute(listing, LIST) or ""
        for ranking in self._rankings:
            if (
                ranking.kind == kind
                and ranking.query == query
                and ranking.name == name
                and (name != "" or same(ranking.listing, listing))
            ):
                if not same(ranking.listing, listing):
                    ranking.listing = listing
                    ranking.next = None
                return ranking
        ranking = Ranking(name, listing, kind, query)
        self._rankings.append(ranking)
        return ranking

    def _is_copy(self, ranking: Ranking, item: Item) -> bool:
        """Return whether an item is a carousel's clone of a later item in its list.

        Clones are hidden, but so are off-screen slides: of those with the same id, one before the
        first visible slide is the clone, unless the class of the others says that they are, and
        later ones do not count anyway.
        """
        if ranking.total > 0 or not closest(item.element, HIDDEN):
            return False
        is_marked = closest(item.element, CLONE)
        candidates = [
            each
            for each in ranking.elements
            if self._is_present(each, item.id) and (is_marked or not closest(each, CLONE))
        ]
        return len(candidates) > 1
