"""Responses to batches from pages."""

import asyncio
import json
import socket
from contextlib import closing

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuralens_relay import Settings, create_app
from neuralens_relay.batch import Batch
from neuralens_relay.health import Refusals
from neuralens_relay.personal_data import remove_personal_data
from neuralens_tracker.vocabulary import EVENTS, MAX_BATCH_BYTES

from tests.event_loop import run
from tests.polling import eventually
from tests.processes import APPLICATION
from tests.relay.conftest import Client, make_batch, make_event


@pytest.fixture
def relay(start, api_down):
    return start(api_down)


def test_a_batch_is_accepted_and_counted(relay):
    known = make_event()
    relay.send(known)
    response = relay.post(
        make_batch(make_event(), known, make_event(event="BUY", eid="wrong"), lost=3)
    )
    assert response.status_code == 202
    receipt = response.json()
    assert receipt["accepted"] == 1
    assert receipt["duplicates"] == 1
    assert receipt["rejected"] == [
        {"eid": "wrong", "reason": "event must be one of " + ", ".join(EVENTS)}
    ]
    assert relay.metric("neuralens_events_received_total") == 4
    assert relay.metric("neuralens_events_accepted_total") == 2
    assert relay.metric("neuralens_events_duplicate_total") == 1
    assert relay.metric("neuralens_events_rejected_total") == 1
    assert relay.queued() == 2


def test_an_event_twice_in_one_batch_is_a_duplicate(shared_relay):
    event = make_event()
    assert shared_relay.send(event, event) == {"accepted": 1, "duplicates": 1, "rejected": []}


def test_losses_of_a_resent_batch_count_once(relay):
    batch = make_batch(make_event(), lost=5)
    relay.post(batch)
    relay.post(batch)
    assert relay.metric("neuralens_events_lost_total") == 5


def test_reported_losses_are_bounded(relay):
    assert relay.post(make_batch(make_event(), lost=10**9)).status_code == 202
    assert relay.metric("neuralens_events_lost_total") == 10_000


def test_json_is_accepted_too(shared_relay):
    assert (
        shared_relay.post(make_batch(make_event()), Content_Type="application/json").status_code
        == 202
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/html"},
        {"Content_Type": ""},
        {"Content_Type": "text/plain; charset=latin-1"},
        {"Content_Encoding": "gzip"},
    ],
)
def test_other_media_types_are_refused(shared_relay, headers):
    """The tracker sends none of them, so it keeps the events until the proxy is corrected."""
    response = shared_relay.post(make_batch(make_event()), **headers)
    assert response.status_code == 415
    assert response.json()["error"].startswith("unknown Content-")


@pytest.mark.parametrize("encoding", ["", "Identity"])
def test_a_body_without_an_encoding_may_say_so(shared_relay, encoding):
    response = shared_relay.post(make_batch(make_event()), Content_Encoding=encoding)
    assert response.status_code == 202


@pytest.mark.parametrize(
    "parameters",
    ["", ";", "; charset=utf8", ';charset="UTF-8";', "; format=flowed; charset=utf-8; boundary=a"],
)
def test_a_media_type_may_have_parameters(shared_relay, parameters):
    response = shared_relay.post(make_batch(make_event()), Content_Type="text/plain" + parameters)
    assert response.status_code == 202


@pytest.mark.parametrize("length", [0, 1, 200])
def test_a_body_that_is_cut_is_not_refused_for_good(shared_relay, length):
    """The tracker would erase its events, unless something is unknown to the relay."""
    body = json.dumps(make_batch(make_event())).encode()[:length]
    response = shared_relay.post(body)
    assert (response.status_code, response.json()["error"][:13]) == (400, "unknown body:")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        [],
        None,
        make_batch(make_event(), batch="*****"),
        make_batch(make_event(), sent="*****"),
        make_batch(make_event(), events="*****"),
        make_batch(make_event(), v=2),
    ],
)
def test_a_batch_that_a_firewall_has_changed_is_not_refused_for_good(shared_relay, changed):
    """Nor is one of a newer tracker, which a newer relay accepts."""
    response = shared_relay.post(json.dumps(changed).encode())
    assert (response.status_code, response.json()["error"][:8]) == (400, "unknown ")


def test_a_proxy_may_drop_the_media_type(shared_relay):
    body = json.dumps(make_batch(make_event())).encode()
    assert shared_relay.http.post("events", content=body).json()["accepted"] == 1


