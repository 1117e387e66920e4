"""Secrets and addresses are in no log, response, error, repr, metric, database or dead letter."""

import time
import traceback

import pytest
import redis
from click.testing import CliRunner
from neuralens_embed.page_tokens import make_token
from neuralens_relay import Client as Server
from neuralens_relay import ClientError, Settings, SettingsError, create_app
from neuralens_relay.cli import relay as command
from neuralens_relay.settings import describe

from tests.polling import eventually
from tests.processes import APPLICATION, KEY
from tests.relay.conftest import make_batch, make_event, redis_server, unused_port

CLIENT_SECRET = "client-secret-4711"
STATUS_TOKEN = "status-token-4711"
PASSWORD = "redis-password-4711"
PAGE_SECRET = "page-secret-4711-0123456789abcdef"
SECRETS = (KEY, CLIENT_SECRET, STATUS_TOKEN, PASSWORD, PAGE_SECRET)
# Of shoppers, whom a proxy names.
ADDRESSES = ("203.0.113.47", "2001:db8:4711::47")


def assert_clean(*texts):
    for text in texts:
        content = text if isinstance(text, bytes) else str(text).encode()
        for secret in (*SECRETS, *ADDRESSES):
            assert secret.encode() not in content


def request_everything(client):
    """Send valid and invalid requests; return every response as text."""
    events = [make_event(query=f"q{number}") for number in range(3)]
    answers = [
        *(client.post(make_batch(), **{"X-Forwarded-For": each}) for each in ADDRESSES),
        client.post(make_batch(*events, token=make_token(PAGE_SECRET, APPLICATION, time.time()))),
        client.post(b"{"),
        client.post(make_batch(v=2)),
        client.post(make_batch(make_event()), Origin="https://evil.example"),
        client.post(make_batch(make_event()), Authorization="Bearer wrong"),
        client.post(make_batch(make_event()), Authorization=f"Bearer {CLIENT_SECRET}"),
    ]
    for path in ("health", "metrics", "nothing", "neuralens.js"):
        for headers in ({}, {"Authorization": f"Bearer {STATUS_TOKEN}"}, {"Via": "x"}):
            answers.append(client.http.get(path, headers=headers))
    return [f"{answer.headers} {answer.text}" for answer in answers]


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_relay_does_not_disclose_secrets(request, spawn, environment, sandbox, tmp_path, kind):
    environment |= {
        "NEURALENS_CLIENT_SECRET": CLIENT_SECRET,
        "NEURALENS_STATUS_TOKEN": STATUS_TOKEN,
        "NEURALENS_PAGE_SECRET": PAGE_SECRET,
    }
    if kind == "redis":
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
    # An API that echoes the request, in a refusal and in a failure.
    for fault in ({"status": 400}, {"status": 500}, {"failure": f"key {KEY}"}):
        sandbox.fail(**fault)
    client, process = spawn(environment)
    answers = request_everything(client)
    eventually(lambda: client.queued() == 0)
    answers += request_everything(client)
    listed = CliRunner().invoke(command, ["--dead"], env=environment).output
    client.http.close()
    process.end()
    if kind == "redis":
        with redis.Redis.from_url(environment["NEURALENS_OUTBOX"]) as held:
            held.config_set("rdbcompression", "no")
            stored = [held.dump(key) or b"" for key in held.keys("*")]
    else:
        stored = [file.read_bytes() for file in tmp_path.glob("outbox.db*")]
    # What is there is found.
    assert any(b"AV768" in each for each in stored)
    assert "AV768" in listed
    assert_clean(process.errors(), listed, *stored, *answers)


def test_a_redis_password_is_not_disclosed(spawn, environment, tmp_path):
    port = unused_port()
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder, port):
        with redis.Redis(port=port) as server:
            server.config_set("requirepass", PASSWORD)
        environment["NEURALENS_OUTBOX"] = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        client, process = spawn(environment)
        answers = request_everything(client)
        with redis.Redis(port=port, password=PASSWORD) as server:
            server.shutdown(nosave=True)
        # Without Redis: refusals, reasons in health, lines in the log.
        answers += request_everything(client)
        assert_clean(process.errors(), *answers)


@pytest.mark.parametrize(
    "outbox",
    [
        f"redis://:{PASSWORD}@127.0.0.1:1/0",
        f"redis://:{PASSWORD}@127.0.0.1:x/0",
        f"redis://:{PASSWORD}@/0",
        f"redis://user:{PASSWORD}@[::1/0",
        f"redis://127.0.0.1:1/0?password={PASSWORD}",
        f"postgres://user:{PASSWORD}@host/db",
        f"redis+sentinel://:{PASSWORD}@127.0.0.1:1/main/0",
    ],
)
def test_errors_of_an_address_hide_its_password(outbox, environment):
    environment["NEURALENS_OUTBOX"] = outbox
    result = CliRunner().invoke(command, ["--port", "0"], env=environment)
    assert result.exit_code in (1, 2)
    trace = "".join(traceback.format_exception(*result.exc_info)) if result.exc_info else ""
    assert_clean(result.output, result.stderr, trace)
    with pytest.raises((ClientError, SettingsError)) as caught:
        Server(outbox=outbox).track("SHARE", id="A")
    assert_clean(caught.value, *traceback.format_exception(caught.value))


def test_objects_do_not_show_them(environment):
    environment |= {
        "NEURALENS_CLIENT_SECRET": CLIENT_SECRET,
        "NEURALENS_STATUS_TOKEN": STATUS_TOKEN,
        "NEURALENS_PAGE_SECRET": PAGE_SECRET,
        "NEURALENS_OUTBOX": f"redis://:{PASSWORD}@127.0.0.1:1/0",
    }
    settings = Settings.from_environment(environment)
    app = create_app(settings)
    server = Server(url="http://127.0.0.1:1", secret=CLIENT_SECRET, application_id=APPLICATION)
    with pytest.raises(ClientError) as caught:
        server.track("SHARE", id="A")
    assert_clean(repr(settings), str(settings), repr(app.state.relay), repr(server), caught.value)
    assert_clean(*traceback.format_exception(caught.value), describe())


@pytest.mark.parametrize("name", ["API_KEY", "CLIENT_SECRET", "STATUS_TOKEN", "PAGE_SECRET"])
def test_an_invalid_secret_is_reported_without_its_value(environment, name):
    variable = f"NEURALENS_{name}"
    for wrong in (f"Bearer {KEY}", f"{KEY}\n{KEY}", f"{KEY} é"):
        with pytest.raises(SettingsError) as caught:
            Settings.from_environment(environment | {variable: wrong})
        assert variable in str(caught.value)
        assert_clean(*traceback.format_exception(caught.value))
