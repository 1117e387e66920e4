"""Stores values in localStorage under the tracker's prefix."""

from neuralens_tracker.types import Fields, JSObject
from neuralens_tracker.vocabulary import PREFIX
from neuralens_tracker.web.ffi import attempt, dump, elements, get, parse, record, window


class Storage:
    """A key-value store. If localStorage is blocked it is empty and read-only; nothing raises."""

    def __init__(self) -> None:
        self._found: JSObject = None

    def _area(self) -> JSObject:
        """Return localStorage, if it is not blocked; the first access takes long."""
        self._found = self._found or attempt(get(window, "Reflect"), "get", window, "localStorage")
        return self._found

    def read(self, key: str) -> str | None:
        """Return the text stored under key, or None."""
        return attempt(self._area(), "getItem", PREFIX + key)

    def write(self, key: str, text: str) -> bool:
        """Store text under key; return whether that succeeded."""
        attempt(self._area(), "setItem", PREFIX + key, text)
        return self.read(key) == text

    def load(self, key: str) -> Fields:
        """Return the fields stored under key as JSON: none if they are missing or corrupt."""
        fields = parse(self.read(key) or "null")
        return fields if isinstance(fields, dict) else {}

    def save(self, key: str, value: object) -> bool:
        """Store a value as JSON under key; return whether that succeeded."""
        return self.write(key, dump(value))

    def erase(self, key: str) -> None:
        """Remove key."""
        attempt(self._area(), "removeItem", PREFIX + key)

    def names(self, start: str) -> list[str]:
        """Return the keys with this prefix."""
        keys = attempt(get(window, "Object"), "keys", self._area() or record({}))
        return [key[len(PREFIX) :] for key in elements(keys) if key.startswith(PREFIX + start)]