DEEP = 10_000
ENVELOPE = json.dumps(make_batch("EVENT"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a batch"),
        (b"null", "not a batch"),
        (b'"text"', "not a batch"),
        (b"{}", "not a batch"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * DEEP + b"]" * DEEP, "nested too deep"),
        (b'{"":' * 8000 + b"1" + b"}" * 8000, "nested too deep"),
        (ENVELOPE.replace('"EVENT"', "[" * DEEP + "]" * DEEP).encode(), "nested too deep"),
        (b"9" * 5000, "not JSON"),
        (b'{"v": 2}', "v must be 1"),
        (json.dumps(make_batch(v=2)).encode(), "v must be 1"),
        (json.dumps(make_batch(v="1")).encode(), "v must be 1"),
        (json.dumps(make_batch(v=True)).encode(), "`$.v`"),
        (json.dumps(make_batch(v=None)).encode(), "v must be 1"),
        (json.dumps(make_batch(app=7)).encode(), "$.app"),
        (json.dumps(make_batch(app=None)).encode(), "$.app"),
        (json.dumps(make_batch(app="other")).encode(), "application"),
        (json.dumps(make_batch(app="\ud800")).encode(), "application"),
        (json.dumps(make_batch(batch="")).encode(), "$.batch"),
        (json.dumps(make_batch(batch="a;b")).encode(), "$.batch"),
        (json.dumps(make_batch(batch="a\n")).encode(), "$.batch"),
        (json.dumps(make_batch(batch="x" * 65)).encode(), "$.batch"),
        (json.dumps(make_batch(lost=-1)).encode(), "$.lost"),
        (json.dumps(make_batch(sent="now")).encode(), "$.sent"),
        (json.dumps(make_batch(sent="\ud800")).encode(), "surrogates"),
        (json.dumps(make_batch(events={})).encode(), "$.events"),
        (json.dumps(make_batch(*[1] * 501)).encode(), "$.events"),
    ],
)
def test_an_invalid_batch_is_refused_with_the_reason(shared_relay, body, reason):
    response = shared_relay.post(body)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert reason in error
    # Otherwise the tracker would discard all of its events.
    assert "unknown" in error


def test_refusals_by_the_settings_are_in_health(relay):
    assert relay.health()["reasons"] == []
    relay.post(b"no batch")
    refused = [
        relay.post(make_batch(app="other")),
        relay.post(make_batch(), Origin="https://other.example"),
    ]
    assert [response.status_code for response in refused] == [400, 403]
    health = relay.health()
    assert health["ready"]
    assert health["reasons"] == [
        f"batches were refused: {response.json()['error']}" for response in refused
    ]


def test_refusals_are_listed_for_ten_minutes():
    now = 0.0
    refusals = Refusals(lambda: now)
    refusals.add("origin", "first")
    now = 300.0
    refusals.add("origin", "last")
    refusals.add("application", "other")
    now = 899.0
    assert refusals.recent() == ["last", "other"]
    now = 901.0
    assert refusals.recent() == []


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (json.dumps(make_event(eid="x", query="\ud83d")), "lone surrogate"),
        (json.dumps(make_event(eid="x", geo={"region": "\udc00"})), "lone surrogate"),
        (json.dumps(make_event(eid="x", index=float("nan"))), "index"),
        (json.dumps(make_event(eid="x", timestamp=float("inf"))), "timestamp"),
        (json.dumps(make_event(eid="x")).replace("1715644800", "1e999"), "timestamp"),
        (json.dumps(make_event(eid="x", timestamp=10**300)), "timestamp"),
        (json.dumps(make_event(eid="x", timestamp=1.5)), "timestamp"),
        (json.dumps(make_event(eid="x", items=[])), "items"),
        (json.dumps(make_event(eid="x", items=[{"id": "1"}, {"id": "2"}])), "items"),
        (json.dumps(make_event(eid="x", page="HOME")), "page"),
        (json.dumps(make_event(eid="x", index=True)), "index"),
        (json.dumps(make_event(eid="x", index="\u00b2")), ""),
    ],
)
def test_an_invalid_event_is_rejected_individually(shared_relay, event, reason):
    body = json.dumps(make_batch(make_event(), "BAD", make_event())).replace('"BAD"', event)
    response = shared_relay.post(body.encode())
    assert response.status_code == 202, response.text
    receipt = response.json()
    assert receipt["accepted"] == 2
    assert [wrong["eid"] for wrong in receipt["rejected"]] == ["x"]
    assert reason in receipt["rejected"][0]["reason"]


