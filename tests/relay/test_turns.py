"""One sender's batches leave the event loop to those of others."""

import asyncio
import time

from neuralens_relay.batch import MAX_EVENTS, Batch, validate_events
from neuralens_relay.turns import REST, SLICE, Turns

from tests.event_loop import run
from tests.processes import APPLICATION
from tests.relay.conftest import make_event


def work(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def use(turns, sender, slices, finished):
    async with turns.take(sender) as turn:
        for _ in range(slices):
            work(SLICE)
            await turn.yield_if_due()
    finished.append(sender)


def test_a_long_turn_leaves_the_loop_to_others():
    async def share():
        turns, finished = Turns(), []
        await asyncio.gather(
            use(turns, "flood", 10, finished), *[use(turns, f"{n}", 1, finished) for n in range(3)]
        )
        return finished

    assert run(share())[-1] == "flood"


def test_a_sender_rests_several_times_as_long_as_it_has_worked():
    async def work_in_turn():
        turns, began = Turns(), time.monotonic()
        await asyncio.gather(*[use(turns, "one", 1, []) for _ in range(4)])
        return time.monotonic() - began

    assert run(work_in_turn()) >= 3 * SLICE * REST


def test_a_sender_rests_several_times_as_long_as_the_disk_has_worked_but_not_for_ever():
    async def store(seconds, longest):
        turns, began = Turns(), time.monotonic()

        async def store_one():
            async with turns.take("one") as turn:
                await turn.wait_for(asyncio.sleep(seconds), longest)

        await asyncio.gather(store_one(), store_one())
        return time.monotonic() - began

    assert run(store(0.05, 9)) >= 0.05 * (REST + 2)
    assert run(store(2, 0.1)) < 2 * REST


def test_queries_of_many_numbers_do_not_take_long():
    def seconds(query):
        given = [make_event(query=(query * 512)[:512]) for _ in range(MAX_EVENTS)]
        batch = Batch(v=1, app=APPLICATION, batch="b", sent=1e9, events=given)
        began = time.thread_time()
        assert len(validate_events(batch, 1e9)[0]) == MAX_EVENTS
        return time.thread_time() - began

    for query in ("1 ", "12345 1 2 ", "4111 ", " ", "1 - ", "(1) ", "+"):
        assert seconds(query) < 100 * seconds("solid wood chair ")
