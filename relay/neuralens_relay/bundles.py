"""Loads the built scripts into memory, in all encodings."""

import base64
import gzip
import mimetypes
import threading
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha384
from pathlib import Path

import brotli

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
# By Content-Encoding, best first: the suffix of the file that the build compressed, and how to
# decompress it.
DECOMPRESS = {"br": (".br", brotli.decompress), "gzip": (".gz", gzip.decompress)}


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
        self._is_packed = suffix in PACKED
        self._compressing = threading.Lock()

    def is_version(self, text: str) -> bool:
        """Return whether a version from a URL is that of this content.

        The version is a prefix of the file's sha384 in base64, as in its integrity attribute.
        """
        return means_version(text, self.version)

    @property
    def must_be_compressed(self) -> bool:
        """Whether to compress it before it is served, because the build has not."""
        return not self._is_packed and not self.encodings

    def compress(self) -> None:
        """Fill ``encodings``, once, which takes seconds for the largest files."""
        with self._compressing:
            if not self.encodings:
                self.encodings = {
                    "br": brotli.compress(self.content, quality=11),
                    "gzip": gzip.compress(self.content, 9, mtime=0),
                }

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


def load(folder: Path, names: Iterable[str]) -> dict[str, Bundle]:
    """Load files of a folder, with the compressed ones that the build wrote beside them."""
    bundles = {}
    for name in names:
        path = folder / name
        if path.resolve().is_relative_to(folder.resolve()) and path.is_file():
            content = path.read_bytes()
            bundles[name] = Bundle(name, content, read_encodings(path, content))
    return bundles


def read_encodings(path: Path, content: bytes) -> dict[str, bytes]:
    """Return a file's compressed contents; none if one is missing or of another content."""
    found = {}
    for encoding, (suffix, decompress) in DECOMPRESS.items():
        try:
            found[encoding] = path.with_name(path.name + suffix).read_bytes()
            if decompress(found[encoding]) != content:
                return {}
        except (OSError, EOFError, zlib.error, brotli.error):
            return {}
    return found
