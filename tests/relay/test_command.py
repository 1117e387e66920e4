"""``neuralens-tracker relay``: output and exit status."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import httpx
import pytest
from click.testing import CliRunner
from neuralens_relay.cli import relay as command
from neuralens_relay.settings import Settings, SettingsError, describe

from tests.polling import TIMEOUT, eventually
from tests.processes import KEY
from tests.relay.conftest import make_batch, make_event


@pytest.fixture
def run(environment):
    """Run the command; return (exit status, standard output, standard error)."""

    def run_command(*arguments, **changes):
        result = CliRunner().invoke(command, arguments, env={**environment, **changes})
        return result.exit_code, result.stdout, result.stderr

    return run_command


@pytest.fixture
def run_process(environment):
    """The same in a separate process."""

    def run_command(*arguments, **changes):
        merged = {"PATH": os.environ["PATH"], **environment, **changes}
        done = subprocess.run(
            [sys.executable, "-c", "from neuralens_relay.cli import relay; relay()", *arguments],
            env=merged,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run_command


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"NEURALENS_API_KEY": None}, "NEURALENS_API_KEY is not set"),
        ({"NEURALENS_API_KEY": ""}, "NEURALENS_API_KEY is not set"),
        ({"NEURALENS_APPLICATION_ID": None}, "NEURALENS_APPLICATION_ID is not set"),
        *(
            (
                {name: f"{quote}x{quote}"},
                f"{name} is in quotes, which count as a part of it: remove",
            )
            for name in ("NEURALENS_API_KEY", "NEURALENS_OUTBOX", "NEURALENS_TIMEOUT")
            for quote in "\"'"
        ),
        ({"NEURALENS_API_URL": "api.example"}, "NEURALENS_API_URL must be an http"),
        ({"NEURALENS_ALLOWED_ORIGINS": "shop"}, "NEURALENS_ALLOWED_ORIGINS has 'shop'"),
        ({"NEURALENS_OUTBOX": "outbox.db"}, "NEURALENS_OUTBOX must be sqlite:///PATH"),
        ({"NEURALENS_CONCURRENCY": "many"}, "NEURALENS_CONCURRENCY must be a whole number"),
        ({"NEURALENS_OUTBOX": "redis://[::1"}, "NEURALENS_OUTBOX must have a valid host"),
        ({"NEURALENS_OUTBOX": "redis://[::1]:x/0"}, "NEURALENS_OUTBOX must have a port"),
        ({"NEURALENS_OUTBOX": "sqlite:////"}, "NEURALENS_OUTBOX must name a file"),
        ({"NEURALENS_OUTBOX": "sqlite:///o.db?mode=ro"}, "NEURALENS_OUTBOX must name a file"),
        ({"NEURALENS_OUTBOX": "sqlite:///a%00b"}, "NEURALENS_OUTBOX must be sqlite:///PATH"),
        ({"NEURALENS_API_URL": "http://[::1"}, "NEURALENS_API_URL must have a valid host"),
        ({"NEURALENS_API_URL": "http://api example"}, "NEURALENS_API_URL must be without spaces"),
        ({"NEURALENS_API_URL": "http://api..example"}, "NEURALENS_API_URL must have a valid host"),
        (
            {"NEURALENS_ALLOWED_ORIGINS": "https://[::1"},
            "NEURALENS_ALLOWED_ORIGINS has 'https://[::1', which must have a valid host",
        ),
        (
            {"NEURALENS_ALLOWED_ORIGINS": "https://*.shop.example"},
            "NEURALENS_ALLOWED_ORIGINS has 'https://*.shop.example': list every origin",
        ),
    ],
)
def test_an_invalid_setting_is_one_sentence(run, changes, words):
    status, out, errors = run(**changes)
    assert status == 2
    assert out == ""
    assert errors.startswith(f"Error: {words}")
    assert errors.count("\n") == 1


def test_a_missing_key_ends_the_process_with_status_2(run_process):
    status, out, errors = run_process(NEURALENS_API_KEY="")
    assert (status, out) == (2, "")
    assert (
        errors
        == "Error: NEURALENS_API_KEY is not set in the environment: set it to the key of the event"
        " API, without Bearer\n"
    )


def test_an_error_names_every_setting_that_is_missing():
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({})
    assert str(error.value) == (
        "NEURALENS_API_KEY and NEURALENS_APPLICATION_ID are not set in the environment: set them to"
        " the key of the event API, without Bearer, and the application id at the event API"
    )


def test_an_error_names_the_misspelled_variable(run_process):
    status, out, errors = run_process(NEURALENS_API_KEY="", NEURALENS_APIKEY=KEY)
    assert (status, out) == (2, "")
    assert errors.endswith(
        "; NEURALENS_APIKEY is not a setting of the relay: did you mean NEURALENS_API_KEY?\n"
    )
    assert KEY not in errors


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--dead"]])
def test_variables_that_are_no_settings_are_named(run_process, tmp_path, arguments):
    # Without its folder the outbox cannot be opened, so that the command ends.
    status, _, errors = run_process(
        *arguments,
        NEURALENS_OUTBOX=f"sqlite:///{tmp_path}/none/o.db",
        NEURALENS_OUTPOX="sqlite:///secret.db",
        NEURALENS_COLOR="red",
        NEURALENS_RELAY_URL="https://shop.example/nl",
        NEURALENS_RELAY_PORT_8787_TCP_ADDR="10.0.0.1",
        NEURALENS_RELAY_SERVICE_HOST="10.0.0.1",
    )
    assert status == 1
    assert [line[line.index("NEURALENS_") :] for line in errors.splitlines()[:2]] == [
        "NEURALENS_COLOR is not a setting of the relay",
        "NEURALENS_OUTPOX is not a setting of the relay: did you mean NEURALENS_OUTBOX?",
    ]
    assert errors.count("is not a setting") == 2
    assert "secret.db" not in errors


def test_a_wrong_key_is_not_printed(run):
    status, _, errors = run(NEURALENS_API_KEY=f"Bearer {KEY}")
    assert status == 2
    assert "without" in errors
    assert KEY not in errors


@pytest.mark.parametrize(
    ("arguments", "outbox", "words"),
    [
        (["--port", "0"], "folder", "is a folder: add the name of a file"),
        (["--port", "0"], "text", "is not a SQLite file: choose another"),
        (["--port", "0"], "loop", "cannot be used"),
        (["--port", "0"], "pipe", "is not a regular file: choose another name"),
        (["--port", "0"], "long" * 100, "cannot be used"),
        (["--port", "0"], "not utf-8 \udcff", "its path must be UTF-8"),
        (["--dead"], "long" * 100, "there is no outbox"),
    ],
)
def test_a_mistake_is_one_sentence(run_process, tmp_path, arguments, outbox, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe", 0o644)
    (tmp_path / "text").write_text("not a database, but longer than a header would be" * 9)
    status, _, errors = run_process(*arguments, NEURALENS_OUTBOX=f"sqlite:///{tmp_path / outbox}")
    assert status == 1
    assert words in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert (tmp_path / "pipe").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "80000"], "--port 80000 must be from 0 to 65535"),
        (["--host", ""], "--host is empty"),
        (["--erase", ""], "'' is not an id"),
        (["--forget", "a", " "], "' ' is not an id"),
        (["--replay", "\udcff"], "is not an id"),
    ],
)
def test_a_wrong_option_ends_with_status_2(run, arguments, words):
    status, _, errors = run(*arguments)
    assert status == 2
    assert words in errors.splitlines()[-1]


def test_a_port_in_use_is_one_sentence(run_process):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        status, _, errors = run_process("--port", port)
    assert status == 1
    assert errors.endswith(
        f"Error: port {port} on 127.0.0.1 is taken: choose another one with --port\n"
    )
    assert "Traceback" not in errors


def test_too_little_memory_is_one_sentence(environment):
    limited = (
        "import resource; from neuralens_relay.cli import relay;"
        " resource.setrlimit(resource.RLIMIT_AS, (100 << 20, 100 << 20)); relay()"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "--port", "0"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: the address space is limited to 100 MiB: give the relay at least 128 MiB"
        " (ulimit -v 131072)\n"
    )


@pytest.fixture
def serve_on(environment):
    """Return a function that starts a relay on a socket."""
    with ExitStack() as running:

        def start(*options, **more):
            process = subprocess.Popen(
                [sys.executable, "-c", "from neuralens_relay.cli import relay; relay()", *options],
                env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environment},
                stdout=subprocess.PIPE,
                text=True,
                **more,
            )
            running.enter_context(process)
            running.callback(process.kill)
            return process, process.stdout.readline()

        yield start


def test_a_relay_listens_on_a_unix_socket(serve_on, run_process, tmp_path):
    path = tmp_path / "relay.sock"
    # What a killed relay has left.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    process, line = serve_on("--uds", str(path))
    assert line == f"Relay: http://unix:{path}:/nl\n"
    assert path.stat().st_mode & 0o777 == 0o666
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
        url = "http://shop.example/nl"
        batch = make_batch(make_event())
        headers = {"Origin": "http://shop.example", "X-Forwarded-For": "192.0.2.1"}
        assert client.post(f"{url}/events", json=batch, headers=headers).status_code == 202
        assert client.get("http://localhost/nl/health").json()["waiting"] is not None
        assert client.get(f"{url}/health", headers=headers).json() == {"live": True, "ready": True}
        status, _, errors = run_process("--uds", str(path))
        assert (status, errors.splitlines()[-1]) == (
            1,
            f"Error: {path} is taken: choose another path with --uds",
        )
        assert client.get("http://localhost/nl/health?live").status_code == 200
    process.terminate()
    assert process.wait(TIMEOUT) == 0


def test_a_relay_takes_its_socket_from_a_service_manager(serve_on):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for _ in range(2):
            with httpx.Client(timeout=TIMEOUT) as client:
                descriptor = listener.fileno()
                process, line = serve_on("--fd", str(descriptor), pass_fds=[descriptor])
                assert line == f"Relay: http://127.0.0.1:{port}/nl\n"
                assert client.get(f"http://127.0.0.1:{port}/nl/health").status_code == 200
            process.terminate()
            assert process.wait(TIMEOUT) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--uds", "{folder}"], 1, "{folder} is taken: choose another path"),
        (["--uds", "{folder}/none/relay.sock"], 1, "its folder must exist, and be writable"),
        (["--uds", "{folder}/" + "x" * 200], 1, "AF_UNIX path too long"),
        (["--uds", ""], 2, "--uds is empty"),
        (["--fd", "2"], 2, "--fd 2 is not a listening socket"),
        (["--fd", "99"], 2, "--fd 99 is not a listening socket"),
        (["--fd", "99999999999"], 2, "is not a listening socket"),
        (["--fd", "-1"], 2, "-1"),
        (["--fd", "3", "--uds", "x"], 2, "not both"),
    ],
)
def test_a_socket_that_cannot_be_had_is_one_sentence(
    run_process, tmp_path, arguments, status, words
):
    given = [argument.format(folder=tmp_path) for argument in arguments]
    code, _, errors = run_process(*given)
    assert code == status
    assert words.format(folder=tmp_path) in errors.splitlines()[-1]


def test_output_that_nobody_reads_does_not_stop_the_start(environment):
    """As that of a relay which is started again while the reader of its output hangs."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        code = f"from neuralens_relay.cli import relay; relay(['--fd', '{fd}'])"
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, pass_fds=[fd], stdout=write, stderr=write
        )
        try:
            response = httpx.get(f"http://127.0.0.1:{port}/nl/health", timeout=TIMEOUT)
            assert response.status_code == 200
        finally:
            process.kill()
            process.wait()
            os.close(read)
            os.close(write)


