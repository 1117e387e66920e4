"""The demo as a process: its pages, its inspector, its start and its end."""

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
from tests.polling import PATIENCE

HOSTILE = "<script>alert(1)</script>\"'&\u2028"


@pytest.fixture
def shopper(demo):
    with httpx.Client(base_url=demo.url, follow_redirects=True, timeout=PATIENCE) as http:
        yield http


def read(response):
    assert response.headers["content-type"].startswith("text/html")
    return html5lib.parse(response.text, namespaceHTMLElements=False)


def where(page, **attributes):
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
def test_pages_answer_and_keep_to_a_strict_policy(shopper, path):
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
def test_what_is_not_there_is_a_404_with_a_way_on(shopper, path):
    response = shopper.get(path)
    assert response.status_code == 404
    assert where(read(response), href="/")


def test_the_only_tracking_code_is_the_snippet(shopper):
    page = read(shopper.get("/"))
    [snippet] = where(page, data_app_id=...)
    path, _, version = snippet.get("src").partition("?v=")
    assert path == "/nl/neuralens.js"
    assert snippet.get("integrity").startswith(f"sha384-{version}")
    assert "immutable" in shopper.get(snippet.get("src")).headers["cache-control"]
    assert "javascript" in shopper.get(snippet.get("src")).headers["content-type"]


def test_results_carry_page_query_list_and_offset(shopper):
    [first] = where(read(shopper.get("/search?q=chair")), data_nl_list="results")
    [second] = where(read(shopper.get("/search?q=chair&page=2")), data_nl_list="results")
    assert first.get("data-nl-page") == "SEARCH_RESULT_PAGE"
    assert first.get("data-nl-query") == "chair"
    assert (first.get("data-nl-offset"), second.get("data-nl-offset")) == ("0", "24")
    tiles = where(first, data_nl_product=...)
    assert len(tiles) == 24
    seen = {tile.get("data-nl-product") for tile in tiles}
    assert not seen & {tile.get("data-nl-product") for tile in where(second, data_nl_product=...)}
    for tile in tiles:
        assert len(where(tile, data_nl_action="add-to-cart")) == 1
        assert len(where(tile, data_nl_action="favorite", aria_pressed="false")) == 1


def test_suggestions_carry_what_was_typed(shopper):
    page = read(shopper.get("/suggest?q=oak"))
    suggestions = where(page, data_nl_suggestion=...)
    assert suggestions
    for suggestion in suggestions:
        assert suggestion.get("role") == "option"
        assert suggestion.get("href") == f"/search?q={quote(suggestion.get('data-nl-suggestion'))}"
    groups = where(page, role="group")
    assert {group.get("data-nl-page") for group in groups} == {"AUTOCOMPLETE"}
    assert {group.get("data-nl-query") for group in groups} == {"oak"}
    assert len(where(page, data_nl_product=...)) == 3
    assert len({option.get("id") for option in where(page, role="option")}) == len(suggestions) + 3


def test_a_hostile_query_comes_out_as_text(shopper):
    # The browser's own rule for a blank in a search: one, and no line separators.
    query = " ".join(HOSTILE.split())
    page = read(shopper.get(f"/search?q={quote(HOSTILE)}"))
    [box] = where(page, id="search-input")
    assert box.get("value") == query
    assert query in "".join(page.itertext())


def test_departments_show_more(shopper):
    page = read(shopper.get("/category/chairs"))
    [shelf] = where(page, data_nl_page="CATEGORY_PAGE")
    assert shelf.get("data-nl-list") == "chairs"
    shown = [tile.get("data-nl-product") for tile in where(shelf, data_nl_product=...)]
    assert len(shown) == 12
    [link] = where(page, data_fragment=...)
    part = read(shopper.get(link.get("data-fragment")))
    following = [tile.get("data-nl-product") for tile in where(part, data_nl_product=...)]
    without_script = read(shopper.get(link.get("href")))
    everything = [
        tile.get("data-nl-product") for tile in where(without_script, data_nl_product=...)
    ]
    assert everything == shown + following


