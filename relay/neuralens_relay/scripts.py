"""``GET neuralens.js`` and the other bundles."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from neuralens_relay.archive import Archive
from neuralens_relay.bundles import Bundle

# An address that names the content never changes its meaning. The plain one does with the next
# release, and a page with a new integrity must not meet an old script for long.
# Proxies that minify would break the integrity.
VERSIONED = "public, max-age=31536000, immutable, no-transform"
PLAIN = "public, max-age=300, immutable, no-transform"
# A relay of the new version may be asked for it in a moment, under the same address.
NOT_KEPT = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}


async def serve_bundle(
    bundle: Bundle, source_map: str | None, archive: Archive, request: Request
) -> Response:
    """Serve one bundle, in the best encoding that the browser takes.

    ``source_map`` is the address of its map, from its own, for the header that names it: only
    developer tools follow it (https://tc39.es/ecma426/#sec-linking-generated-code).

    ``?v=`` with the start of the file's sha384 (base64, 8 characters or more), as in its
    integrity attribute, lets browsers keep it for a year. A page of before an upgrade has another
    version's integrity, and this file would be blocked there: it gets that version from the
    archive, or nothing.
    """
    if archive.lacks(bundle):
        await asyncio.to_thread(archive.keep, bundle)
    version = request.query_params.get("v")
    if version is not None and not bundle.is_version(version):
        bundle = await find_version(archive, bundle.name, version)
        source_map = None
    encoding, content = bundle.encode(request.headers.get("Accept-Encoding", ""))
    headers = {
        "Cache-Control": PLAIN if version is None else VERSIONED,
        "ETag": f'"{bundle.version[:16]}{encoding and "-"}{encoding}"',
        "Vary": "Accept-Encoding",
        # A script with integrity from another host is fetched with CORS.
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if source_map is not None:
        headers["SourceMap"] = source_map
    if matches(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if encoding:
        headers["Content-Encoding"] = encoding
    # Given as a header: the media_type argument would add a charset to types without one.
    headers["Content-Type"] = bundle.media_type
    return Response(content, headers=headers)


async def find_version(archive: Archive, name: str, version: str) -> Bundle:
    """Return a file of an earlier version; raise HTTPException (404) if there is none."""
    try:
        found = await asyncio.to_thread(archive.find, name, version)
    except OSError:
        found = None
    if found is None:
        raise HTTPException(404, "this is not the version that is served", NOT_KEPT)
    return found


def matches(condition: str, tag: str) -> bool:
    """Tell whether an If-None-Match header names the tag, by weak comparison."""
    named = [part.strip().removeprefix("W/") for part in condition.split(",")]
    return tag in named or named == ["*"]
