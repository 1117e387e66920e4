"""The demo as a process: its pages, its inspector, startup and shutdown."""

import json
import socket
import time
import uuid
from pathlib import Path
from urllib.parse import quote

import html5lib
import httpx
import neuralens_demo
import pytest
from neuralens_demo.tracking import STAFF_UID

from tests.clients import connect
from tests.polling import TIMEOUT

HOSTILE = "<script>alert(1)</script>\"'&\u2028"


@pytest.fixture
def shopper(demo):
    with httpx.Client(base_url=demo.url, follow_redirects=True, timeout=TIMEOUT) as http:
        yield http


def read(response):
    assert response.headers["content-type"].startswith("text/html")
    return html5lib.parse(response.text, namespaceHTMLElements=False)


def select(page, **attributes):
    """Return the elements with these attributes; ``...`` stands for any value."""
    wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
    return [
        element
        for element in page.iter()
        if all(
            element.get(name) == value if value is not ... else name in element.attrib
            for name, value in wanted.items()
        )
    ]


# Pages


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/search",
        "/search?q=chair",
        "/search?q=chair&page=2",
        "/search?q=zzz",
        f"/search?q={quote(HOSTILE)}",
        "/category/chairs",
        "/category/rugs",
        "/product/AV768",
        "/cart",
        "/inspector",
        "/beside",
    ],
)
def test_pages_work_under_a_strict_policy(shopper, path):
    response = shopper.get(path)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page = read(response)
    for element in page.iter():
        if element.tag == "script":
            assert element.get("src")
            assert not (element.text or "").strip()
        assert element.tag != "style"
        assert not {name for name in element.attrib if name.startswith("on") or name == "style"}


@pytest.mark.parametrize(
    "path", ["/nowhere", "/product/none", "/category/none", "/search?q=chair&page=9", "/order/none"]
)
def test_a_404_page_links_to_the_home_page(shopper, path):
    response = shopper.get(path)
    assert response.status_code == 404
    assert select(read(response), href="/")


def test_the_only_tracking_code_is_the_snippet(shopper):
    page = read(shopper.get("/"))
    [snippet] = select(page, data_app_id=...)
    path, _, version = snippet.get("src").partition("?v=")
    assert path == "/nl/neuralens.js"
    assert snippet.get("integrity").startswith(f"sha384-{version}")
    assert "immutable" in shopper.get(snippet.get("src")).headers["cache-control"]
    assert "javascript" in shopper.get(snippet.get("src")).headers["content-type"]


def test_results_carry_page_query_list_and_offset(shopper):
    [first] = select(read(shopper.get("/search?q=chair")), data_nl_list="results")
    [second] = select(read(shopper.get("/search?q=chair&page=2")), data_nl_list="results")
    assert first.get("data-nl-page") == "SEARCH_RESULT_PAGE"
    assert first.get("data-nl-query") == "chair"
    assert (first.get("data-nl-offset"), second.get("data-nl-offset")) == ("0", "24")
    tiles = select(first, data_nl_product=...)
    assert len(tiles) == 24
    seen = {tile.get("data-nl-product") for tile in tiles}
    assert not seen & {tile.get("data-nl-product") for tile in select(second, data_nl_product=...)}
    for tile in tiles:
        assert len(select(tile, data_nl_action="add-to-cart")) == 1
        assert len(select(tile, data_nl_action="favorite", aria_pressed="false")) == 1


def test_suggestions_carry_the_typed_query(shopper):
    page = read(shopper.get("/suggest?q=oak"))
    suggestions = select(page, data_nl_suggestion=...)
    assert suggestions
    for suggestion in suggestions:
        assert suggestion.get("role") == "option"
        assert suggestion.get("href") == f"/search?q={quote(suggestion.get('data-nl-suggestion'))}"
    groups = select(page, role="group")
    assert {group.get("data-nl-page") for group in groups} == {"AUTOCOMPLETE"}
    assert {group.get("data-nl-query") for group in groups} == {"oak"}
    assert len(select(page, data_nl_product=...)) == 3
    assert len({option.get("id") for option in select(page, role="option")}) == len(suggestions) + 3


def test_a_hostile_query_is_escaped(shopper):
    # The shop normalizes whitespace, including line separators.
    query = " ".join(HOSTILE.split())
    page = read(shopper.get(f"/search?q={quote(HOSTILE)}"))
    [box] = select(page, id="search-input")
    assert box.get("value") == query
    assert query in "".join(page.itertext())


def test_departments_show_more(shopper):
    page = read(shopper.get("/category/chairs"))
    [shelf] = select(page, data_nl_page="CATEGORY_PAGE")
    assert shelf.get("data-nl-list") == "chairs"
    shown = [tile.get("data-nl-product") for tile in select(shelf, data_nl_product=...)]
    assert len(shown) == 12
    [link] = select(page, data_fragment=...)
    part = read(shopper.get(link.get("data-fragment")))
    following = [tile.get("data-nl-product") for tile in select(part, data_nl_product=...)]
    without_script = read(shopper.get(link.get("href")))
    everything = [
        tile.get("data-nl-product") for tile in select(without_script, data_nl_product=...)
    ]
    assert everything == shown + following