def test_an_outbox_in_a_missing_folder_is_one_sentence(run_process, tmp_path):
    status, _, errors = run_process(
        "--port", "0", NEURALENS_OUTBOX=f"sqlite:///{tmp_path}/none/o.db"
    )
    assert status == 1
    assert "Error: the outbox" in errors
    assert f"create the folder {tmp_path}/none" in errors
    assert "four slashes" not in errors
    assert "Traceback" not in errors


def test_an_outbox_with_three_slashes_is_told_of_the_fourth(run_process):
    status, _, errors = run_process("--port", "0", NEURALENS_OUTBOX="sqlite:///var/none/o.db")
    assert status == 1
    assert "an absolute path has four slashes: sqlite:////PATH" in errors


def test_a_file_that_is_not_an_outbox_is_one_sentence(run_process, tmp_path):
    (tmp_path / "outbox.db").write_text("something else" * 100)
    status, _, errors = run_process("--port", "0")
    assert status == 1
    assert "Error: the outbox" in errors


def test_every_setting_is_in_the_help():
    words = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    for each in describe():
        assert f"{each.variable} [{each.default}] {each.help}" in words


@pytest.mark.parametrize(
    "arguments", [["--dead", "--replay"], ["some-id"], ["--json"], ["--dead", "some-id"]]
)
def test_conflicting_options_are_refused(run, arguments):
    status, _, errors = run(*arguments)
    assert status == 2
    assert "Error" in errors


