"""Where the built files are, and what the build wrote down about them."""

import json
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent.parent
MANIFEST = "manifest.json"


class NotBuiltError(FileNotFoundError):
    """The bundles, or one of them, have not been built."""


def directory() -> Path:
    """Return the folder of the built files: in a wheel the package's own, else the checkout's.

    Raises NotBuiltError when nothing has been built there.
    """
    candidates = [PACKAGE / "dist"]
    if (CHECKOUT / "pyproject.toml").is_file():
        candidates.append(CHECKOUT / "dist")
    for folder in candidates:
        if (folder / MANIFEST).is_file():
            return folder
    raise NotBuiltError(f"there are no bundles in {candidates[-1]}: run `make build` first")


def read(name: str, folder: Path | None = None) -> str:
    """Return the text of one built file, such as "neuralens.stub.js".

    ``folder`` is one that a build has filled; directory() if not given.
    """
    path = (folder or directory()) / name
    if not path.is_file():
        raise NotBuiltError(f"there is no {name} in {path.parent}: run `make build` first")
    return path.read_text("utf-8")


def manifest(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return ``{file: {bytes, brotli, integrity, runtime, version}}`` as the build wrote it."""
    entries: dict[str, dict[str, Any]] = json.loads(read(MANIFEST, folder))
    return entries


def integrity(name: str, folder: Path | None = None) -> str:
    """Return the integrity attribute ("sha384-...") of one built file."""
    entries = manifest(folder)
    if name not in entries:
        raise NotBuiltError(f"{MANIFEST} has no {name}: run `make build` again")
    return str(entries[name]["integrity"])
