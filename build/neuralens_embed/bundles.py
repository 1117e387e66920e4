"""Locates the built files and reads their manifest."""

import json
import re
from pathlib import Path

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent.parent
MANIFEST = "manifest.json"
# A file that starts the tracker, but neither the stub nor an add-on. An asset pipeline may have put
# a hash into its name.
TRACKER_FILE = re.compile(r"^neuralens(?!\.(?:stub|overlay|ga4|consent-))(?:[.\-]\w+)*\.m?js$")

# The types of a script element that browsers run; others, such as text/plain, wait for a consent
# platform to change them.
RUNNING_TYPES = ("", "module", "text/javascript", "application/javascript")
# Characters of a hash in a URL; the relay requires at least 8.
VERSION_LENGTH = 12


class NotBuiltError(FileNotFoundError):
    """The bundles, or one of them, have not been built."""


def directory() -> Path:
    """Return the folder of the built files, in the installed package or in the checkout.

    Raises NotBuiltError if nothing has been built.
    """
    candidates = [PACKAGE / "dist"]
    if (CHECKOUT / "pyproject.toml").is_file():
        candidates.append(CHECKOUT / "dist")
    for folder in candidates:
        if (folder / MANIFEST).is_file():
            return folder
    raise NotBuiltError(f"there are no bundles in {candidates[-1]}: run `make build` first")


def read(name: str, folder: Path | None = None) -> str:
    """Return the text of a built file, such as "neuralens.stub.js".

    ``folder`` defaults to directory(). Raises NotBuiltError.
    """
    path = (folder or directory()) / name
    if not path.is_file():
        raise NotBuiltError(f"there is no {name} in {path.parent}: run `make build` first")
    return path.read_text("utf-8")


def manifest(folder: Path | None = None) -> dict[str, dict[str, object]]:
    """Return the build's manifest: ``{file: {bytes, brotli, integrity, runtime, version}}``."""
    entries: dict[str, dict[str, object]] = json.loads(read(MANIFEST, folder))
    return entries


def version(integrity: str) -> str:
    """Return the version in the URL of a file, given its integrity ("sha384-...")."""
    return integrity.removeprefix("sha384-")[:VERSION_LENGTH].replace("+", "-").replace("/", "_")


def integrity(name: str, folder: Path | None = None) -> str:
    """Return the integrity attribute ("sha384-...") of a built file; raises NotBuiltError."""
    entries = manifest(folder)
    if name not in entries:
        raise NotBuiltError(f"{MANIFEST} has no {name}: run `make build` again")
    return str(entries[name]["integrity"])