@pytest.mark.parametrize("option", ["--dead", "--replay"])
def test_inspecting_does_not_create_an_outbox(run, option, tmp_path):
    status, _, errors = run(option)
    assert status == 1
    assert "there is no outbox" in errors
    assert not (tmp_path / "outbox.db").exists()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_dead_letters_are_listed_and_replayed(request, spawn, environment, sandbox, run, kind):
    if kind == "redis":
        environment["NEURALENS_OUTBOX"] = request.getfixturevalue("redis_address")
    client, _ = spawn(environment)
    for number in range(3):
        sandbox.fail(failure=f"no\x1b[31m product {number}")
        client.send(make_event(eid=f"e{number}", items=[{"id": f"p{number}"}]))
        eventually(lambda: client.queued() == 0)
    assert sandbox.bodies() == []
    # While the relay runs, and without its key.
    status, out, _ = run("--dead", NEURALENS_API_KEY=None, NEURALENS_APPLICATION_ID=None)
    assert status == 0
    assert out.splitlines()[0].startswith("e2  received 20")
    assert out.splitlines()[1] == "  failure: no [31m product 2"
    assert '"items":[{"id":"p2"}]' in out
    assert "3 dead letters" in out
    status, out, _ = run("--dead", "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["eid"] for record in records] == ["e2", "e1", "e0"]
    assert records[0]["attempts"] == 1
    assert records[0]["event"]["items"] == [{"id": "p2"}]

    assert run("--replay", "e1")[:2] == (0, "1 event will be sent again\n")
    eventually(lambda: sandbox.ids() == ["p1"])
    status, out, errors = run("--replay", "e1", "e2")
    assert status == 1
    assert out == "1 event will be sent again\n"
    assert "1 of the ids" in errors
    assert run("--replay")[:2] == (0, "1 event will be sent again\n")
    eventually(lambda: sorted(sandbox.ids()) == ["p0", "p1", "p2"])
    eventually(lambda: client.metric("neuralens_outbox_dead") == 0)
    assert run("--dead")[1] == "0 dead letters\n"
    # The ids of replayed events are kept.
    assert client.send(make_event(eid="e0"))["duplicates"] == 1


def test_control_characters_of_an_id_are_escaped(start, environment, sandbox, run):
    relay = start(environment)
    sandbox.fail(status=400)
    relay.send(make_event(eid="[0;owned\u202e", query="\u2028\u009b31m"))
    eventually(lambda: relay.metric("neuralens_outbox_dead") == 1)
    for arguments in (["--dead"], ["--dead", "--json"]):
        text = run(*arguments)[1]
        assert all(character.isprintable() for character in text.replace("\n", ""))
    assert json.loads(text)["eid"] == "[0;owned\u202e"