def test_a_product_page_has_a_landing_and_recommendations(shopper):
    page = read(shopper.get("/product/AV768"))
    [landing] = select(page, data_nl_landing="AV768")
    for action in ("add-to-cart", "favorite", "share"):
        assert len(select(landing, data_nl_action=action)) == 1
    [shelf] = select(page, data_nl_list="recommendations")
    assert shelf.get("data-nl-page") == "PRODUCT_PAGE"
    assert len(select(shelf, data_nl_product=...)) == 4
    assert not select(landing, data_nl_product=...)


def test_every_picture_is_served(shopper):
    page = read(shopper.get("/"))
    addresses = {image.get("src") for image in page.iter("img")}
    assert len(addresses) > 12
    for address in addresses:
        response = shopper.get(address)
        assert response.headers["content-type"] == "image/svg+xml"


# Buying


def test_buying_without_a_script(shopper, demo):
    assert shopper.post("/cart/add", data={"id": "AV768"}).url.path == "/cart"
    shopper.post("/cart/add", data={"id": "SF768"})
    shopper.post("/cart", data={"id": "AV768", "quantity": "3"})
    wrong = shopper.post("/checkout", data={"name": "R"})
    assert wrong.status_code == 422
    assert select(read(wrong), aria_invalid="true")
    fields = {
        field.get("name"): field.get("value")
        for field in select(read(shopper.get("/checkout")), maxlength=..., required=...)
    }
    bought = shopper.post("/checkout", data=fields | {"name": "<b>Robin</b>"})
    assert bought.url.path.startswith("/order/")
    [order] = select(read(bought), data_nl_purchase=...)
    assert [line.get("data-nl-product") for line in select(order, data_nl_product=...)] == [
        "AV768",
        "SF768",
    ]
    assert "Thank you, <b>Robin</b>" in "".join(order.itertext())
    assert shopper.get(bought.url.path).text == bought.text
    assert httpx.get(f"{demo.url}{bought.url.path}", timeout=TIMEOUT).status_code == 404
    assert shopper.get("/checkout").url.path == "/cart"


def test_a_script_gets_json(shopper):
    headers = {"Accept": "application/json"}
    response = shopper.post("/cart/add", data={"id": "AV768"}, headers=headers)
    assert response.json() == {"count": 1, "name": "Alder spindle chair"}
    assert shopper.post(
        "/favorites", data={"id": "AV768", "on": "true"}, headers=headers
    ).json() == {"on": True}
    [heart] = select(read(shopper.get("/product/AV768")), aria_pressed="true")
    assert heart.get("data-nl-action") == "favorite"


def test_the_session_cookie_is_inaccessible_to_scripts(shopper):
    cookie = shopper.post("/cart/add", data={"id": "AV768"}, follow_redirects=False).headers[
        "set-cookie"
    ]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize(
    "path", ["/cart", "/cart/add", "/favorites", "/checkout", "/consent", "/runtime"]
)
def test_forms_from_other_origins_are_refused(shopper, path):
    response = shopper.post(path, data={"id": "AV768"}, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"a" * 20_000, 413), (b"\xff", 400), (b"a=1&" * 100, 400), (b"id=none", 404)],
)
def test_malformed_forms_are_refused(shopper, raw, status):
    assert shopper.post("/cart/add", content=raw).status_code == status


def consent_on(http):
    """Return the snippet's consent setting, and the number of consent banners."""
    page = read(http.get("/"))
    [snippet] = select(page, data_app_id=...)
    return snippet.get("data-consent"), len(select(page, data_consent_banner=...))


def test_consent_is_stored_and_can_be_withdrawn(shopper):
    def state():
        return consent_on(shopper)

    assert state() == ("granted", 1)
    back = shopper.post("/consent", data={"choice": "granted", "back": "/search?q=oak"})
    assert back.url.path == "/search"
    assert state() == ("granted", 0)
    shopper.post("/consent", data={"choice": "denied"})
    assert state() == ("denied", 0)
    shopper.post("/consent", data={"choice": "pending"})
    assert state() == ("pending", 1)
    assert shopper.post("/consent", data={"choice": "perhaps"}).status_code == 400


def test_consent_can_be_asked_for_first(run_demo):
    with (
        run_demo("--consent", "pending") as demo,
        connect(demo.url) as http,
    ):
        assert consent_on(http) == ("pending", 1)
        http.post("/consent", data={"choice": "granted"})
        assert consent_on(http) == ("granted", 0)


# The footer's switches


