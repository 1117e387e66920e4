"""Whatever the API responds, every acknowledged event arrives in the end."""

import random
from collections import Counter

import pytest
from click.testing import CliRunner
from neuralens_relay.cli import relay as command

from tests.faults.relay.hostile_api import SUCCESS, Behavior, answer, hostile_api
from tests.faults.relay.pages import Outcome, Relays
from tests.polling import eventually
from tests.relay.conftest import make_environment, make_event

ERROR = b'{"error": "no"}'
OK = answer("200 OK", SUCCESS)
FAILURE = answer("200 OK", b'{"status": "failure", "message": "no such product"}')
DATE = "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"
LATE = "Retry-After: Wed, 21 Oct 9999 07:28:99999999999 GMT"


def always(*pieces, **more):
    return lambda turn: Behavior(pieces, **more)


def garble(seed):
    """Return random responses: undocumented statuses, malformed headers and bodies."""
    chance = random.Random(seed)

    def behave(turn):
        status = chance.choice([200, 204, 400, 409, 418, 422, 500, 502, 599, 99, 1000])
        body = chance.randbytes(chance.randrange(200))
        text = bytearray(answer(f"{status} X", body, f"X-{chance.random()}: {chance.random()}"))
        for _ in range(chance.randrange(4)):
            text[chance.randrange(len(text))] = chance.randrange(256)
        return Behavior((bytes(text[: chance.randrange(1, len(text))]),))

    return behave


RESPONSES = {
    "500": always(answer("500 X", ERROR)),
    "503": always(answer("503 X", ERROR)),
    "429, Retry-After in seconds": always(answer("429 X", ERROR, "Retry-After: 0")),
    "429, Retry-After as a date": always(answer("429 X", ERROR, DATE)),
    "429, Retry-After of 30 digits": always(answer("429 X", ERROR, f"Retry-After: {'9' * 30}")),
    "429, Retry-After as a date that overflows": always(answer("429 X", ERROR, LATE)),
    "401": always(answer("401 X", ERROR)),
    "404": always(answer("404 X", ERROR)),
    "failure": always(FAILURE),
    "HTML": always(answer("200 OK", b"<html>hello</html>", "Content-Type: text/html")),
    "closed without a response": always(),
    "closed without a response, event received": always(received=True),
    "no response, event received": always(hang=True, received=True),
    "a byte a second": always(*[bytes([byte]) for byte in OK], pause=1, received=True),
    "truncated, event received": always(OK[: len(OK) // 2], received=True),
}


class RelayWithApi:
    """A relay in front of an API that fails at first and then recovers."""

    def __init__(self, api, spawn, folder):
        self._api = api
        self._environment = make_environment(api.url, folder) | {
            "NEURALENS_TIMEOUT": "1",
            "NEURALENS_RETRY_AFTER_CAP": "0.5",
            # Thousands of failures take as many probes.
            "NEURALENS_PROBE": "0.02",
        }
        self._relays = Relays(lambda: spawn(self._environment))
        self._relays.add()

    def deliver(self, name, behave, failures, events):
        """Deliver events while the API's first responses are failures; return the outcome."""
        api = self._api
        client, process = self._relays.running[0]
        before, counted = api.requests, self._relays.ambiguous()
        api.received.clear()
        api.behave = lambda turn: behave(turn) if turn < before + failures else None
        names = [f"{name}-{number}" for number in range(events)]
        for start in range(0, events, 20):
            batch = names[start : start + 20]
            client.send(*[make_event(items=[{"id": each}]) for each in batch])
        eventually(lambda: api.requests >= before + failures, 60)
        eventually(lambda: client.queued() == 0, 60)
        dead = int(client.metric("neuralens_outbox_dead"))
        if dead:
            # Permanently refused events are kept, and sent when they are replayed.
            result = CliRunner().invoke(command, ["--replay"], env=self._environment)
            assert f"{dead} event" in result.output
            eventually(lambda: client.queued() == 0, 60)
        received = Counter(api.received)
        assert "Traceback" not in process.errors()
        return Outcome(
            acknowledged=len(names),
            received=len(set(names) & set(received)),
            reported=0,
            duplicated=sum(times - 1 for times in received.values()),
            ambiguous=self._relays.ambiguous() - counted,
            remarks=f"{dead} dead letters, replayed" if dead else "",
        )


@pytest.fixture
def relay_with_api(spawn, tmp_path):
    with hostile_api(lambda turn: None) as api:
        yield RelayWithApi(api, spawn, tmp_path)


def test_each_response_in_turn(relay_with_api):
    for name, behave in RESPONSES.items():
        relay_with_api.deliver(name, behave, 4, 6).check()


@pytest.mark.faults
@pytest.mark.parametrize("name", RESPONSES)
def test_response(relay_with_api, add_row, name):
    add_row(f"API: {name}", relay_with_api.deliver(name, RESPONSES[name], 30, 40))


@pytest.mark.parametrize("answers", [60, pytest.param(2000, marks=pytest.mark.faults)])
def test_random_responses(relay_with_api, add_row, answers):
    name = f"{answers} random responses"

    add_row(
        f"API: {name}",
        relay_with_api.deliver(name, garble(answers), answers, max(40, answers // 20)),
    )
