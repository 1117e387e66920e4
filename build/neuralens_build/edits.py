"""Texts replaced in somebody else's code: found by what they say, or the build stops."""

from collections.abc import Iterable
from dataclasses import dataclass

from neuralens_build.errors import BuildError


class EditError(BuildError):
    """A text to be replaced is not there, or is there twice."""


@dataclass(frozen=True)
class Edit:
    """Replaces a text that runs from the one ``start`` to the end of the next ``end``."""

    start: str
    end: str
    replacement: str
    reason: str


def apply(edits: Iterable[Edit], text: str, name: str) -> str:
    """Return the text with the edits made; EditError names the edit that does not fit.

    ``name`` says what the text is, in words for the person who upgrades it.
    """
    for edit in edits:
        count = text.count(edit.start)
        if count != 1:
            raise EditError(
                f"{name} has {edit.start!r} {count} times, not once ({edit.reason}): "
                "it has changed, and the edits must follow"
            )
        first = text.index(edit.start)
        last = text.find(edit.end, first + len(edit.start))
        if last < 0:
            raise EditError(
                f"{name} has no {edit.end!r} after {edit.start!r} ({edit.reason}): "
                "it has changed, and the edits must follow"
            )
        text = text[:first] + edit.replacement + text[last + len(edit.end) :]
    return text
