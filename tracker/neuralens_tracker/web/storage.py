"""localStorage under a prefix: what the tracker keeps, once the shopper has consented."""

from typing import Any

from neuralens_tracker.types import Json
from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.ffi import attempt, dump, elements, get, parse, record, window


class Storage:
    """Values by key; blocked or full, it reads as empty and refuses to write. Nothing raises."""

    def __init__(self) -> None:
        self._area = attempt(get(window, "Reflect"), "get", window, "localStorage")

    def read(self, key: str) -> str | None:
        """Return the text kept under key, or None."""
        return attempt(self._area, "getItem", PREFIX + key)

    def write(self, key: str, text: str) -> bool:
        """Keep text under key and tell whether it is really there."""
        attempt(self._area, "setItem", PREFIX + key, text)
        return self.read(key) == text

    def load(self, key: str) -> Any:
        """Return the value whose JSON is kept under key; None where there is none."""
        return parse(self.read(key) or "null")

    def save(self, key: str, value: Json) -> bool:
        """Keep a value as JSON under key and tell whether it is really there."""
        return self.write(key, dump(value))

    def erase(self, key: str) -> None:
        """Forget what is under key."""
        attempt(self._area, "removeItem", PREFIX + key)

    def names(self, start: str) -> list[str]:
        """Return the keys that begin with start."""
        keys = attempt(get(window, "Object"), "keys", self._area or record({}))
        return [key[len(PREFIX) :] for key in elements(keys) if key.startswith(PREFIX + start)]
