"""What is wrong, said once on the browser's console."""

from typing import Any

from neuralens_tracker.value_types import demand
from neuralens_tracker.web.ffi import call, get, window

# Lines in the life of a page: enough for every mistake of a template, too few to be a nuisance.
MAX_LINES = 50


class Console:
    """Says each sentence once; ``emit("error", {message})`` tells the page's listeners too."""

    def __init__(self, emit: Any) -> None:
        self._emit = emit
        self._said: list[str] = []

    def say(self, sentence: str) -> None:
        """Warn of a mistake, or of something that was caught."""
        if sentence not in self._said and len(self._said) < MAX_LINES:
            self._said.append(sentence)
            call(get(window, "console"), "warn", "neuralens: " + sentence)
            self._emit("error", {"message": sentence})

    def complain(self, element: Any, name: str, kind: Any) -> None:
        """Warn of an element's attribute, with the kind that it must be of."""
        self.say(demand(name, kind) + ": " + get(element, "outerHTML")[:99])