@pytest.mark.parametrize("event", ["null", "7", "[]", "{}", '{"eid": 7}', '{"eid": "\\ud800"}'])
def test_an_invalid_event_without_a_usable_id_is_rejected_individually(shared_relay, event):
    body = json.dumps(make_batch(make_event(), "BAD")).replace('"BAD"', event)
    receipt = shared_relay.post(body.encode()).json()
    assert receipt["accepted"] == 1
    assert [wrong["eid"] for wrong in receipt["rejected"]] == [None]


def padded(size: int) -> bytes:
    body = json.dumps(make_batch(make_event())).encode()
    return body + b" " * (size - len(body))


def test_bodies_are_limited_to_48_kib(shared_relay):
    assert shared_relay.post(padded(MAX_BATCH_BYTES)).status_code == 202
    response = shared_relay.post(padded(MAX_BATCH_BYTES + 1))
    assert response.status_code == 413
    assert str(MAX_BATCH_BYTES) in response.json()["error"]


def test_a_large_body_without_a_length_is_refused(shared_relay):
    def chunks():
        for _ in range(100):
            yield b" " * 1000

    response = shared_relay.http.post(
        "events", content=chunks(), headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 413


def begin_request(client: Client, length: int) -> socket.socket:
    """Return a connection with the headers of a request whose body has ``length`` bytes."""
    url = httpx.URL(client.url)
    connection = socket.create_connection((url.host, url.port), timeout=10)
    connection.sendall(
        f"POST {url.path.rstrip('/')}/events HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {length}\r\n\r\n".encode()
    )
    return connection


def flood(connection: socket.socket, size: int) -> None:
    for _ in range(size // 65536):
        connection.sendall(b" " * 65536)


def test_an_endless_body_is_not_read_to_the_end(shared_relay):
    endless = begin_request(shared_relay, 10**12)
    with endless, pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
        flood(endless, 100_000_000)
    assert shared_relay.health()["ready"]


def test_an_aborted_body_is_not_an_error(relay):
    with begin_request(relay, 1000) as connection:
        connection.sendall(b"{")
    eventually(lambda: relay.metric('neuralens_batches_total{status="503"}') == 1)


@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
@settings(max_examples=150)
def test_no_bytes_cause_an_error(shared_relay, body):
    assert shared_relay.post(body).status_code == 400


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [*make_event(), "query", "page", "index", "geo", "lat", "__proto__", "id"]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
CHANGES = st.dictionaries(
    st.sampled_from([*make_event(), "query", "page", "index", "geo"]), JSON, max_size=3
)


@given(CHANGES.map(lambda fields: make_event() | fields) | JSON)
@settings(max_examples=150)
def test_no_event_causes_an_error_or_affects_others(shared_relay, event):
    response = shared_relay.post(json.dumps(make_batch(make_event(), event)).encode())
    assert response.status_code == 202, response.text
    receipt = response.json()
    assert receipt["accepted"] + receipt["duplicates"] + len(receipt["rejected"]) == 2
    assert receipt["accepted"] >= 1


@given(
    st.dictionaries(st.sampled_from([*Batch.__struct_fields__, "unknown"]), JSON).map(
        lambda fields: make_batch(make_event()) | fields
    )
)
@settings(max_examples=200)
def test_no_envelope_causes_an_error(shared_relay, envelope):
    assert shared_relay.post(json.dumps(envelope).encode()).status_code in (202, 400)


def test_the_cookie_lists_acknowledged_batches(relay):
    first, second = make_batch(make_event()), make_batch(make_event())
    response = relay.post(first)
    cookie = response.headers["Set-Cookie"]
    assert response.cookies["nl_ack"] == first["batch"]
    assert "Path=/;" in cookie
    assert "SameSite=lax" in cookie
    assert "HttpOnly" not in cookie
    assert "Max-Age=600" in cookie
    # The client stores cookies as a browser does.
    response = relay.post(second)
    assert response.cookies["nl_ack"] == f"{first['batch']}.{second['batch']}"


def test_the_cookie_is_bounded_and_only_has_valid_ids(shared_relay):
    known = ".".join(["bad x", "<script>", *(f"b{number}" for number in range(20))])
    shared_relay.http.cookies.clear()
    response = shared_relay.post(make_batch(batch="new"), Cookie=f'nl_ack="{known}"; other=1')
    assert response.cookies["nl_ack"] == "b13.b14.b15.b16.b17.b18.b19.new"


@pytest.mark.parametrize(
    ("journal", "tabs", "listed"),
    [("j", ("one", "two"), 2), ("", ("one", "one"), 2), ("", ("one", "two"), 1)],
    ids=["two pages", "a page without a journal", "two browsers"],
)
def test_the_cookie_lists_what_a_later_response_would_overwrite(relay, journal, tabs, listed):
    """Concurrent requests carry the same cookie, here none."""
    ids = [f"{tab}-{number}" for number, tab in enumerate(tabs)]
    for each in ids:
        relay.http.cookies.clear()
        response = relay.post(make_batch(make_event(), batch=each, journal=journal))
    assert response.cookies["nl_ack"] == ".".join(ids[-listed:])


def test_the_response_repeats_the_cookie_to_browsers(relay):
    """For networks that drop it. A lone batch is acknowledged by the status."""
    first, second, other = (
        relay.post(make_batch(make_event(), batch=each, journal=journal)).json()
        for each, journal in (("a-1", "j"), ("b-1", "j"), ("c-1", "k"))
    )
    assert second["recent"] == "a-1.b-1"
    assert "recent" not in first
    assert "recent" not in other


def test_a_refused_batch_is_not_acknowledged(shared_relay):
    assert "Set-Cookie" not in shared_relay.post(b"{}").headers


def test_errors_of_other_paths_and_methods_are_json(shared_relay):
    assert "error" in shared_relay.http.get("nothing").json()
    response = shared_relay.http.get("events")
    assert response.status_code == 405
    assert "error" in response.json()


def test_rate_limit_per_address(start, api_down):
    relay = start(api_down | {"NEURALENS_RATE_LIMIT": "0.5"})
    answers = [relay.post(make_batch(*[make_event() for _ in range(10)])) for _ in range(4)]
    assert [response.status_code for response in answers] == [202] * 3 + [429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert "error" in answers[-1].json()
    # Other addresses have their own limit; those of one IPv6 /64 share a limit.
    for address, status in [("2001:db8::1", 202), ("2001:db8::2", 429), ("2001:db8:0:1::1", 202)]:
        batch = make_batch(*[make_event() for _ in range(31)])
        assert relay.post(batch, X_Forwarded_For=address).status_code == status


def test_rate_limit_per_uid(start, api_down):
    relay = start(api_down | {"NEURALENS_RATE_LIMIT": "0.5"})
    for address, status in [("192.0.2.1", 202), ("192.0.2.2", 429), ("192.0.2.3", 429)]:
        batch = make_batch(*[make_event(uid="u") for _ in range(31)])
        assert relay.post(batch, X_Forwarded_For=address).status_code == status
    batch = make_batch(make_event(uid="another"))
    assert relay.post(batch, X_Forwarded_For="192.0.2.4").status_code == 202


@pytest.mark.parametrize(("padding", "limit", "most"), [(9000, 500, 1), (9, 500, 8), (9000, 0, 8)])
def test_large_batches_of_one_address_are_stored_one_after_the_other(
    bundles, api_down, padding, limit, most
):
    """Otherwise they would delay those of others."""
    app = create_app(
        Settings.from_environment(api_down | {"NEURALENS_RATE_LIMIT": str(limit)}), bundles
    )
    right, storing, counts = app.state.relay.add, [], []

    async def add(events, report):
        storing.append(report)
        counts.append(len(storing))
        await asyncio.sleep(0.1)
        fresh = await right(events, report)
        storing.remove(report)
        return fresh

    app.state.relay.add = add

    async def send():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await asyncio.gather(
                *[
                    client.post("/events", json=make_batch(make_event(), padding="x" * padding))
                    for _ in range(8)
                ]
            )

    with closing(app.state.relay):
        assert [response.status_code for response in run(send())] == [202] * 8
    assert max(counts) == most


def test_one_address_cannot_fill_the_outbox(start, api_down):
    relay = start(api_down | {"NEURALENS_OUTBOX_LIMIT": "15000", "NEURALENS_RATE_LIMIT": "400"})

    def post_from(address):
        batch = make_batch(*[make_event() for _ in range(100)])
        return relay.post(batch, X_Forwarded_For=address)

    # Within the rate limit, while nothing is forwarded, until the share is used up.
    refused = eventually(lambda: (got := post_from("192.0.2.1")).status_code != 202 and got)
    assert refused.status_code == 429
    assert "share" in refused.json()["error"]
    assert relay.queued() < 10_000
    assert post_from("192.0.2.2").status_code == 202


def test_a_share_of_the_outbox_is_free_again_once_the_events_are_forwarded(
    start, environment, sandbox
):
    """Even if the only sender is the one that was refused, such as a proxy that is not trusted."""
    sandbox.fail(status=503, times=1_000_000)
    relay = start(environment | {"NEURALENS_OUTBOX_LIMIT": "10000", "NEURALENS_RATE_LIMIT": "0"})

    def post():
        return relay.post(make_batch(*[make_event() for _ in range(100)]))

    refused = eventually(lambda: (got := post()).status_code != 202 and got)
    assert "share" in refused.json()["error"]
    sandbox.clear_faults()
    eventually(lambda: relay.queued() == 0)
    eventually(lambda: post().status_code == 202)


def test_a_full_outbox_answers_503(start, api_down):
    relay = start(api_down | {"NEURALENS_OUTBOX_LIMIT": "2"})
    event = make_event()
    relay.send(event, make_event())
    response = relay.post(make_batch(make_event()))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "accepts no events" in response.json()["error"]
    assert relay.queued() == 2


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost"])
def test_other_origins_are_refused(shared_relay, origin):
    response = shared_relay.post(make_batch(make_event()), Origin=origin)
    assert response.status_code == 403
    assert "NEURALENS_ALLOWED_ORIGINS" in response.json()["error"]
    assert "Access-Control-Allow-Origin" not in response.headers
    assert shared_relay.http.options("events", headers={"Origin": origin}).status_code == 403


def test_own_and_allowed_origins_may_send_and_read_responses(start, api_down):
    relay = start(
        api_down | {"NEURALENS_ALLOWED_ORIGINS": "https://a.example, https://b.example:444"}
    )
    for origin in (relay.url, "https://a.example", "https://b.example:444"):
        response = relay.post(make_batch(make_event()), Origin=origin)
        assert response.status_code == 202
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in response.headers["Vary"]
        # Pages may read the reason for a refusal, too.
        assert relay.post(b"", Origin=origin).headers["Access-Control-Allow-Origin"] == origin
        preflight = relay.http.options("events", headers={"Origin": origin})
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == origin
        assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
        assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"


def test_the_wildcard_origin_is_never_combined_with_credentials(start, api_down):
    relay = start(api_down | {"NEURALENS_ALLOWED_ORIGINS": "* https://a.example null"})
    for origin in ("https://evil.example", "null"):
        for response in (
            relay.post(make_batch(make_event()), Origin=origin),
            relay.http.options("events", headers={"Origin": origin}),
        ):
            assert response.is_success
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in response.headers
            assert "Set-Cookie" not in response.headers
    response = relay.post(make_batch(make_event()), Origin="https://a.example")
    assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


def test_global_privacy_control_is_honored(start, api_down, tmp_path):
    relay = start(api_down)
    event = make_event()
    receipt = relay.post(make_batch(event), Sec_GPC="1").json()
    assert receipt["accepted"] == 0
    assert receipt["rejected"][0]["eid"] == event["eid"]
    assert "Global Privacy Control" in receipt["rejected"][0]["reason"]
    assert relay.queued() == 0
    assert relay.post(make_batch(event), Sec_GPC="0").json()["accepted"] == 1
    outbox = f"sqlite:///{tmp_path}/other.db"
    other = start(api_down | {"NEURALENS_RESPECT_GPC": "false", "NEURALENS_OUTBOX": outbox})
    assert other.post(make_batch(event), Sec_GPC="1").json()["accepted"] == 1


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"items": [{"id": "AV\x00768"}]}, "items"),
        ({"uid": "u\x1b[31m"}, "uid"),
        ({"eid": "e\x9b1"}, "eid"),
    ],
)
def test_ids_have_no_control_characters(shared_relay, fields, name):
    receipt = shared_relay.send(make_event(**fields), make_event())
    assert receipt["accepted"] == 1
    assert receipt["rejected"][0]["reason"] == f"{name} has control characters"


