"""Who the events are about: the given user id, an anonymous one that is kept, or nobody."""

from collections.abc import Callable

from neuralens_tracker.types import Store
from neuralens_tracker.value_types import TEXT, read

UUID_FORM = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"
HEX = "0123456789abcdef"
UID_KEY = "uid"


class Identity:
    """Makes ids; ``random`` returns a float from 0 below 1."""

    def __init__(self, storage: Store, random: Callable[[], float]) -> None:
        self._storage = storage
        self._random = random

    def make_uuid(self) -> str:
        """Return a version 4 UUID (RFC 9562); ``crypto.randomUUID`` exists on secure pages only."""
        made = ""
        for letter in UUID_FORM:
            made += HEX[int(self._random() * 16)] if letter == "x" else letter
        return made

    def find(self, given: str | None) -> str | None:
        """Return the given user id, else the anonymous one in storage, made when there is none.

        None when nothing can be kept: an id of one page alone would count a shopper many times.
        """
        uid = given or self._storage.read(UID_KEY)
        if not read(TEXT, uid):
            uid = self.make_uuid()
            if not self._storage.write(UID_KEY, uid):
                uid = None
        return uid