def test_a_product_is_landed_on_and_others_are_recommended(shopper):
    page = read(shopper.get("/product/AV768"))
    [landing] = where(page, data_nl_landing="AV768")
    for action in ("add-to-cart", "favorite", "share"):
        assert len(where(landing, data_nl_action=action)) == 1
    [shelf] = where(page, data_nl_list="recommendations")
    assert shelf.get("data-nl-page") == "PRODUCT_PAGE"
    assert len(where(shelf, data_nl_product=...)) == 4
    assert not where(landing, data_nl_product=...)


def test_every_picture_is_there(shopper):
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
    assert where(read(wrong), aria_invalid="true")
    fields = {
        field.get("name"): field.get("value")
        for field in where(read(shopper.get("/checkout")), maxlength=..., required=...)
    }
    bought = shopper.post("/checkout", data=fields | {"name": "<b>Robin</b>"})
    assert bought.url.path.startswith("/order/")
    [order] = where(read(bought), data_nl_purchase=...)
    assert [line.get("data-nl-product") for line in where(order, data_nl_product=...)] == [
        "AV768",
        "SF768",
    ]
    assert "Thank you, <b>Robin</b>" in "".join(order.itertext())
    assert shopper.get(bought.url.path).text == bought.text
    assert httpx.get(f"{demo.url}{bought.url.path}", timeout=PATIENCE).status_code == 404
    assert shopper.get("/checkout").url.path == "/cart"


def test_a_script_gets_json(shopper):
    headers = {"Accept": "application/json"}
    answer = shopper.post("/cart/add", data={"id": "AV768"}, headers=headers)
    assert answer.json() == {"count": 1, "name": "Alder spindle chair"}
    assert shopper.post(
        "/favourites", data={"id": "AV768", "on": "true"}, headers=headers
    ).json() == {"on": True}
    [heart] = where(read(shopper.get("/product/AV768")), aria_pressed="true")
    assert heart.get("data-nl-action") == "favorite"


def test_the_session_is_out_of_scripts_reach(shopper):
    cookie = shopper.post("/cart/add", data={"id": "AV768"}, follow_redirects=False).headers[
        "set-cookie"
    ]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize(
    "path", ["/cart", "/cart/add", "/favourites", "/checkout", "/consent", "/runtime"]
)
def test_forms_from_elsewhere_are_refused(shopper, path):
    response = shopper.post(path, data={"id": "AV768"}, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"a" * 20_000, 413), (b"\xff", 400), (b"a=1&" * 100, 400), (b"id=none", 404)],
)
def test_broken_forms_are_refused(shopper, raw, status):
    assert shopper.post("/cart/add", content=raw).status_code == status


def consent_on(http):
    """What a page tells the tracker, and the number of its banners."""
    page = read(http.get("/"))
    [snippet] = where(page, data_app_id=...)
    return snippet.get("data-consent"), len(where(page, data_consent_banner=...))


def test_consent_is_kept_and_taken_back(shopper):
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


def test_the_staff_account_is_told_to_the_tracker_and_given_up(shopper):
    def uid():
        [snippet] = where(read(shopper.get("/")), data_app_id=...)
        return snippet.get("data-uid")

    assert uid() is None
    back = shopper.post("/account", data={"account": "staff", "back": "/cart"})
    assert back.url.path == "/cart"
    assert uid() == STAFF_UID
    shopper.post("/account", data={"account": "guest"})
    assert uid() is None
    assert shopper.post("/account", data={"account": "root"}).status_code == 400


def test_the_staff_account_is_the_one_whose_events_the_hooks_drop():
    source = (Path(neuralens_demo.__file__).parent / "shop_hooks.py").read_text()
    assert f'STAFF = "{STAFF_UID}"' in source