def test_control_characters_in_a_query_become_spaces(start, environment, sandbox):
    start(environment).send(make_event(query="oak\tchair\x00\r\n"))
    eventually(lambda: [body["query"] for body in sandbox.bodies()] == ["oak chair"])


def test_personal_data_is_removed_from_queries(start, environment, sandbox):
    queries = [
        "oak jane@shop.example",
        "jane@shop.example",
        "iphone 15 128gb",
        "4111 1111 1111 1111 a",
    ]
    start(environment).send(*(make_event(query=query) for query in queries))
    eventually(lambda: len(sandbox.bodies()) == 4)
    left = [body.get("query", "") for body in sandbox.bodies()]
    assert sorted(left) == ["", "a", "iphone 15 128gb", "oak"]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("oak 4111\N{EN DASH}1111\N{EN DASH}1111\N{EN DASH}1111", "oak"),
        ("oak 4111\N{NO-BREAK SPACE}1111\N{NO-BREAK SPACE}1111\N{NO-BREAK SPACE}1111", "oak"),
        ("oak 4111\N{ZERO WIDTH SPACE}111111111111", "oak"),
        ("oak \N{FULLWIDTH DIGIT ZERO}170\N{FULLWIDTH DIGIT ONE}234567", "oak"),
        ("oak jane\N{FULLWIDTH COMMERCIAL AT}shop.example", "oak"),
        ("oak " + "".join(chr(0x660 + int(digit)) for digit in "01701234567"), "oak"),
        ("rohr \N{VULGAR FRACTION ONE HALF} zoll \N{EN DASH} 12 mm", None),
        ("isbn\N{NO-BREAK SPACE}9783161484100", None),
    ],
)
def test_personal_data_in_any_script(query, left):
    assert remove_personal_data(query) == (query if left is None else left)