def test_the_staff_account_sets_the_uid(shopper):
    def uid():
        [snippet] = select(read(shopper.get("/")), data_app_id=...)
        return snippet.get("data-uid")

    assert uid() is None
    back = shopper.post("/account", data={"account": "staff", "back": "/cart"})
    assert back.url.path == "/cart"
    assert uid() == STAFF_UID
    shopper.post("/account", data={"account": "guest"})
    assert uid() is None
    assert shopper.post("/account", data={"account": "root"}).status_code == 400


def test_the_hooks_drop_events_of_the_staff_account():
    source = (Path(neuralens_demo.__file__).parent / "shop_hooks.py").read_text()
    assert f'STAFF = "{STAFF_UID}"' in source


def test_an_unknown_or_unbuilt_runtime_is_one_sentence(shopper):
    wrong = shopper.post("/runtime", data={"runtime": "lua"})
    assert wrong.status_code == 400
    assert "must be one of javascript, brython, pyscript" in wrong.text
    missing = shopper.post("/runtime", data={"runtime": "brython"})
    assert missing.status_code == 404
    assert "has no neuralens.brython.js: run `make build` again" in missing.text


def test_a_stored_runtime_that_is_not_built_is_not_used(shopper):
    shopper.cookies.set("runtime", "brython")
    response = shopper.get("/")
    assert response.status_code == 200
    [snippet] = select(read(response), data_app_id=...)
    assert snippet.get("src").startswith("/nl/neuralens.js")


# Relay, sandbox and inspector


def event(**fields):
    return {
        "eid": str(uuid.uuid4()),
        "uid": "u",
        "items": [{"id": "AV768"}],
        "event": "CLICK_PRODUCT",
        "page": "CATEGORY_PAGE",
        "index": 0,
        "timestamp": int(time.time()),
    } | fields


def test_an_event_reaches_the_inspector(demo):
    httpx.post(f"{demo.url}/inspector/clear", timeout=TIMEOUT)
    sent = event()
    with httpx.stream("GET", f"{demo.url}/inspector/stream", timeout=TIMEOUT) as stream:
        messages = follow(stream)
        assert next(messages) == ("cleared", {})
        assert next(messages)[0] == "figures"
        demo.send(sent)
        name, entry = next(messages)
        assert name == "entry"
        assert entry["body"] == {name: value for name, value in sent.items() if name != "eid"}
        assert entry["words"] == "Opened Alder spindle chair AV768 in a department at rank 0"
        assert entry["transit"]["sent"] <= entry["transit"]["arrived"] <= entry["received"]
        assert entry["transit"]["batch_size"] == 1
        name, figures = next(messages)
        assert figures["ranks"] == [{"rank": 0, "views": 0, "clicks": 1}]
        httpx.post(f"{demo.url}/inspector/clear", timeout=TIMEOUT)
        assert next(messages) == ("cleared", {})
    assert demo.ledger() == []


def follow(stream):
    name = None
    for line in stream.iter_lines():
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


def test_the_chart_library_is_served(shopper):
    response = shopper.get("/inspector/chart.js")
    assert "javascript" in response.headers["content-type"]


def test_clearing_from_another_origin_is_refused(shopper):
    headers = {"Origin": "https://evil.example"}
    assert shopper.post("/inspector/clear", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/inspector", "/inspector/stream"])
def test_dns_rebinding_is_refused(shopper, path):
    assert shopper.get(path, headers={"Host": "evil.example"}).status_code == 403


# Startup and shutdown


def test_ctrl_c_stops_the_demo_and_removes_its_files(run_demo, tmp_path):
    with run_demo(temporary=tmp_path) as demo:
        assert list(tmp_path.iterdir())
        with (
            httpx.stream("GET", f"{demo.url}/inspector/stream", timeout=TIMEOUT) as one,
            httpx.stream("GET", f"{demo.ledger_url}/stream", timeout=TIMEOUT) as other,
        ):
            assert (one.status_code, other.status_code) == (200, 200)
            demo.send(event())
            output, errors = demo.interrupt()
        assert demo.process.returncode == 0
        assert errors == ""
        assert output == ""
        assert list(tmp_path.iterdir()) == []


def test_the_outbox_can_be_in_a_given_folder(run_demo, tmp_path):
    with run_demo("--data", str(tmp_path / "kept")) as demo:
        demo.send(event())
        demo.interrupt()
    assert (tmp_path / "kept" / "outbox.db").is_file()


def test_a_port_in_use_is_reported(try_demo):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = try_demo("--port", port)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr
    assert "--port" in done.stderr


def test_an_invalid_outbox_is_reported(try_demo, tmp_path):
    (tmp_path / "outbox.db").write_bytes(b"no database " * 500)
    done = try_demo("--port", "0", "--data", str(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "outbox.db") in done.stderr


def test_without_a_build_the_remedy_is_reported(try_demo, tmp_path):
    if (Path(__file__).parents[2] / "build" / "neuralens_embed" / "dist").exists():
        pytest.skip("this is an installed wheel: the bundles are in the package")
    (tmp_path / "pyproject.toml").touch()
    done = try_demo("--port", "0", folder=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "make build" in done.stderr
