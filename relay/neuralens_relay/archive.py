"""Scripts of earlier versions: pages of before an upgrade still ask for theirs.

A page in a cache names the script that it was made with, by ``?v=`` and by ``integrity``. So what
was served is kept in a folder beside the outbox, and found again by the relay of the next version.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from neuralens_relay.bundles import Bundle, means_version

log = logging.getLogger(__name__)

# Seconds after which a version that is no longer served is dropped, and versions kept of one file.
KEPT_SECONDS = 90 * 86400
MAX_KEPT = 20


class Archive:
    """Files by name and version, in ``folder``; None keeps nothing.

    Where the folder cannot be used, that is said in the log, and pages get what there is.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._kept: set[str] = set()
        self._found: dict[tuple[str, str], Bundle] = {}

    def lacks(self, bundle: Bundle) -> bool:
        """Tell whether a file is still to be kept."""
        return self._folder is not None and bundle.name not in self._kept

    def keep(self, bundle: Bundle) -> None:
        """Keep a file that is served, and drop what nobody has served for long."""
        if self._folder is None:
            return
        self._kept.add(bundle.name)
        file = self._place(bundle.name) / bundle.version
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                part = file.with_suffix(".part")
                part.write_bytes(bundle.content)
                part.replace(file)
            file.touch()
            self._prune(file.parent)
        except OSError as error:
            log.warning("scripts of this version will not be found after an upgrade: %s", error)

    def find(self, name: str, version: str) -> Bundle | None:
        """Return the file of a version, named as in ``Bundle.is_version``; None if it is not there.

        Raises OSError when it cannot be read.
        """
        for file in self._versions(name):
            if not means_version(version, file.name):
                continue
            key = (name, file.name)
            if key not in self._found:
                found = Bundle(name, file.read_bytes())
                # What is in the folder may have been changed.
                if found.version != file.name:
                    return None
                found.compress()
                self._found[key] = found
            return self._found[key]
        return None

    def _place(self, name: str) -> Path:
        assert self._folder is not None  # noqa: S101 - asked by the callers
        return self._folder / name.replace("/", "-")

    def _versions(self, name: str) -> Iterator[Path]:
        """Yield the kept files of one name, the newest first."""
        if self._folder is None or not self._place(name).is_dir():
            return
        files = [file for file in self._place(name).iterdir() if not file.suffix]
        yield from sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)

    def _prune(self, folder: Path) -> None:
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        for place, file in enumerate(files):
            if place >= MAX_KEPT or time.time() - file.stat().st_mtime > KEPT_SECONDS:
                file.unlink(missing_ok=True)