PUBLIC = {"X-Forwarded-For": "203.0.113.7"}


def test_details_of_health_are_restricted(start, api_down):
    relay = start(api_down | {"NEURALENS_STATUS_TOKEN": "s3cret"})
    assert "neuralens_batches" in relay.http.get("metrics").text
    assert relay.http.get("health").json().keys() > {"live", "ready"}
    proxied = [PUBLIC, {"X-Forwarded-For": "127.0.0.1"}, {"Via": "1.1 x"}, {"Forwarded": "for=_x"}]
    # Of a proxy that adds no header, or of DNS rebinding.
    named = [{"Host": "shop.example"}, {"Host": "127.0.0.1.evil.example:8787"}, {"Host": ""}]
    for headers in [
        *proxied,
        *named,
        PUBLIC | {"Authorization": "Bearer wrong\xe9".encode("latin-1")},
    ]:
        response = relay.http.get("metrics", headers=headers)
        assert response.status_code == 403
        assert "NEURALENS_STATUS_TOKEN" in response.json()["error"]
        assert relay.http.get("health", headers=headers).json() == {"live": True, "ready": True}
    with socket.create_connection((relay.http.base_url.host, relay.http.base_url.port)) as nginx:
        # By default it passes on its own address as the Host.
        nginx.sendall(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:8787\r\n\r\n")
        assert nginx.makefile("rb").readline().split()[1] == b"403"
    for host in ("localhost:8787", "[::1]:8787", "127.0.0.1"):
        assert relay.http.get("metrics", headers={"Host": host}).status_code == 200
    for scheme in ("Bearer", "bearer"):
        known = PUBLIC | {"Authorization": f"{scheme} s3cret"}
        assert "neuralens_batches" in relay.http.get("metrics", headers=known).text
        assert relay.http.get("health", headers=known).json().keys() > {"live", "ready"}


def test_each_reason_for_a_refusal_is_logged_once(spawn, api_down):
    relay, process = spawn(api_down)
    for _ in range(50):
        relay.post(b"{")
        relay.post(make_batch(), Origin="https://evil.example")
    assert process.errors().count("not JSON") == 1
    assert process.errors().count("may not send") == 1


def test_an_untrusted_proxy_is_reported_with_its_network(spawn, api_down):
    relay, process = spawn(api_down | {"NEURALENS_TRUSTED_PROXIES": "10.0.0.0/8"})
    headers = {"Origin": "https://shop.example", "X_Forwarded_For": "203.0.113.7"}
    assert relay.post(make_batch(), **headers).status_code == 403
    assert "127.0.0.0/16" in process.errors()
    assert "NEURALENS_TRUSTED_PROXIES" in process.errors()
    assert "203.0.113" not in process.errors()


def test_responses_do_not_disclose_the_application_id(shared_relay):
    assert APPLICATION not in shared_relay.post(make_batch(app="other")).text
