"""Patches third-party code by content; a patch that does not apply fails the build."""

from collections.abc import Iterable
from dataclasses import dataclass

from neuralens_build.errors import BuildError


class EditError(BuildError):
    """The text to be replaced is missing, or ambiguous."""


@dataclass(frozen=True)
class Edit:
    """Replaces the text from the only ``start`` up to and including the next ``end``."""

    start: str
    end: str
    replacement: str
    reason: str


def apply(edits: Iterable[Edit], text: str, name: str) -> str:
    """Apply edits to third-party code; raises EditError for an edit that does not apply.

    ``name`` describes the code in the error, for whoever upgrades it.
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
