"""Loads the built scripts into memory and compresses each once."""

import base64
import gzip
import mimetypes
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha384
from pathlib import Path

import brotli

# Bytes up to which files are compressed at start; larger ones in the background.
SMALL = 32 * 1024
# Minimum length of a version in a URL, in characters of the hash.
MIN_VERSION = 8
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".py": "text/x-python; charset=utf-8",
    ".wasm": "application/wasm",
    ".toml": "application/toml; charset=utf-8",
}
# Already compressed.
PACKED = frozenset({".zip", ".whl", ".gz", ".br", ".png", ".woff2"})


@dataclass
class Bundle:
    """One file. ``encodings`` maps a Content-Encoding to its bytes, best first."""

    name: str
    content: bytes
    encodings: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.version = base64.urlsafe_b64encode(sha384(self.content).digest()).decode()
        suffix = Path(self.name).suffix
        guessed = mimetypes.guess_type(self.name)[0]
        self.media_type = TYPES.get(suffix) or guessed or "application/octet-stream"
        self.packable = suffix not in PACKED

    def is_version(self, text: str) -> bool:
        """Return whether a version from a URL is that of this content.

        The version is a prefix of the file's sha384 in base64, as in its integrity attribute.
        """
        return means_version(text, self.version)

    def compress(self) -> None:
        """Fill ``encodings``."""
        if self.packable:
            packed = brotli.compress(self.content, quality=11)
            zipped = gzip.compress(self.content, 9, mtime=0)
            self.encodings = {"br": packed, "gzip": zipped}

    def encode(self, accepted: str) -> tuple[str, bytes]:
        """Return the best encoding that Accept-Encoding allows ("" for none) and its bytes."""
        weights = read_weights(accepted)
        for encoding, content in self.encodings.items():
            if weights.get(encoding, weights.get("*", 0)) > 0 and len(content) < len(self.content):
                return encoding, content
        return "", self.content


def means_version(text: str, version: str) -> bool:
    """Return whether a text from a URL is a prefix of a file's version."""
    text = text.removeprefix("sha384-").replace("+", "-").replace("/", "_")
    return len(text) >= MIN_VERSION and version.startswith(text)


def read_weights(accepted: str) -> dict[str, float]:
    """Return the quality of each coding of an Accept-Encoding header. Source: RFC 9110, 12.5.3."""
    weights = {}
    for part in accepted.split(","):
        coding, _, parameter = part.partition(";")
        name, _, weight = parameter.partition("=")
        try:
            weights[coding.strip().lower()] = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            # An invalid quality: the coding is ignored.
            continue
    return weights


def load(folder: Path, names: Mapping[str, object]) -> dict[str, Bundle]:
    """Load files of a folder; large ones are compressed in the background."""
    bundles = {}
    for name in names:
        path = folder / name
        if path.resolve().is_relative_to(folder.resolve()) and path.is_file():
            bundles[name] = Bundle(name, path.read_bytes())
    large = []
    for bundle in sorted(bundles.values(), key=lambda bundle: len(bundle.content)):
        if len(bundle.content) <= SMALL:
            bundle.compress()
        else:
            large.append(bundle)
    if large:
        threading.Thread(target=compress, args=(large,), name="compress", daemon=True).start()
    return bundles


def compress(bundles: list[Bundle]) -> None:
    """Compress bundles one after the other."""
    for bundle in bundles:
        bundle.compress()
