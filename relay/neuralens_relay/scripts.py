"""The endpoints that serve the bundles, such as ``GET neuralens.js``."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from neuralens_relay.archive import Archive
from neuralens_relay.bundles import Bundle

# A versioned URL identifies its content. The content of the plain URL changes with a release, so a
# browser asks each time whether its copy is still current (304 by its ETag): a page with the new
# integrity would block a stale script, and reloading it would not help. "no-transform" because
# proxies that minify would break the integrity.
VERSIONED = "public, max-age=31536000, immutable, no-transform"
PLAIN = "public, no-cache, no-transform"
# Not cached: another relay, already upgraded, may serve this URL.
NOT_CACHED = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}


async def serve_bundle(
    bundle: Bundle, source_map: str | None, archive: Archive, request: Request
) -> Response:
    """Serve a bundle in the best encoding that the browser accepts.

    ``source_map`` is the relative URL for the SourceMap header, which only developer tools follow
    (https://tc39.es/ecma426/#sec-linking-generated-code).

    ``?v=`` with a prefix of the file's sha384 (base64, at least 8 characters), as in its integrity
    attribute, allows caching for a year. A page from before an upgrade asks for an earlier version,
    whose integrity the current file does not match: it gets that version from the archive, or 404.
    """
    if archive.lacks(bundle):
        await asyncio.to_thread(archive.keep, bundle)
    version = request.query_params.get("v")
    if version is not None and not bundle.is_version(version):
        bundle = await find_version(archive, bundle.name, version)
        source_map = None
    if bundle.must_be_compressed:
        await asyncio.to_thread(bundle.compress)
    encoding, content = bundle.encode(request.headers.get("Accept-Encoding", ""))
    headers = {
        "Cache-Control": PLAIN if version is None else VERSIONED,
        "ETag": f'"{bundle.version[:16]}{encoding and "-"}{encoding}"',
        "Vary": "Accept-Encoding",
        # Scripts with integrity from another origin are fetched with CORS.
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
    # As a header, because the media_type argument would add a charset to all text types.
    headers["Content-Type"] = bundle.media_type
    return Response(content, headers=headers)


async def find_version(archive: Archive, name: str, version: str) -> Bundle:
    """Return an archived version of a file; raise HTTPException (404) if there is none."""
    try:
        found = await asyncio.to_thread(archive.find, name, version)
    except OSError:
        found = None
    if found is None:
        raise HTTPException(404, "this version is not available", NOT_CACHED)
    return found


def matches(condition: str, tag: str) -> bool:
    """Return whether an If-None-Match header matches an ETag, by weak comparison."""
    named = [part.strip().removeprefix("W/") for part in condition.split(",")]
    return tag in named or named == ["*"]
