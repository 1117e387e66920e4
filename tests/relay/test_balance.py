"""The balance: the outcome of every event that a browser tracked is known."""

import json
import signal
import time
from collections import Counter
from contextlib import closing

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from neuralens_relay.balance import DAY, MAX_MISSING, OUT, Balance, Report, Tally, balances, post
from neuralens_relay.cli import relay as command
from neuralens_relay.redis_store import RedisStore
from neuralens_relay.sqlite_store import SqliteStore
from neuralens_relay.store import Bounds, Event

from tests.polling import eventually
from tests.relay.conftest import make_batch, make_event

TODAY = int(time.time() // DAY)
WEEK = 7 * DAY


class Tallies:
    """The tallies of one journal, updated by ``post``."""

    def __init__(self, name=f"{TODAY}-a"):
        self.name = name
        self.state = None
        self.known = set()
        self.counts = Counter()

    def receive(self, numbers, losses=None, rejected=(), day=TODAY):
        report = Report("APP", self.name, tuple(numbers), tuple(rejected), losses or {})
        posting = post(self.state, report, day * DAY, WEEK)
        self.state = posting.journal
        fresh = [number not in self.known for number in numbers]
        self.known |= set(numbers)
        self.counts.update(posting.complete(fresh))

    def of(self, day=TODAY):
        tallies = [
            Tally(day, "APP", account.state, account.reason, count)
            for account, count in sorted(self.counts.items())
            if account.day == day
        ]
        return Balance(day, "APP", tallies).as_json()


def books(**counts):
    empty = {"tracked": 0, "stored": 0, "duplicate": 0, "rejected": {}, "lost": {}, "out": 0}
    return empty | counts


def test_resent_events_count_once():
    journal = Tallies()
    journal.receive([1, 2])
    journal.receive([1, 2, 3])
    assert journal.of() == books(tracked=3, stored=3)


def test_two_events_of_one_number_count_both():
    """Tabs that track at the same moment may give the same number."""
    journal = Tallies()
    journal.receive([1, 2])
    journal.known.remove(2)
    journal.receive([2])
    journal.receive([2, 3])
    assert journal.of() == books(tracked=4, stored=4)


def test_a_gap_is_outstanding_until_it_arrives_or_is_lost():
    journal = Tallies()
    journal.receive([2, 5])
    assert journal.of() == books(tracked=5, stored=2, out=3)
    journal.receive([6], {"overflow": 2})
    assert journal.of() == books(tracked=6, stored=3, lost={"overflow": 2}, out=1)
    journal.receive([7], {"overflow": 2})
    assert journal.of() == books(tracked=7, stored=4, lost={"overflow": 2}, out=1)
    # It was another event that was lost.
    journal.receive([1])
    assert journal.of() == books(tracked=7, stored=5, lost={"overflow": 2})


def test_each_event_counts_on_the_day_it_became_known():
    journal = Tallies()
    journal.receive([1, 3])
    journal.receive([2, 4], day=TODAY + 1)
    assert journal.of() == books(tracked=3, stored=3)
    assert journal.of(TODAY + 1) == books(tracked=1, stored=1)


def test_an_expired_journal_resumes_at_its_current_number():
    journal = Tallies(f"{TODAY - 8}-a")
    journal.receive([57, 58], {"refused": 4})
    assert journal.of() == books(tracked=2, stored=2)
    journal.receive([60], {"refused": 5})
    assert journal.of() == books(tracked=4, stored=3, lost={"refused": 1})


def test_implausible_gaps_are_ignored():
    journal = Tallies()
    journal.receive([1, 4_000_000_000], {"overflow": 10**9, "made up": 3})
    assert journal.of() == books(tracked=2, stored=2)
    other = Tallies()
    other.receive([MAX_MISSING + 5])
    assert other.of() == books(tracked=1, stored=1)


def test_an_unreadable_state_is_reset():
    journal = Tallies()
    journal.state = b"{["
    journal.receive([1])
    assert journal.of() == books(tracked=1, stored=1)


@given(st.data())
def test_the_balance_accounts_for_any_journey(data):
    """Batches of a journal arrive twice, late, in any order, or never; some events are lost."""
    count = data.draw(st.integers(1, 60))
    lost = data.draw(st.sets(st.integers(1, count)))
    wrong = data.draw(st.sets(st.integers(1, count))) - lost
    sent = [number for number in range(1, count + 1) if number not in lost]
    batches = []
    while sent:
        size = data.draw(st.integers(1, 8))
        batches.append(sent[:size])
        sent = sent[size:]
    journal = Tallies()
    for batch in data.draw(st.permutations(batches * data.draw(st.integers(1, 2)))):
        told = sum(number < max(batch) for number in lost)
        kept = [number for number in batch if number not in wrong]
        rejected = [(number, "items") for number in batch if number in wrong]
        journal.receive(kept, {"overflow": told}, rejected)
        balance = journal.of()
        parts = sum(balance["rejected"].values()) + sum(balance["lost"].values())
        assert balance["tracked"] == balance["stored"] + parts + balance["out"]
        assert balance["out"] >= 0
        assert all(number > 0 for number in balance["lost"].values())
    # A final batch, because events tracked after the last one are unknown.
    journal.receive([count + 1], {"overflow": len(lost)})
    assert journal.of() == books(
        tracked=count + 1,
        stored=count + 1 - len(lost) - len(wrong),
        rejected={"items": len(wrong)} if wrong else {},
        lost={"overflow": len(lost)} if lost else {},
    )


@pytest.fixture(params=["sqlite", "redis"])
def outbox(request, tmp_path):
    """The address of an empty outbox in either store."""
    if request.param == "redis":
        return request.getfixturevalue("redis_address")
    return f"sqlite:///{tmp_path}/outbox.db"


def open_store(outbox, bounds):
    if outbox.startswith("redis"):
        return RedisStore(outbox, bounds)
    from neuralens_relay.outbox_url import sqlite_path

    return SqliteStore(sqlite_path(outbox), bounds)


def test_a_store_writes_tallies_with_the_events(outbox):
    with closing(open_store(outbox, Bounds(known=WEEK))) as store:
        for day, numbers in ((TODAY - 1, (1, 4)), (TODAY, (4, 2, 5))):
            events = [Event(f"e{number}", b"{}", number=number) for number in numbers]
            report = Report("A|B", f"{TODAY - 1}-a", numbers, ((0, "items"),), {"storage": 1})
            with store.transaction():
                store.add(events, day * DAY, report)
        with store.transaction():
            found = balances(store.tallies(TODAY - 1))
            assert [each.day for each in balances(store.tallies(TODAY))] == [TODAY]
    before, now = [each.as_json() for each in found]
    assert {each.app for each in found} == {"A|B"}
    # The second of the two missing events has arrived, so the other one was lost.
    assert before == books(tracked=5, stored=3, rejected={"items": 1}, lost={"storage": 1})
    assert now == books(tracked=2, stored=1, rejected={"items": 1})


def test_a_store_counts_both_events_of_one_number(outbox):
    report = Report("APP", f"{TODAY}-a", (1,), (), {})
    with closing(open_store(outbox, Bounds(known=WEEK))) as store:
        for name in ("one", "other", "one"):
            with store.transaction():
                store.add([Event(name, b"{}", number=1)], TODAY * DAY, report)
        with store.transaction():
            store.add([Event("of a server", b"{}")], TODAY * DAY)
            (found,) = balances(store.tallies(TODAY))
    assert found.as_json() == books(tracked=2, stored=2)


def test_a_store_expires_journals_and_tallies(tmp_path):
    with closing(SqliteStore(tmp_path / "outbox.db", Bounds(known=WEEK))) as store:
        with store.transaction():
            store.add([Event("a", b"{}")], 1000 * DAY, Report("APP", "1000-a", (1,)))
        with store.transaction():
            store.tidy(1008 * DAY, 600, steady=True, limit=1000)
            assert store.database.execute("SELECT count(*) FROM journals").get == 0
            assert store.tallies(0) != []
            store.tidy(1401 * DAY, 600, steady=True, limit=1000)
            assert store.tallies(0) == []


def test_an_outbox_of_the_previous_version_is_migrated(tmp_path):
    path = tmp_path / "outbox.db"
    with closing(SqliteStore(path)) as store:
        store.add([Event("a", b"{}")], 10)
        for name in ("journals", "tallies"):
            store.database.execute(f"DROP TABLE {name}")
        store.database.execute("DROP INDEX dead_by_received")
        store.database.execute("PRAGMA user_version = 2")
    with closing(SqliteStore(path)) as store, store.transaction():
        assert store.add([Event("a", b"{}"), Event("b", b"{}")], 20) == [False, True]
        assert store.tallies(0) == []


def numbered(number, **fields):
    return {"seq": number, **make_event(eid=f"e{number}", **fields)}


def test_a_relay_shows_the_balance_in_metrics_and_as_a_table(spawn, environment, outbox):
    """Also after a kill: acknowledged events were counted."""
    environment |= {"NEURALENS_OUTBOX": outbox}
    client, process = spawn(environment)
    journal = {"journal": f"{TODAY}-0a1b", "losses": {"overflow": 0}}
    first = make_batch(numbered(1), numbered(2, event="BUY"), numbered(3), **journal)
    losses = {"overflow": 2, "storage": 1, "made up": 1}
    second = make_batch(numbered(9), **journal | {"losses": losses})
    for body in (first, first, second):
        assert client.post(body).status_code == 202
    # It was already reported by another source.
    client.send(make_event(eid="e10"))
    assert client.post(make_batch(numbered(10), **journal)).status_code == 202
    process.end(signal.SIGKILL)
    client, process = spawn(environment)
    assert client.post(second).status_code == 202
    assert client.post(first, Sec_GPC="1").status_code == 202

    wanted = books(
        tracked=11,
        stored=4,
        duplicate=1,
        rejected={"event": 1},
        lost={"overflow": 2, "storage": 1, "other": 1},
        out=1,
    )
    shown = CliRunner().invoke(command, ["--balance", "--json"], env=environment)
    assert shown.exit_code == 0, shown.stderr
    (line,) = map(json.loads, shown.stdout.splitlines())
    assert line.pop("day") == time.strftime("%Y-%m-%d", time.gmtime(TODAY * DAY))
    assert line.pop("app") == "test-app"
    assert line == wanted

    table = CliRunner().invoke(command, ["--balance"], env=environment).stdout.splitlines()
    assert table[0].split()[:8] == [
        *("day", "application", "tracked", "stored", "duplicate", "rejected", "lost", "out"),
    ]
    assert table[1].split()[1:8] == ["test-app", "11", "4", "1", "1", "4", "1"]
    assert "lost for overflow: 2" in table[1]
    metrics = client.http.get("metrics").text
    day = time.strftime("%Y-%m-%d", time.gmtime(TODAY * DAY))
    labels = f'app="test-app",day="{day}"'
    assert f'neuralens_balance_events{{{labels},reason="",state="out"}} 1.0' in metrics
    assert f'neuralens_balance_events{{{labels},reason="event",state="rejected"}} 1.0' in metrics


def test_events_with_a_privacy_signal_are_rejected_for_that_reason(start, environment):
    relay = start(environment)
    body = make_batch(numbered(1), numbered(2), journal=f"{TODAY}-a", losses={})
    assert relay.post(body, Sec_GPC="1").status_code == 202
    shown = CliRunner().invoke(command, ["--balance", "--json"], env=environment).stdout
    assert json.loads(shown)["rejected"] == {"privacy": 2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"journal": 7},
        {"journal": "j" * 65},
        {"journal": "\ud800"},
        {"losses": {"\ud800": 1}},
        {"losses": [1]},
        {"losses": {"overflow": -1}},
        {"losses": {"overflow": "many"}},
        {"losses": None},
    ],
)
def test_an_envelope_with_invalid_numbers_loses_no_event(shared_relay, wrong):
    fields = {"journal": f"{TODAY}-a", "losses": {"overflow": 1}} | wrong
    event = {"seq": "first", **make_event()}
    response = shared_relay.post(json.dumps(make_batch(event, **fields)).encode())
    assert (response.status_code, response.json()["accepted"]) == (202, 1)


def test_two_relays_on_one_redis_count_the_batches_of_a_journal_together(
    start, environment, redis_address
):
    environment |= {"NEURALENS_OUTBOX": redis_address}
    relays = [start(environment), start(environment)]
    for number in range(1, 21):
        body = make_batch(numbered(21 - number), journal=f"{TODAY}-a", losses={})
        assert relays[number % 2].post(body).status_code == 202
    shown = CliRunner().invoke(command, ["--balance", "--json"], env=environment).stdout
    assert json.loads(shown)["tracked"] == 20
    assert json.loads(shown)[OUT] == 0
    assert eventually(lambda: relays[0].queued() == 0)
