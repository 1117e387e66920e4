"""Reconciles the tracked events with those that the sandbox received."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser.ledger import JOURNAL, Ledger
from tests.browser.shop import Post, Shop
from tests.polling import eventually


def needed_bytes(posts: list[Post]) -> int:
    """Return the total size of the posts if each event had been sent only once."""
    seen: set[str] = set()
    total = 0
    for post in posts:
        again = [event for event in post.batch["events"] if event["eid"] in seen]
        seen |= post.eids
        if len(again) < len(post.batch["events"]):
            texts = [
                json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in again
            ]
            total += post.size - sum(len(text.encode()) + 1 for text in texts)
    return total


@dataclass
class Accounts:
    """The events of one shopper's browser."""

    shop: Shop
    ledger: Ledger
    uid: str
    tracked: list[str] = field(default_factory=list)

    def share(self, page: Any, *names: str) -> None:
        """Track an event for each name."""
        page.evaluate(
            """(names) => { for (const id of names) neuralens("track", "SHARE", { id }); }""",
            list(names),
        )
        self.tracked += names

    def leave_behind(self, show: Callable[..., Any], *names: str) -> None:
        """Track an event for each name on a page that is closed before any is delivered."""
        self.shop.fault = lambda request, body: 503
        page = show("")
        self.share(page, *names)
        eventually(self.posts)
        page.close()

    def posts(self) -> list[Post]:
        """Return the batches that this shopper's browser sent."""
        uids = (self.uid, None)
        return [post for post in self.shop.posts if post.batch["events"][0]["uid"] in uids]

    def received(self) -> Counter[str]:
        """Return how often the sandbox received each event, by id."""
        return Counter(event.id for event in self.ledger.entries())

    def reconcile(self, page: Any = None) -> list[str]:
        """Wait until all events have arrived and the journal is empty; return the table's row.

        Fails if an event is lost, or if more are duplicated than the relay counted as ambiguous.
        """
        eventually(lambda: set(self.tracked) <= set(self.received()), 90)
        if page is not None:
            eventually(lambda: page.evaluate(JOURNAL) == [], 60)
        received = self.received()
        duplicated = sum(received[name] - 1 for name in set(self.tracked))
        ambiguous = int(self.ledger.metric("neuralens_forwarded_ambiguous_total"))
        assert duplicated <= ambiguous
        posts = self.posts()
        ratio = sum(post.size for post in posts) / needed_bytes(posts)
        numbers = [
            len(self.tracked),
            len([n for n in self.tracked if received[n]]),
            duplicated,
            ambiguous,
        ]
        return [*map(str, numbers), f"{ratio:.2f}"]


@pytest.fixture
def accounts(shop: Shop, ledger: Ledger, uid: str) -> Accounts:
    """The events of this test's shopper."""

    return Accounts(shop, ledger, uid)
