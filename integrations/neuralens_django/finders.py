"""The built scripts as static files.

Add ``neuralens_django.finders.BundleFinder`` to STATICFILES_FINDERS; then ``collectstatic``,
ManifestStaticFilesStorage and WhiteNoise serve them like the project's own.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from neuralens_embed import bundles

# The folder within the static files.
FOLDER = "neuralens"


class BundleFinder(BaseFinder):
    """Finds ``neuralens/neuralens.js`` and every other built file."""

    def find(self, path: str, find_all: bool = False, **earlier: Any) -> Any:
        """Return the path of a built file; nothing for any other file.

        Before Django 5.2 ``find_all`` was called ``all``.
        """
        name = path.removeprefix(f"{FOLDER}/")
        found = name != path and name in bundles.manifest()
        where = [str(bundles.directory() / name)] if found else []
        return where if find_all or earlier.get("all") else "".join(where)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, object]]:
        """List every built file with its storage."""
        storage = Bundles(bundles.directory())
        return ((name, storage) for name in bundles.manifest())


class Bundles(FileSystemStorage):
    """The folder of the built files, served as ``neuralens/`` in the static files."""

    prefix = FOLDER

    def __init__(self, folder: Path) -> None:
        super().__init__(location=folder)
