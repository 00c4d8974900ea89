"""When the client tries again, and where: the policies alone, on clocks of their own."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanmap.client import RetryPolicy
from spanmap.client.capture import PATHS
from spanmap.client.retry import MAX_RETRY_AFTER_SECONDS, parse_retry_after
from spanmap.client.routes import ASK_AGAIN_SECONDS, MAX_MISSES, Route


def test_the_longest_wait_doubles_up_to_a_cap() -> None:
    policy = RetryPolicy(first_seconds=1, max_seconds=30, random=lambda: 1.0)
    assert [policy.wait_seconds(failures) for failures in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_the_wait_is_any_part_of_the_longest_one() -> None:
    """Clients that failed together must not come back together."""
    assert RetryPolicy(random=lambda: 0.0).wait_seconds(5) == 0
    assert RetryPolicy(random=lambda: 0.25).wait_seconds(3) == 1
    assert len({RetryPolicy().wait_seconds(5) for _ in range(20)}) > 1


@given(st.integers(1, 10**9), st.none() | st.floats(0, 3600))
def test_the_wait_is_never_less_than_what_the_server_asks_for(failures: int, asked: float | None) -> None:
    wait = RetryPolicy().wait_seconds(failures, asked)
    assert (asked or 0) <= wait <= max(30, asked or 0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("999999999999", MAX_RETRY_AFTER_SECONDS),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER_SECONDS),
        ("Fri, 99 Foo 2026 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds


def test_a_date_is_waited_for() -> None:
    date = email.utils.formatdate(time.time() + 100, usegmt=True)
    seconds = parse_retry_after(date)
    assert seconds is not None
    assert 90 < seconds <= 100


AI = PATHS["ai"]


def test_a_route_begins_with_the_best_path_and_stays_on_it() -> None:
    route = Route(AI)
    assert route.choose(0) is AI[0]
    route.prove()
    assert route.choose(10 * ASK_AGAIN_SECONDS) is AI[0]


def test_a_path_that_is_not_known_is_left_at_once() -> None:
    route = Route(AI)
    assert not route.forgives()
    assert route.go_on(0)
    assert route.choose(0) is AI[1]


def test_a_path_that_has_worked_is_forgiven_some_times() -> None:
    route = Route(AI)
    route.prove()
    assert [route.forgives() for _ in range(MAX_MISSES)] == [True] * (MAX_MISSES - 1) + [False]


def test_a_path_that_works_again_has_a_clean_slate() -> None:
    route = Route(AI)
    route.prove()
    for _ in range(MAX_MISSES - 1):
        route.forgives()
    route.prove()
    assert route.forgives()


def test_after_the_last_path_comes_the_first() -> None:
    route = Route(AI)
    assert [route.go_on(0) for _ in AI] == [True, True, False]
    assert route.choose(0) is AI[0]


def test_a_server_that_knew_only_an_older_path_is_asked_again_after_an_hour() -> None:
    route = Route(AI)
    route.go_on(0)
    route.prove()
    assert route.choose(ASK_AGAIN_SECONDS) is AI[1]
    assert route.choose(ASK_AGAIN_SECONDS + 1) is AI[0]
    assert not route.is_proven
