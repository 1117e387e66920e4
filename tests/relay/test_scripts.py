"""The bundles as served to browsers."""

import base64
import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha384

import brotli
import pytest
from neuralens_relay.bundles import Bundle, load, read_weights

from tests.relay.test_durability import outbox_path


@pytest.fixture
def relay(start, api_down):
    return start(api_down)


def fetch(relay, address, accept="br, gzip", **headers):
    """Return a response with its undecoded body."""
    request = relay.http.build_request(
        "GET", address, headers={"Accept-Encoding": accept, **headers}
    )
    answer = relay.http.send(request, stream=True)
    raw = b"".join(answer.iter_raw())
    answer.close()
    return answer, raw


@pytest.mark.parametrize(
    ("accept", "encoding", "unpack"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip, br;q=0", "gzip", gzip.decompress),
        ("gzip;q=0.5", "gzip", gzip.decompress),
        ("*", "br", brotli.decompress),
        ("", None, bytes),
        ("identity", None, bytes),
        ("br;q=none", None, bytes),
    ],
)
def test_the_best_accepted_encoding_is_served(relay, bundles, accept, encoding, unpack):
    answer, raw = fetch(relay, "neuralens.js", accept)
    assert answer.status_code == 200
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(raw)
    assert unpack(raw) == (bundles / "neuralens.js").read_bytes()
    if encoding:
        assert len(raw) < 200


def test_headers_allow_cross_origin_use_and_caching(relay):
    answer, _ = fetch(relay, "neuralens.js", Origin="https://shop.example")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, no-cache, no-transform"
    assert answer.headers["ETag"]


def test_a_versioned_address_is_cached_for_a_year(relay, bundles):
    digest = base64.b64encode(sha384((bundles / "neuralens.js").read_bytes()).digest()).decode()
    year = "public, max-age=31536000, immutable, no-transform"
    for version in (digest[:8], digest, f"sha384-{digest}", digest.translate({43: 45, 47: 95})):
        answer = relay.http.get("neuralens.js", params={"v": version})
        assert answer.headers["Cache-Control"] == year
    for version in ("", digest[:7], "0.1.0", digest[1:9]):
        answer = relay.http.get("neuralens.js", params={"v": version})
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"
        assert "version" in answer.json()["error"]


@pytest.mark.parametrize(
    ("asked", "named"), [({}, None), ({"NEURALENS_SOURCE_MAPS": "true"}, "neuralens.js.map")]
)
def test_a_script_links_to_its_source_map_if_enabled(start, api_down, asked, named):
    relay = start(api_down | asked)
    answer, _ = fetch(relay, "neuralens.js")
    assert answer.headers.get("SourceMap") == named
    again, _ = fetch(relay, "neuralens.js", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers.get("SourceMap")) == (304, named)
    assert "SourceMap" not in fetch(relay, "pyscript/core.wasm")[0].headers
    found = relay.http.get("neuralens.js.map")
    assert found.headers["Content-Type"] == "application/json"
    assert found.json()["version"] == 3


def test_unchanged_files_answer_304(relay):
    answer, _ = fetch(relay, "neuralens.js")
    tag = answer.headers["ETag"]
    for condition in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again, raw = fetch(relay, "neuralens.js", **{"If-None-Match": condition})
        assert (again.status_code, raw) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Vary"] == "Accept-Encoding"
    # Other encodings have other ETags.
    assert fetch(relay, "neuralens.js", "gzip", **{"If-None-Match": tag})[0].status_code == 200


def test_nested_large_and_compressed_files_are_served(relay, bundles):
    answer, raw = fetch(relay, "pyscript/core.wasm")
    assert answer.headers["Content-Type"] == "application/wasm"
    assert answer.headers["Content-Encoding"] == "br"
    assert brotli.decompress(raw) == (bundles / "pyscript/core.wasm").read_bytes()
    answer, raw = fetch(relay, "pyscript/packed.zip")
    assert answer.headers["Content-Type"] == "application/zip"
    assert "Content-Encoding" not in answer.headers
    assert raw == bytes(range(256))


