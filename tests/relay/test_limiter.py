"""The limit of requests in flight for any sequence of responses; throttled logging."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuralens_relay.limiter import EPOCH, MEASURED_PART, SLOW_LIMIT, START, Limiter
from neuralens_relay.notices import INTERVAL, MAX_KINDS, Notices

ROUNDS = 60
COURSES = settings(deadline=None, max_examples=15)


def answer(limiter, rounds, seconds, failed=0.0):
    """Simulate rounds of as many requests as allowed, to an API with a latency of ``seconds``.

    ``failed``: the share of them that it does not take, or a function of those in flight.
    """
    for _ in range(rounds):
        count = limiter.limit
        share = failed(count) if callable(failed) else failed
        took = seconds(count) if callable(seconds) else seconds
        for number in range(max(count, 5)):
            limiter.record(took, number < share * count, count)


@COURSES
@given(
    st.integers(1, 1000),
    st.lists(
        st.tuples(st.floats(0, 3600), st.booleans(), st.integers(0, 2000)), min_size=1, max_size=400
    ),
)
def test_the_limit_is_never_under_one_nor_over_the_setting(most, answers):
    limiter = Limiter(most)
    for seconds, failed, in_flight in answers:
        limiter.record(seconds, failed, in_flight)
        assert 1 <= limiter.limit <= most


@COURSES
@given(st.floats(0.001, 5), st.integers(1, 1000))
def test_constant_latency_allows_the_maximum(seconds, most):
    limiter = Limiter(most)
    answer(limiter, ROUNDS, seconds)
    # Fewer while the baseline latency is measured.
    assert limiter.limit >= most // MEASURED_PART


def test_slow_start():
    limiter = Limiter(512)
    limits = []
    for _ in range(5):
        limits.append(limiter.limit)
        answer(limiter, 1, 0.1)
    assert limits == [START, 64, 128, 256, 512]


@COURSES
@given(st.floats(0.05, 1), st.floats(6, 50))
def test_the_limit_follows_latency(seconds, slower):
    limiter = Limiter(512)
    answer(limiter, 10, seconds)
    answer(limiter, 10, seconds * slower)
    assert limiter.limit <= 2 * SLOW_LIMIT
    answer(limiter, 3 * ROUNDS, seconds)
    assert limiter.limit >= 512 // MEASURED_PART


def test_the_limit_recovers_after_a_lasting_slowdown():
    limiter = Limiter(512)
    answer(limiter, 10, 0.1)
    answer(limiter, 3 * EPOCH, 2)
    assert limiter.limit > 512 // MEASURED_PART


@COURSES
@given(st.floats(0.02, 1), st.integers(10, 200))
def test_limited_concurrency_of_the_api_is_respected(seconds, workers):
    limiter = Limiter(1000)
    # Further requests are queued by the API.
    answer(limiter, 150, lambda count: seconds * max(1, count / workers))
    allowed = 2 * workers + 0.1 / seconds * workers
    assert workers / MEASURED_PART <= limiter.limit <= 2 * allowed + 20


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_failures_reduce_the_limit(share):
    limiter = Limiter(512)
    answer(limiter, 10, 0.1)
    answer(limiter, 20, 0.01, failed=share)
    assert limiter.limit <= 2


def test_a_rate_limit_of_the_api_is_approached():
    limiter = Limiter(512)
    answer(limiter, 300, 0.1, failed=lambda count: max(0.0, 1 - 100 / count))
    assert 100 / MEASURED_PART <= limiter.limit <= 150


def test_single_failing_events_do_not_change_the_limit():
    limiter = Limiter(512)
    answer(limiter, 60, 0.1, failed=0.02)
    assert limiter.limit >= 512 // MEASURED_PART


def test_one_slow_response_does_not_change_the_limit():
    limiter = Limiter(64)
    answer(limiter, 20, 0.1)
    for number in range(64):
        limiter.record(60.0 if number == 7 else 0.1, False, 64)
    assert limiter.limit >= 64 // MEASURED_PART
    answer(limiter, 3, 0.1)
    assert limiter.limit == 64


def test_an_unused_limit_does_not_grow():
    limiter = Limiter(512)
    for _ in range(1000):
        limiter.record(0.1, False, 3)
    assert limiter.limit == START


@pytest.fixture
def notices():
    now = [0.0]
    return Notices(logging.getLogger("test.notices"), lambda: now[0]), now


def test_a_message_is_logged_once_per_minute_with_its_count(notices, caplog):
    log, now = notices[0].log, notices[1]
    for _ in range(1000):
        log(logging.ERROR, "full", "the disk of %s is full", "here")
        log(logging.ERROR, "other", "another thing")
    now[0] += INTERVAL
    log(logging.ERROR, "full", "the disk of %s is full", "here")
    assert caplog.messages == [
        "the disk of here is full",
        "another thing",
        "the disk of here is full (999 similar messages suppressed)",
    ]


def test_distinct_messages_are_bounded(notices, caplog):
    for number in range(10 * MAX_KINDS):
        notices[0].log(logging.ERROR, f"kind {number}", "thing %d", number)
    assert len(caplog.messages) <= MAX_KINDS + 1
