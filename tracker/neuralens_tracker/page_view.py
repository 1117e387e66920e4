"""What a page view has told already, and when the next one begins.

In a single-page shop the address, the document and the shop's own call change one after another, in
any order. Together they are one change: each kind of sign begins a page view only if it is not the
first of its kind that follows another sign within SAME_CHANGE_SECONDS.
"""

from collections.abc import Callable

from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.vocabulary import PREFIX

# The signs of a change.
ROUTE = "route"
DOCUMENT = "document"
CALL = "call"
SAME_CHANGE_SECONDS = 10
# Seconds after the start in which a first call is about the page that was loaded.
SAME_START_SECONDS = 1
# Seconds after which an element that took another's place belongs to the page view before, if one
# begins: a list that was only rendered again, not one that came with the new page.
SETTLED_SECONDS = 2


def told_key(event: str, key: str, fields: Fields) -> str:
    """Return what makes two sights of a page view one: event, item and context.

    It is handed from the early script to a runtime, so it holds nothing whose text differs from
    engine to engine, as that of None does.
    """
    return event + "\n" + key + "\n" + (fields["page"] or "") + "\n" + (fields["query"] or "")


class Told:
    """What was told, and the element that it was told of.

    ``view`` is the page view, ``moved`` the time when the element took another's place (0: never),
    ``is_carried`` whether it stood there when the page view began.
    """

    def __init__(self, view: int, item_id: str, element: JSObject) -> None:
        self.view = view
        self.item_id = item_id
        self.element = element
        self.moved: float = 0
        self.is_carried = False


class PageView:
    """Remembers what was told, by deduplication key, with the element that it was told of.

    ``stands(element, item_id)`` says whether an element is on the page as the item of that id.
    """

    def __init__(self, stands: Callable[[JSObject, str], bool]) -> None:
        self._stands = stands
        self._number = 0
        # By PREFIX and key.
        self._told: dict[str, Told] = {}
        self._signs: list[str] = []
        self._began: float = 0

    def start(self, now: float) -> None:
        """Begin the page view of a page that was loaded, at a Unix time in seconds."""
        self._signs = [ROUTE, DOCUMENT]
        self._began = now - SAME_CHANGE_SECONDS + SAME_START_SECONDS

    def is_new(self, key: str, item_id: str, element: JSObject, now: float) -> bool:
        """Tell whether this is to be told of an element, and note that it was."""
        told = self._told.get(PREFIX + key)
        if told is not None and told.view == self._number:
            if self._stands(told.element, told.item_id):
                return False
            if not told.is_carried:
                # It was rendered again.
                told.element = element
                told.moved = now
                return False
        self._told[PREFIX + key] = Told(self._number, item_id, element)
        return True

    def keys(self) -> list[str]:
        """Return the deduplication keys of what was told, as ``recall`` takes them."""
        return [key[len(PREFIX) :] for key in list(self._told.keys())]

    def recall(self, keys: list[str]) -> None:
        """Take over what was told of this page view before."""
        for key in keys:
            self._told[PREFIX + key] = Told(self._number, "", None)

    def notice(self, sign: str, now: float) -> bool:
        """Take a sign of a change; tell whether a page view has begun with it.

        What stands there already was told, and is not told again while it stands.
        """
        if sign not in self._signs and now - self._began < SAME_CHANGE_SECONDS:
            self._signs.append(sign)
            return False
        self._signs = [sign]
        self._began = now
        before = self._number
        self._number += 1
        for key in list(self._told.keys()):
            told = self._told[key]
            if (
                told.view == before
                and now - told.moved > SETTLED_SECONDS
                and self._stands(told.element, told.item_id)
            ):
                told.view = self._number
                told.is_carried = True
        return True

    def settle(self) -> None:
        """Let what stands there be told again, if a call alone has begun this page view."""
        if len(self._signs) == 1 and self._signs[0] == CALL:
            for key in list(self._told.keys()):
                if self._told[key].is_carried:
                    del self._told[key]

    def restart(self) -> None:
        """Begin a page view in which everything is told again."""
        self._told = {}
        self._number += 1
