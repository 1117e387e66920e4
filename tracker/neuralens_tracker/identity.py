"""The shopper's id: the one given by the page, an anonymous stored one, or none. Makes UUIDs."""

from collections.abc import Callable

from neuralens_tracker.types import Store
from neuralens_tracker.value_types import TEXT, read

UUID_FORM = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"
HEX = "0123456789abcdef"
UID_KEY = "uid"


class Identity:
    """Makes and finds ids; ``random`` returns a float in [0, 1)."""

    def __init__(self, storage: Store, random: Callable[[], float]) -> None:
        self._storage = storage
        self._random = random

    def make_uuid(self) -> str:
        """Return a version 4 UUID (RFC 9562); ``crypto.randomUUID`` needs a secure context."""
        return self.fill_in(UUID_FORM)

    def fill_in(self, form: str) -> str:
        """Return a form with a random hexadecimal digit in place of each x."""
        made = ""
        for letter in form:
            made += HEX[int(self._random() * 16)] if letter == "x" else letter
        return made

    def find(self, given: str | None) -> str | None:
        """Return the given id, otherwise the stored anonymous one, which is created if needed.

        None if storage is unavailable: a new id per page would count one shopper many times.
        """
        uid = given or self._storage.read(UID_KEY)
        if not read(TEXT, uid):
            uid = self.make_uuid()
            if not self._storage.write(UID_KEY, uid):
                uid = None
        return uid
