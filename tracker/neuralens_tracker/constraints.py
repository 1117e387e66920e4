"""What the network between the browser and the relay lets through, learned from outcomes."""

from neuralens_tracker.outbox import DAY
from neuralens_tracker.types import LearnedConstraints, Store

# A character is at most three bytes of UTF-8, and the envelope less than 1 KiB: together at most
# MAX_BATCH_BYTES.
MAX_BATCH_CHARACTERS = 16000
# A learned size is doubtful if requests got no response, which may have been an outage: then the
# next page tries whole batches once more.
DOUBTFUL = 1
TRIED = 2
CONSTRAINTS_KEY = "w"


class Constraints:
    """The constraints on batches. They are stored for the site's other pages of the same day.

    A firewall may block a content type or large bodies, and some browsers hide a beacon's outcome.
    ``blind``: whether to begin with that, as on an endpoint of another origin.
    """

    def __init__(self, storage: Store, now: float, blind: bool) -> None:
        self._storage = storage
        self._learned: LearnedConstraints = {
            "day": int(now / DAY),
            "most": MAX_BATCH_CHARACTERS,
            "json": False,
            "blind": blind,
        }

    def load(self) -> None:
        """Adopt what another page has learned today."""
        stored: LearnedConstraints = self._storage.load(CONSTRAINTS_KEY)
        if stored.get("day") == self._learned["day"]:
            self._learned = stored
            if stored.get("doubt") == DOUBTFUL:
                stored["doubt"] = TRIED
                stored["most"] = MAX_BATCH_CHARACTERS

    def save(self) -> None:
        """Store the constraints for other pages."""
        self._storage.save(CONSTRAINTS_KEY, self._learned)

    def withhold(self) -> None:
        """Keep the constraints from other pages: the content of an event was at fault."""
        self._learned["day"] = 0
        self.save()

    def most(self) -> int:
        """Return the most characters of a batch."""
        return self._learned["most"]

    def json(self) -> bool:
        """Return whether batches are sent as JSON instead of text."""
        return self._learned["json"]

    def blind(self) -> bool:
        """Return whether the outcome of beacons cannot be seen, so that batches need a fetch."""
        return self._learned["blind"]

    def set_blind(self, blind: bool) -> None:
        """Record whether the outcome of a beacon could be seen."""
        self._learned["blind"] = blind

    def halve(self, size: int, unanswered: bool) -> None:
        """Allow only half the size of a batch that was refused, or ``unanswered``."""
        self._learned["most"] = max(1, int(size / 2))
        if unanswered:
            self._learned["doubt"] = self._learned.get("doubt") or DOUBTFUL

    def switch_type(self) -> None:
        """Try the other content type with whole batches, since the size is not at fault."""
        self._learned["json"] = not self._learned["json"]
        self._learned["most"] = MAX_BATCH_CHARACTERS
