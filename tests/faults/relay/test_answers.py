"""Whatever the API answers, every event that was acknowledged arrives in the end."""

import random
from collections import Counter

import pytest
from click.testing import CliRunner
from neuralens_relay.cli import relay as command

from tests.faults.relay.hostile_api import SUCCESS, Behaviour, answer, hostile_api
from tests.faults.relay.pages import Outcome, Relays
from tests.polling import eventually
from tests.relay.conftest import make_environment, make_event

NONE = b'{"error": "no"}'
RIGHT = answer("200 OK", SUCCESS)
FAILURE = answer("200 OK", b'{"status": "failure", "message": "no such product"}')
DATE = "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"
LATE = "Retry-After: Wed, 21 Oct 9999 07:28:99999999999 GMT"


def always(*pieces, **more):
    return lambda turn: Behaviour(pieces, **more)


def garble(seed):
    """Return nonsense: other statuses, broken heads, bodies that are no answer."""
    chance = random.Random(seed)

    def behave(turn):
        status = chance.choice([200, 204, 400, 409, 418, 422, 500, 502, 599, 99, 1000])
        body = chance.randbytes(chance.randrange(200))
        text = bytearray(answer(f"{status} X", body, f"X-{chance.random()}: {chance.random()}"))
        for _ in range(chance.randrange(4)):
            text[chance.randrange(len(text))] = chance.randrange(256)
        return Behaviour((bytes(text[: chance.randrange(1, len(text))]),))

    return behave


ANSWERS = {
    "500": always(answer("500 X", NONE)),
    "503": always(answer("503 X", NONE)),
    "429, Retry-After in seconds": always(answer("429 X", NONE, "Retry-After: 0")),
    "429, Retry-After as a date": always(answer("429 X", NONE, DATE)),
    "429, Retry-After of 30 digits": always(answer("429 X", NONE, f"Retry-After: {'9' * 30}")),
    "429, Retry-After as a date that overflows": always(answer("429 X", NONE, LATE)),
    "401": always(answer("401 X", NONE)),
    "404": always(answer("404 X", NONE)),
    "failure": always(FAILURE),
    "HTML": always(answer("200 OK", b"<html>hello</html>", "Content-Type: text/html")),
    "nothing, and closed": always(),
    "nothing, and closed, though it was received": always(received=True),
    "nothing at all": always(hang=True, received=True),
    "a byte a second": always(*[bytes([byte]) for byte in RIGHT], pause=1, received=True),
    "cut in half, though it was received": always(RIGHT[: len(RIGHT) // 2], received=True),
}


class Facing:
    """A relay before an API that goes wrong at first, and then is well."""

    def __init__(self, api, spawn, folder):
        self._api = api
        self._environment = make_environment(api.url, folder) | {
            "NEURALENS_TIMEOUT": "1",
            "NEURALENS_RETRY_AFTER_CAP": "0.5",
        }
        self._relays = Relays(lambda: spawn(self._environment))
        self._relays.add()

    def face(self, name, behave, bad, events):
        """Have events delivered while so many answers are bad; return what became of them."""
        api = self._api
        client, process = self._relays.living[0]
        before, counted = api.asked, self._relays.ambiguous()
        api.received.clear()
        api.behave = lambda turn: behave(turn) if turn < before + bad else None
        names = [f"{name}-{number}" for number in range(events)]
        for start in range(0, events, 20):
            batch = names[start : start + 20]
            client.take(*[make_event(items=[{"id": each}]) for each in batch])
        eventually(lambda: api.asked >= before + bad, 60)
        eventually(lambda: client.waiting() == 0, 60)
        dead = int(client.metric("neuralens_outbox_dead"))
        if dead:
            # What was refused for good is kept, and sent when somebody says so.
            result = CliRunner().invoke(command, ["--replay"], env=self._environment)
            assert f"{dead} event" in result.output
            eventually(lambda: client.waiting() == 0, 60)
        received = Counter(api.received)
        assert "Traceback" not in process.errors()
        return Outcome(
            acknowledged=len(names),
            received=len(set(names) & set(received)),
            reported=0,
            duplicated=sum(times - 1 for times in received.values()),
            ambiguous=self._relays.ambiguous() - counted,
            more=f"{dead} dead letters, sent again" if dead else "",
        )


@pytest.fixture
def facing(spawn, tmp_path):
    with hostile_api(lambda turn: None) as api:
        yield Facing(api, spawn, tmp_path)


def test_each_answer_in_turn(facing):
    for name, behave in ANSWERS.items():
        facing.face(name, behave, 4, 6).check()


@pytest.mark.faults
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(facing, add_row, name):
    add_row(f"API answers {name}", facing.face(name, ANSWERS[name], 30, 40))


@pytest.mark.parametrize("answers", [60, pytest.param(2000, marks=pytest.mark.faults)])
def test_nonsense(facing, add_row, answers):
    name = f"nonsense, {answers} times"
    add_row(
        f"API answers {name}", facing.face(name, garble(answers), answers, max(40, answers // 20))
    )
