"""Defers products far below the viewport until they come closer."""

from collections.abc import Callable

from neuralens_tracker.capture.markup import PRODUCT_SELECTOR
from neuralens_tracker.types import JSObject
from neuralens_tracker.web.dom import bounds, listen, matches
from neuralens_tracker.web.ffi import get
from neuralens_tracker.web.platform import wait

# An IntersectionObserver costs time in every frame for each observed element. So after the first
# MANY products, those more than FAR_PX below wait until the page has scrolled or changed. They are
# checked again every RECHECK_MS at most, which is long before a shopper has scrolled so far.
MANY = 100
FAR_PX = 5000
RECHECK_MS = 200


def is_far(element: JSObject) -> bool:
    """Return whether an element is far below the viewport."""
    top: float = get(bounds(element), "top")
    return top > FAR_PX


class FarProducts:
    """Calls ``on_due()`` when there are products to check again."""

    def __init__(self, on_due: Callable[[], None]) -> None:
        self._on_due = on_due
        # Products far below the viewport, and those that are to be checked again.
        self._far: list[JSObject] = []
        self._due: list[JSObject] = []
        self._is_scheduled = False
        # The number of products that were not deferred.
        self._count = 0

    def start(self) -> None:
        """Register the listeners."""
        # A click may change the layout by CSS alone.
        listen("scroll resize click", self.schedule)

    def count_near(self) -> None:
        """Count a product that was not deferred."""
        self._count += 1

    def defer(self, element: JSObject) -> bool:
        """Defer an element if it is a product far below; return whether it is."""
        is_deferred = self._count > MANY and is_far(element) and matches(element, PRODUCT_SELECTOR)
        if is_deferred:
            self._far.append(element)
        return is_deferred

    def schedule(self, *_: JSObject) -> None:
        """Check soon whether deferred products have come closer."""
        if len(self._far) > 0 and not self._is_scheduled:
            self._is_scheduled = True
            wait(RECHECK_MS, self._recheck)

    def _recheck(self) -> None:
        self._is_scheduled = False
        self._due.extend(self._far)
        self._far = []
        self._on_due()

    def has_due(self) -> bool:
        """Return whether there are products to check again."""
        return len(self._due) > 0

    def pop_due(self) -> JSObject:
        """Return the next product to check again."""
        return self._due.pop(0)

    def forget(self) -> None:
        """Forget all, because the document is searched again."""
        self._far = []
        self._due = []
