"""Disk space: how much is kept free, and a reserve file for when others have filled the disk.

Forwarding needs space, too, because outcomes are written. So new events are refused before the disk
is full, and if it fills up nevertheless, the reserve file is deleted.
"""

import os
from dataclasses import dataclass
from pathlib import Path

# Each in bytes and as a fraction (1/PART) of the disk; the smaller one counts.
FLOOR = 64 << 20
FLOOR_PART = 10
RESERVE = 8 << 20
RESERVE_PART = 20
# Pages in the write-ahead log before a checkpoint.
LOG_PAGES = 1000
LOG_PART = 20


@dataclass(frozen=True)
class DiskSpace:
    """The bytes of a disk in total, and those that are free to this user."""

    total: int
    free: int

    @property
    def floor(self) -> int:
        """The free bytes below which no events are accepted."""
        return min(FLOOR, self.total // FLOOR_PART)

    @property
    def reserve(self) -> int:
        """The size of the reserve file."""
        return min(RESERVE, self.total // RESERVE_PART)

    def log_pages(self, page: int) -> int:
        """Return the most pages, of ``page`` bytes, that the write-ahead log should have."""
        return max(10, min(LOG_PAGES, self.total // page // LOG_PART))


def measure(path: Path) -> DiskSpace:
    """Return the space of the disk that holds a file or folder; raises OSError."""
    found = os.statvfs(path)
    return DiskSpace(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


class Reserve:
    """A file that occupies space until the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def exists(self) -> bool:
        """Whether the space is occupied."""
        return self._path.exists()

    def allocate(self, space: DiskSpace) -> None:
        """Create the file, unless it exists or the space is needed for events."""
        if self.exists or space.free < space.floor + space.reserve:
            return
        file = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.posix_fallocate(file, 0, max(1, space.reserve))
        except OSError:
            # Unsupported by the file system: then the floor is the only protection.
            self._path.unlink(missing_ok=True)
        finally:
            os.close(file)

    def release(self) -> None:
        """Delete the file, if it exists; raises OSError."""
        self._path.unlink(missing_ok=True)