def test_a_runtime_that_does_not_exist_or_was_not_built_is_one_sentence(shopper):
    wrong = shopper.post("/runtime", data={"runtime": "lua"})
    assert wrong.status_code == 400
    assert "must be one of javascript, brython, pyscript" in wrong.text
    missing = shopper.post("/runtime", data={"runtime": "brython"})
    assert missing.status_code == 404
    assert "has no neuralens.brython.js: run `make build` again" in missing.text


def test_a_runtime_of_another_visit_that_is_not_built_here_is_not_used(shopper):
    shopper.cookies.set("runtime", "brython")
    response = shopper.get("/")
    assert response.status_code == 200
    [snippet] = where(read(response), data_app_id=...)
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


def test_an_event_goes_all_the_way_into_the_inspector(demo):
    httpx.post(f"{demo.url}/inspector/clear", timeout=PATIENCE)
    sent = event()
    with httpx.stream("GET", f"{demo.url}/inspector/stream", timeout=PATIENCE) as stream:
        messages = follow(stream)
        assert next(messages) == ("cleared", {})
        assert next(messages)[0] == "figures"
        demo.send(sent)
        name, entry = next(messages)
        assert name == "entry"
        assert entry["body"] == {name: value for name, value in sent.items() if name != "eid"}
        assert entry["words"] == "Opened Alder spindle chair AV768 in a department at rank 0"
        assert entry["way"]["sent"] <= entry["way"]["arrived"] <= entry["received"]
        assert entry["way"]["together"] == 1
        name, figures = next(messages)
        assert figures["ranks"] == [{"rank": 0, "views": 0, "clicks": 1}]
        httpx.post(f"{demo.url}/inspector/clear", timeout=PATIENCE)
        assert next(messages) == ("cleared", {})
    assert demo.ledger() == []


def follow(stream):
    name = None
    for line in stream.iter_lines():
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


def test_the_chart_library_comes_from_the_build(shopper):
    response = shopper.get("/inspector/chart.js")
    assert "javascript" in response.headers["content-type"]


def test_clearing_from_elsewhere_is_refused(shopper):
    headers = {"Origin": "https://evil.example"}
    assert shopper.post("/inspector/clear", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/inspector", "/inspector/stream"])
def test_a_name_that_was_made_to_lead_here_sees_no_events(shopper, path):
    assert shopper.get(path, headers={"Host": "evil.example"}).status_code == 403


# Start and end


def test_ctrl_c_ends_everything_and_leaves_nothing(run_demo, tmp_path):
    with run_demo(temporary=tmp_path) as demo:
        assert list(tmp_path.iterdir())
        with (
            httpx.stream("GET", f"{demo.url}/inspector/stream", timeout=PATIENCE) as one,
            httpx.stream("GET", f"{demo.ledger_url}/stream", timeout=PATIENCE) as other,
        ):
            assert (one.status_code, other.status_code) == (200, 200)
            demo.send(event())
            output, errors = demo.interrupt()
        assert demo.process.returncode == 0
        assert errors == ""
        assert output == ""
        assert list(tmp_path.iterdir()) == []


def test_the_outbox_can_be_kept(run_demo, tmp_path):
    with run_demo("--data", str(tmp_path / "kept")) as demo:
        demo.send(event())
        demo.interrupt()
    assert (tmp_path / "kept" / "outbox.db").is_file()


def test_a_taken_port_is_named(try_demo):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = try_demo("--port", port)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr
    assert "--port" in done.stderr


def test_an_outbox_that_is_none_is_named(try_demo, tmp_path):
    (tmp_path / "outbox.db").write_bytes(b"no database " * 500)
    done = try_demo("--port", "0", "--data", str(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "outbox.db") in done.stderr


def test_without_a_build_the_remedy_is_named(try_demo, tmp_path):
    if (Path(__file__).parents[2] / "build" / "neuralens_embed" / "dist").exists():
        pytest.skip("this is an installed wheel: the bundles are in the package")
    (tmp_path / "pyproject.toml").touch()
    done = try_demo("--port", "0", folder=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "make build" in done.stderr
