"""The bundles as browsers get them."""

import base64
import gzip
from hashlib import sha384

import brotli
import pytest
from neuralens_relay.bundles import load, read_weights

from tests.relay.conftest import eventually
from tests.relay.test_durability import outbox_path


@pytest.fixture
def relay(start, offline):
    return start(offline)


def fetch(relay, address, accept="br, gzip", **headers):
    """Return an answer with its body as it went over the wire."""
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
def test_the_best_encoding_taken_is_served(relay, bundles, accept, encoding, unpack):
    answer, raw = fetch(relay, "neuralens.js", accept)
    assert answer.status_code == 200
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(raw)
    assert unpack(raw) == (bundles / "neuralens.js").read_bytes()
    if encoding:
        assert len(raw) < 200


def test_headers_let_any_page_run_the_script_and_keep_it_while_it_is_current(relay):
    answer, _ = fetch(relay, "neuralens.js", Origin="https://shop.example")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, no-cache, no-transform"
    assert answer.headers["ETag"]


def test_an_address_that_names_the_content_is_kept_for_a_year(relay, bundles):
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
def test_a_script_names_its_source_map_when_asked_to(start, offline, asked, named):
    relay = start(offline | asked)
    answer, _ = fetch(relay, "neuralens.js")
    assert answer.headers.get("SourceMap") == named
    again, _ = fetch(relay, "neuralens.js", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers.get("SourceMap")) == (304, named)
    assert "SourceMap" not in fetch(relay, "pyscript/core.wasm")[0].headers
    found = relay.http.get("neuralens.js.map")
    assert found.headers["Content-Type"] == "application/json"
    assert found.json()["version"] == 3


def test_what_has_not_changed_is_not_sent_again(relay):
    answer, _ = fetch(relay, "neuralens.js")
    tag = answer.headers["ETag"]
    for condition in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again, raw = fetch(relay, "neuralens.js", **{"If-None-Match": condition})
        assert (again.status_code, raw) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Vary"] == "Accept-Encoding"
    # Another encoding is other bytes.
    assert fetch(relay, "neuralens.js", "gzip", **{"If-None-Match": tag})[0].status_code == 200


def test_nested_and_large_and_packed_files_are_served(relay, bundles):
    def large():
        answer, raw = fetch(relay, "pyscript/core.wasm")
        assert answer.headers["Content-Type"] == "application/wasm"
        return answer.headers.get("Content-Encoding") == "br" and raw

    assert brotli.decompress(eventually(large)) == (bundles / "pyscript/core.wasm").read_bytes()
    answer, raw = fetch(relay, "pyscript/packed.zip")
    assert answer.headers["Content-Type"] == "application/zip"
    assert "Content-Encoding" not in answer.headers
    assert raw == bytes(range(256))


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
    assert load(folder, {"../outside.js": {}, "missing.js": {}}) == {}


def test_weights_are_read_as_the_standard_has_them():
    assert read_weights("br;q=0.5, gzip; q=0 ,*") == {"br": 0.5, "gzip": 0.0, "*": 1.0}


def test_a_page_of_before_an_upgrade_gets_the_script_that_it_names(start, offline, bundles):
    old = (bundles / "neuralens.js").read_bytes()
    version = base64.urlsafe_b64encode(sha384(old).digest()).decode()[:12]
    start(offline).http.get("neuralens.js").raise_for_status()
    (bundles / "neuralens.js").write_bytes(old + b"// new")
    relay = start(offline)
    found = relay.http.get("neuralens.js", params={"v": version})
    assert (found.status_code, found.content) == (200, old)
    assert found.headers["Cache-Control"] == "public, max-age=31536000, immutable, no-transform"
    assert relay.http.get("neuralens.js").content == old + b"// new"
    assert relay.http.get("neuralens.js", params={"v": "x" * 12}).status_code == 404
    # What somebody has changed there is not that version.
    folder = outbox_path(offline).with_name("outbox-scripts")
    for file in folder.glob("*/*"):
        file.write_bytes(b"alert(1)")
    assert start(offline).http.get("neuralens.js", params={"v": version}).status_code == 404


def test_an_archive_that_cannot_be_written_stops_nothing(start, offline, bundles):
    outbox_path(offline).with_name("outbox-scripts").write_text("a file")
    relay = start(offline)
    assert relay.http.get("neuralens.js").status_code == 200
    assert relay.http.get("neuralens.js", params={"v": "x" * 12}).status_code == 404
