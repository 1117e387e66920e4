"""The files of a SQLite outbox: paths, permissions, identity, and the leader's lock."""

import os
from contextlib import suppress
from pathlib import Path

import apsw

from neuralens_relay.store import OutboxError

# Suffixes of the files that belong to an outbox.
COMPANIONS = ("", "-wal", "-shm", "-forwarder", "-reserve")


def check_path(path: Path, is_absolute: bool) -> None:
    """Raise OutboxError, with the remedy, if an outbox cannot be at this resolved path.

    ``is_absolute``: whether the path was absolute as it was given.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise OutboxError(
            f"the outbox {str(path)!a} cannot be used: its path must be UTF-8, and so"
            " must this process's locale (LC_ALL)"
        ) from None
    if not path.parent.is_dir():
        hint = "" if is_absolute else "; an absolute path has four slashes: sqlite:////PATH"
        raise OutboxError(
            f"the outbox {path} cannot be used: create the folder {path.parent}, writable"
            f" for this user{hint}"
        )
    if path.is_dir():
        raise OutboxError(f"the outbox {path} is a folder: add the name of a file in it")
    if path.exists() and not path.is_file():
        # A device, for example: its permissions are not the relay's to restrict.
        raise OutboxError(f"the outbox {path} is not a regular file: choose another name")


def restrict_permissions(path: Path) -> None:
    """Remove the permissions of group and others from an outbox's files."""
    for suffix in COMPANIONS:
        file = path.with_name(path.name + suffix)
        # SQLite deletes some of them when another connection closes, which may be now.
        with suppress(FileNotFoundError):
            if (mode := file.stat().st_mode) & 0o077:
                make_private(file, mode)


def make_private(file: Path, mode: int) -> None:
    """Remove the permissions of group and others from a file; raise OutboxError."""
    try:
        file.chmod(mode & 0o700)
    except PermissionError:
        raise OutboxError(
            f"{file} belongs to another user: make this one (uid {os.geteuid()}) its owner, because"
            " nobody else may read events"
        ) from None


def identify(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def touch(path: Path) -> None:
    """Create a file that only its owner can read, unless it exists.

    An existing file is not opened: closing it would release this process's POSIX locks on it.
    """
    if not path.exists():
        path.touch(0o600)


class Lock:
    """The leader's lock of an outbox: an exclusive transaction on ``file``."""

    def __init__(self, file: Path) -> None:
        """Raise apsw.BusyError if another process has it."""
        self.file = file
        touch(file)
        self._opened = identify(file)
        self._connection = apsw.Connection(str(file))
        try:
            # Nothing is ever written to it, so a journal file is pointless.
            self._connection.execute("PRAGMA journal_mode = MEMORY").fetchall()
            self._connection.execute("BEGIN EXCLUSIVE")
        except BaseException:
            self.close()
            raise

    def is_current(self) -> bool:
        """Return whether its file has been neither deleted nor replaced."""
        return identify(self.file) == self._opened

    def close(self) -> None:
        """Release it."""
        self._connection.close()


def take_lock(path: Path) -> Lock | None:
    """Acquire the leader's lock of an outbox; return None if another process has it."""
    path = path.resolve()
    file = path.with_name(f"{path.name}-forwarder")
    try:
        return Lock(file)
    except apsw.BusyError:
        return None
    except (apsw.NotADBError, apsw.CantOpenError) as error:
        raise OutboxError(
            f"{file}, the lock of the relay that forwards, cannot be used: delete it ({error})"
        ) from error
