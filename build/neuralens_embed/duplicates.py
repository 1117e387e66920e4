"""Finds attributes that an element has twice, of which every parser drops the second."""

from dataclasses import dataclass
from html.parser import HTMLParser

from neuralens_embed.attributes import PREFIX


@dataclass(frozen=True)
class Duplicate:
    """An attribute that an element, which starts at ``line`` (from 1), has with two values."""

    line: int
    attribute: str
    kept: str
    dropped: str

    def __str__(self) -> str:
        return (
            f'{self.attribute} is there twice: "{self.kept}" counts, and "{self.dropped}" does not:'
            " two templates print it, or an attribute and a template tag"
        )


class Finder(HTMLParser):
    """Reads HTML as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Duplicate] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes of the tracker that differ from an earlier one of the same name."""
        first: dict[str, str] = {}
        for name, given in attrs:
            value = given or ""
            kept = first.setdefault(name, value)
            if name.startswith(PREFIX) and kept != value:
                self.found.append(Duplicate(self.getpos()[0], name, kept, value))


def find_duplicates(html: str) -> list[Duplicate]:
    """Return the attributes of the tracker that an element has twice, with different values."""
    finder = Finder()
    finder.feed(html)
    return finder.found