def test_files_that_the_build_compressed_are_served_as_they_are(start, api_down, bundles):
    content = (bundles / "neuralens.js").read_bytes()
    # Of a lower level, to tell it from what the relay compresses.
    packed = brotli.compress(content, quality=1)
    assert packed != brotli.compress(content, quality=11)
    (bundles / "neuralens.js.br").write_bytes(packed)
    (bundles / "neuralens.js.gz").write_bytes(gzip.compress(content))
    (bundles / "neuralens.js.map.br").write_bytes(brotli.compress(b"another build's"))
    (bundles / "neuralens.js.map.gz").write_bytes(b"damaged")
    relay = start(api_down)
    assert fetch(relay, "neuralens.js")[1] == packed
    _, raw = fetch(relay, "neuralens.js.map", "br;q=1")
    assert raw == (bundles / "neuralens.js.map").read_bytes()
    assert load(bundles, ["neuralens.js.map"])["neuralens.js.map"].encodings == {}


@pytest.mark.parametrize("address", ["secret.txt", "../manifest.json", "%2e%2e/x", "pyscript"])
def test_nothing_else_is_served(relay, address):
    assert relay.http.get(address).status_code == 404


def test_a_head_request_gets_the_headers(relay):
    answer = relay.http.head("neuralens.js")
    assert answer.status_code == 200
    assert answer.content == b""


def test_a_manifest_that_points_outside_is_not_followed(tmp_path):
    folder = tmp_path / "dist"
    folder.mkdir()
    (tmp_path / "outside.js").write_text("x")
    assert load(folder, ["../outside.js", "missing.js"]) == {}


def test_quality_values_are_parsed():
    assert read_weights("br;q=0.5, gzip; q=0 ,*") == {"br": 0.5, "gzip": 0.0, "*": 1.0}


def test_a_page_from_before_an_upgrade_gets_its_script(start, api_down, bundles):
    old = (bundles / "neuralens.js").read_bytes()
    version = base64.urlsafe_b64encode(sha384(old).digest()).decode()[:12]
    start(api_down).http.get("neuralens.js").raise_for_status()
    (bundles / "neuralens.js").write_bytes(old + b"// new")
    relay = start(api_down)
    found = relay.http.get("neuralens.js", params={"v": version})
    assert (found.status_code, found.content) == (200, old)
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable, no-transform"
    assert relay.http.get("neuralens.js").content == old + b"// new"
    assert relay.http.get("neuralens.js", params={"v": "x" * 12}).status_code == 404
    # A modified file in the archive is not served as that version.
    folder = outbox_path(api_down).with_name("outbox-scripts")
    for file in folder.glob("*/*"):
        file.write_bytes(b"alert(1)")
    assert start(api_down).http.get("neuralens.js", params={"v": version}).status_code == 404


def test_an_unwritable_archive_is_not_fatal(start, api_down, bundles):
    outbox_path(api_down).with_name("outbox-scripts").write_text("a file")
    relay = start(api_down)
    assert relay.http.get("neuralens.js").status_code == 200
    assert relay.http.get("neuralens.js", params={"v": "x" * 12}).status_code == 404


def test_a_missing_folder_of_the_outbox_is_not_created(start_lazily, api_down, tmp_path):
    missing = tmp_path / "not-mounted"
    relay = start_lazily({**api_down, "NEURALENS_OUTBOX": f"sqlite:///{missing}/outbox.db"})
    assert relay.http.get("neuralens.js").status_code == 200
    assert not missing.exists()


def test_concurrent_requests_compress_a_file_once(monkeypatch):
    bundle, calls, compress = Bundle("x.js", b"x" * 10_000), [], brotli.compress
    start = threading.Barrier(4)

    def count(*arguments, **named):
        calls.append(arguments)
        # Others have the time to begin, too.
        begun.wait(0.2)
        return compress(*arguments, **named)

    def compress_together():
        start.wait()
        bundle.compress()

    begun = threading.Event()
    monkeypatch.setattr(brotli, "compress", count)
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(compress_together) for _ in range(4)]:
            each.result()
    assert len(calls) == 1
