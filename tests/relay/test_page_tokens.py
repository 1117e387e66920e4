"""With NEURALENS_PAGE_SECRET, only events of the shop's own pages and servers are accepted."""

import json
import time

import pytest
from click.testing import CliRunner
from neuralens_embed.page_tokens import FRESH, OLDEST, make_token
from neuralens_relay.cli import relay as command

from tests.processes import APPLICATION
from tests.relay.conftest import make_batch, make_event

SECRET = "page-secret-4711-0123456789abcdef"
CLIENT_SECRET = "client-secret-4711"


@pytest.fixture
def environment_with_secret(api_down):
    return api_down | {
        "NEURALENS_PAGE_SECRET": SECRET,
        "NEURALENS_CLIENT_SECRET": CLIENT_SECRET,
    }


def test_only_the_shops_own_pages_are_accepted(start, environment_with_secret):
    relay = start(environment_with_secret)
    now = time.time()
    tokens = {
        "fresh": make_token(SECRET, APPLICATION, now),
        "expired": make_token(SECRET, APPLICATION, now - FRESH - 60),
        "old": make_token(SECRET, APPLICATION, now - OLDEST - 60),
        "forged": make_token("another", APPLICATION, now),
        "missing": None,
    }
    answers = {
        name: relay.post(make_batch(make_event(), make_event(), token=token))
        for name, token in tokens.items()
    }
    assert {response.status_code for response in answers.values()} == {202}
    accepted = {name: response.json()["accepted"] for name, response in answers.items()}
    # The page may have been open or cached for long; its events are accepted.
    assert accepted == {"fresh": 2, "expired": 2, "old": 0, "forged": 0, "missing": 0}
    reasons = {response["reason"] for response in answers["missing"].json()["rejected"]}
    assert reasons == {
        "the page has no token: the snippet must be rendered by the shop's server",
    }
    for name in tokens:
        assert relay.metric(f'neuralens_events_by_token_total{{token="{name}"}}') == 2
    shown = CliRunner().invoke(command, ["--balance", "--json"], env=environment_with_secret).stdout
    assert json.loads(shown)["rejected"] == {"token": 6}
    assert SECRET not in relay.http.get("metrics").text


def test_a_shops_server_needs_no_token(start, environment_with_secret):
    relay = start(environment_with_secret)
    body = make_batch(make_event())
    response = relay.post(body, Authorization=f"Bearer {CLIENT_SECRET}")
    assert response.json()["accepted"] == 1


def test_without_the_secret_tokens_are_ignored(shared_relay):
    assert shared_relay.post(make_batch(make_event(), token="x")).json()["accepted"] == 1
