"""Room on the disk: how much is kept free, and a reserve for when others have filled it.

Sending what waits needs room too, because what became of it is written down. So events are
refused before the disk is full, and a file of some size can be given up where it is full.
"""

import os
from dataclasses import dataclass
from pathlib import Path

# Bytes, and parts of the whole disk: the smaller of the two counts.
FLOOR = 64 << 20
FLOOR_PART = 10
RESERVE = 8 << 20
RESERVE_PART = 20
# Pages in the write-ahead log before it is written back.
LOG_PAGES = 1000
LOG_PART = 20


@dataclass(frozen=True)
class Room:
    """Bytes of a disk: what it has, and what this user may still write."""

    total: int
    free: int

    @property
    def floor(self) -> int:
        """The free bytes below which no events are taken."""
        return min(FLOOR, self.total // FLOOR_PART)

    @property
    def reserve(self) -> int:
        """The size of the file that is given up on a full disk."""
        return min(RESERVE, self.total // RESERVE_PART)

    def log_pages(self, page: int) -> int:
        """Return the pages of ``page`` bytes that the write-ahead log should have at most."""
        return max(10, min(LOG_PAGES, self.total // page // LOG_PART))


def measure(path: Path) -> Room:
    """Return the room on the disk that holds a file or folder; raises OSError."""
    found = os.statvfs(path)
    return Room(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


class Reserve:
    """A file that keeps room until it is needed more."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, room: Room) -> None:
        """Make the file, unless it is there or the room is needed for events."""
        if self._path.exists() or room.free < room.floor + room.reserve:
            return
        file = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.posix_fallocate(file, 0, max(1, room.reserve))
        except OSError:
            # Such a file system has no room to keep; events are refused at the floor all the same.
            self._path.unlink(missing_ok=True)
        finally:
            os.close(file)

    def give_up(self) -> None:
        """Make room. Does nothing where that has been done; raises OSError."""
        self._path.unlink(missing_ok=True)
