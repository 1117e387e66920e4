"""Reads the HTML of a page as the server has sent it, before any script has changed it."""

import re
from html.parser import HTMLParser

from neuralens_embed.duplicates import find_duplicates
from neuralens_tracker.attributes import LANDING, PRODUCT

# The name of a file of the tracker.
SCRIPT_NAME = re.compile(r"\bneuralens[\w.\-]*\.m?js\b")
# Elements whose contents are not part of the page.
INERT = ("template", "noscript")


class Served(HTMLParser):
    """The products and landings of a page's HTML, as pairs of attribute and value.

    ``mentions_script``: the tracker's file is named somewhere in it, even in a comment.
    ``duplicates`` are attributes that an element has twice.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.items: list[tuple[str, str]] = []
        self.mentions_script = bool(SCRIPT_NAME.search(html))
        self.duplicates = find_duplicates(html)
        self._inert = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's items, unless it is inert."""
        self._inert += tag in INERT
        if not self._inert:
            self.items += [
                (name, value or "") for name, value in attrs if name in (PRODUCT, LANDING)
            ]

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an inert element."""
        self._inert -= tag in INERT
