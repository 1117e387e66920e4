"""Archives served scripts, for cached pages from before an upgrade.

A cached page refers to its script's version by ``?v=`` and ``integrity``. So each served version is
kept in a folder next to the outbox, where the relay of the next release finds it.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from neuralens_relay.bundles import Bundle, means_version

log = logging.getLogger(__name__)

# Seconds since a version was last current until it is deleted, and versions kept per file.
KEPT_SECONDS = 90 * 86400
MAX_KEPT = 20


class Archive:
    """Files by name and version in ``folder``; None disables the archive.

    If the folder cannot be written, a warning is logged and only current files are served.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._kept: set[str] = set()
        self._found: dict[tuple[str, str], Bundle] = {}

    def lacks(self, bundle: Bundle) -> bool:
        """Return whether a file is not archived yet."""
        return self._folder is not None and bundle.name not in self._kept

    def keep(self, bundle: Bundle) -> None:
        """Archive a file that is served, and prune old versions."""
        if self._folder is None:
            return
        self._kept.add(bundle.name)
        file = self._folder_of(bundle.name) / bundle.version
        try:
            # Not its parents: if the outbox's folder is missing, its disk may not be mounted.
            self._folder.mkdir(mode=0o700, exist_ok=True)
            file.parent.mkdir(mode=0o700, exist_ok=True)
            if not file.exists():
                part = file.with_suffix(".part")
                part.write_bytes(bundle.content)
                part.replace(file)
            file.touch()
            self._prune(file.parent)
        except OSError as error:
            log.warning("scripts of this version will not be found after an upgrade: %s", error)

    def find(self, name: str, version: str) -> Bundle | None:
        """Return the file with a version as in ``Bundle.is_version``, or None.

        Raises OSError if it cannot be read.
        """
        for file in self._versions(name):
            if not means_version(version, file.name):
                continue
            key = (name, file.name)
            if key not in self._found:
                found = Bundle(name, file.read_bytes())
                # The file may have been modified.
                if found.version != file.name:
                    return None
                self._found[key] = found
            return self._found[key]
        return None

    def _folder_of(self, name: str) -> Path:
        assert self._folder is not None  # noqa: S101 - asked by the callers
        return self._folder / name.replace("/", "-")

    def _versions(self, name: str) -> Iterator[Path]:
        """Yield the archived files of one name, newest first."""
        if self._folder is None or not self._folder_of(name).is_dir():
            return
        files = [file for file in self._folder_of(name).iterdir() if not file.suffix]
        yield from sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)

    def _prune(self, folder: Path) -> None:
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        for place, file in enumerate(files):
            if place >= MAX_KEPT or time.time() - file.stat().st_mtime > KEPT_SECONDS:
                file.unlink(missing_ok=True)
