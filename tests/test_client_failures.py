"""What the network and the server may do to the client: nothing that fits into the queue is lost, or counts twice."""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from client_cases import QUICK, assert_nothing_unaccounted, each_once, make_client, make_event, make_events
from posthog_server import (
    Limits,
    PostHogServer,
    accept_then_cut,
    answer,
    babble,
    drip,
    half_close,
    hang,
    in_chunks,
    reset,
    slowly,
    truncate,
)
from posthog_server.misbehaviour import Misbehaviour
from spanmap.client import Client, RetryPolicy
from spanmap.client.events import mend
from spanmap.errors import DeliveryError

V1 = "/i/v1/ai/events"
V1_ANALYTICS = "/i/v1/analytics/events"
V0_AI = "/i/v0/ai/batch"
V0 = "/batch"


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


TRANSIENT: dict[str, Callable[[], Misbehaviour]] = {
    "408": lambda: answer(408),
    "429": lambda: answer(429),
    "500": lambda: answer(500),
    "502": lambda: answer(502, b"<html>bad gateway</html>", {"content-type": "text/html"}),
    "503": lambda: answer(503),
    "504": lambda: answer(504),
    "an unknown 4xx": lambda: answer(418),
    "a reset": reset,
    "a half-closed connection": half_close,
    "a cut before the answer": accept_then_cut,
    "an answer that breaks off": truncate,
    "an answer that is no JSON": lambda: answer(200, b"OK", {"content-type": "text/plain"}),
    "an answer without results": lambda: answer(200, b"{}", {"content-type": "application/json"}),
    "an empty answer": lambda: answer(200),
}
# After these the server has the events, and gets them once more: the uuid makes them count once.
TAKEN = {"a cut before the answer", "an answer that breaks off"}


@pytest.mark.parametrize("trouble", TRANSIENT)
def test_trouble_that_passes_loses_nothing(server: PostHogServer, trouble: str) -> None:
    events = make_events(20)
    server.script.extend(TRANSIENT[trouble]() for _ in range(3))
    with make_client(server) as client:
        client.send(events)
        assert client.flush(20)
        assert client.counters["delivered"] == 20
        assert client.counters["dropped"] == {}
        assert client.counters["retried"] == 60
        assert_nothing_unaccounted(client)
    assert set(server.copies) == set(each_once(events))
    assert set(server.copies.values()) == ({4} if trouble in TAKEN else {1})


def test_tries_of_one_request_are_told_apart_by_their_number_alone(server: PostHogServer) -> None:
    server.script.extend([answer(503), reset(), answer(500)])
    with make_client(server) as client:
        client.send(make_events(3))
        assert client.flush(10)
    tries = server.requests
    assert [seen.headers["posthog-attempt"] for seen in tries] == ["1", "2", "3", "4"]
    assert len({seen.headers["posthog-request-id"] for seen in tries}) == 1
    assert len({seen.body for seen in tries}) == 1


def test_requests_have_ids_of_their_own(server: PostHogServer) -> None:
    with make_client(server, max_batch_events=1) as client:
        client.send(make_events(3))
        assert client.flush(10)
    assert len({seen.headers["posthog-request-id"] for seen in server.requests}) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_the_least_wait(server: PostHogServer, status: int) -> None:
    server.script.append(answer(status, b"", {"Retry-After": "1"}))
    with make_client(server) as client:
        client.send(make_events(1))
        wait_until(lambda: client.counters["requests"] == {V1: {str(status): 1}})
        # Whoever waits for delivery cannot shorten what the server asked for.
        assert client.flush(10)
    first, second = (seen.at for seen in server.requests)
    assert second - first >= 1.0


def test_a_flush_does_not_wait_for_our_own_back_off(server: PostHogServer) -> None:
    server.script.append(answer(503))
    patient = RetryPolicy(first_seconds=3600, max_seconds=3600, random=lambda: 1.0)
    with make_client(server, retry=patient) as client:
        client.send(make_events(1))
        wait_until(lambda: client.counters["requests"].get(V1) == {"503": 1})
        assert client.flush(10)
        assert client.counters["delivered"] == 1


def test_an_event_that_always_fails_does_not_hold_up_the_others(server: PostHogServer) -> None:
    class PoisonedServer(PostHogServer):
        def next_misbehaviour(self) -> Misbehaviour | None:
            return answer(500) if b"poison" in self.requests[-1].body else None

    with PoisonedServer() as poisoned:
        client = make_client(poisoned, max_batch_events=1, compression=None)
        bad, *good = [make_event(text="poison"), *make_events(10)]
        client.send([bad])
        wait_until(lambda: client.counters["retried"] > 0)
        client.send(good)
        wait_until(lambda: client.counters["delivered"] == 10)
        assert not client.shutdown(0.05)
        assert poisoned.copies == each_once(good)
        assert client.counters["pending_events"] == 1


def test_an_event_that_breaks_the_server_is_told_from_its_siblings() -> None:
    class PoisonedServer(PostHogServer):
        def next_misbehaviour(self) -> Misbehaviour | None:
            return answer(500) if b"poison" in self.requests[-1].body else None

    siblings, others = make_events(15), make_events(5)
    with PoisonedServer() as poisoned:
        client = make_client(poisoned, compression=None)
        client.send([*siblings[:9], make_event(text="poison"), *siblings[9:]])
        wait_until(lambda: client.counters["retried"] > 0)
        # As long as nothing gets through, the server is to blame and not the request.
        client.send(others)
        wait_until(lambda: client.counters["delivered"] == 20)
        assert poisoned.copies == each_once([*siblings, *others])
        assert client.shutdown(0.05) is False
        assert client.counters["pending_events"] == 1


def test_an_outage_does_not_split_requests(server: PostHogServer) -> None:
    server.script.extend(answer(500) for _ in range(10))
    with make_client(server) as client:
        client.send(make_events(20))
        assert client.flush(10)
        assert client.counters["requests"] == {V1: {"500": 10, "200": 1}}


def test_events_wait_while_the_server_is_down_and_arrive_when_it_is_back() -> None:
    with PostHogServer() as before:
        port, url = before.port, before.url
    events = make_events(50)
    with make_client(url, max_batch_events=10) as client:
        client.send(events)
        wait_until(lambda: client.counters["requests"].get(V1, {}).get("network", 0) >= 3)
        assert client.counters["pending_events"] == 50
        with PostHogServer(port=port) as after:
            assert client.flush(20)
            assert after.copies == each_once(events)


def test_a_server_that_is_killed_between_requests_costs_nothing() -> None:
    events = make_events(40)
    with PostHogServer() as first:
        port = first.port
        client = make_client(first, max_batch_events=10)
        client.send(events[:20])
        assert client.flush(10)
        earlier = first.copies
    client.send(events[20:])
    with PostHogServer(port=port) as second:
        assert client.flush(20)
        assert {**earlier, **second.copies} == each_once(events)
        assert client.shutdown(5)


def test_a_server_that_hangs_is_given_up_and_asked_again(server: PostHogServer) -> None:
    events = make_events(5)
    server.script.append(hang())
    with make_client(server, timeout_seconds=0.2) as client:
        client.send(events)
        assert client.flush(20)
        assert client.counters["requests"] == {V1: {"network": 1, "200": 1}}
    assert server.copies == each_once(events)


def test_an_answer_in_chunks_is_read(server: PostHogServer) -> None:
    events = make_events(5)
    server.judge(events[0]["uuid"], ("drop", "rejected"))
    server.script.extend([in_chunks(), in_chunks()])
    with make_client(server) as client:
        client.send(events)
        assert client.flush(20)
        client.send(make_events(1))
        assert client.flush(20)
        assert client.counters["requests"] == {V1: {"200": 2}}
        assert client.counters["dropped"] == {"rejected": 1}
    assert len(server.connected) == 1


@pytest.mark.parametrize("trouble", [lambda: drip(0.02), babble])
def test_an_answer_without_end_is_given_up(server: PostHogServer, trouble: Callable[[], Misbehaviour]) -> None:
    events = make_events(5)
    server.script.append(trouble())
    with make_client(server, timeout_seconds=0.3) as client:
        client.send(events)
        assert client.flush(20)
        assert client.counters["requests"] == {V1: {"network": 1, "200": 1}}
    assert server.copies == each_once(events)


def test_a_server_that_dies_in_the_middle_of_a_request_loses_nothing() -> None:
    events = make_events(5)
    with PostHogServer() as before:
        before.always = hang()
        client = make_client(before, timeout_seconds=60)
        client.send(events)
        wait_until(lambda: len(before.requests) == 1)
    with PostHogServer(port=before.port) as after:
        assert client.flush(20)
        assert after.copies == each_once(events)
        assert client.shutdown(5)


def test_a_slow_server_is_waited_for(server: PostHogServer) -> None:
    events = make_events(5)
    server.script.append(slowly(0.3))
    with make_client(server) as client:
        client.send(events)
        assert client.flush(20)
        assert client.counters["requests"] == {V1: {"200": 1}}
    assert server.copies == each_once(events)


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_deadlines_hold_when_the_server_hangs(server: PostHogServer, seconds: float) -> None:
    server.always = hang()
    client = make_client(server, timeout_seconds=60)
    client.send(make_events(3))
    assert client.flush(seconds) is False
    assert client.shutdown(seconds) is False
    assert client.counters["pending_events"] == 3


# Answers about what was sent.


def test_413_halves_until_it_fits() -> None:
    events = [make_event(text="x" * 10_000) for _ in range(16)]
    with PostHogServer(limits=Limits(v1_wire=50_000)) as small:
        with make_client(small, compression=None) as client:
            client.send(events)
            assert client.flush(20)
            assert client.counters["requests"] == {V1: {"413": 3, "200": 4}}
            assert client.counters["shrunk"] == 0
        assert small.copies == each_once(events)


def test_one_event_that_is_too_large_is_shrunk_and_its_siblings_stay_whole() -> None:
    large = make_event("$ai_generation", **{"$ai_input": "x" * 200_000})
    events = [make_event(text="y" * 5000) for _ in range(7)]
    with PostHogServer(limits=Limits(v1_wire=50_000)) as small:
        with make_client(small, compression=None) as client:
            client.send([*events[:3], large, *events[3:]])
            assert client.flush(20)
            assert client.counters["dropped"] == {}
            assert client.counters["shrunk"] >= 1
        assert small.copies == each_once([large, *events])
        arrived = {accepted.uuid: accepted for accepted in small.accepted}
        for event in events:
            assert arrived[event["uuid"]].properties["text"] == event["properties"]["text"]
        assert arrived[large["uuid"]].properties["spanmap_shrunk"]["bytes"] > 200_000
        assert "spanmap_shrunk" not in arrived[events[0]["uuid"]].properties


def test_an_event_that_no_server_can_take_is_dropped_with_its_reason(server: PostHogServer) -> None:
    server.script.extend(answer(413) for _ in range(30))
    with make_client(server) as client:
        client.send([make_event(text="x" * 100_000)])
        assert client.flush(20)
        assert client.counters["dropped"] == {"too_large": 1}
        assert_nothing_unaccounted(client)


def test_a_proxy_that_hangs_up_on_large_bodies_gets_smaller_ones() -> None:
    class Proxy(PostHogServer):
        def next_misbehaviour(self) -> Misbehaviour | None:
            return reset() if len(self.requests[-1].body) > 400_000 else None

    events = [make_event(text="x" * 100_000) for _ in range(8)]
    with Proxy() as proxy:
        with make_client(proxy, compression=None) as client:
            client.send(events)
            assert client.flush(20)
        assert proxy.copies == each_once(events)


def test_one_bad_event_among_good_ones_is_found_by_bisection() -> None:
    class Picky(PostHogServer):
        def next_misbehaviour(self) -> Misbehaviour | None:
            if b"offence" in self.requests[-1].body:
                return answer(400, b'{"error": "request_parsing_error"}', {"content-type": "application/json"})
            return None

    events = make_events(15)
    bad = make_event(text="offence")
    with Picky() as picky:
        with make_client(picky, compression=None) as client:
            client.send([*events[:9], bad, *events[9:]])
            assert client.flush(20)
            assert client.counters["dropped"] == {"rejected:request_parsing_error": 1}
            assert client.counters["delivered"] == 15
        assert picky.copies == each_once(events)


def test_headers_that_are_lost_on_the_way_lead_to_the_path_that_needs_none() -> None:
    class Stripping(PostHogServer):
        def take(self, path: str, headers: Any, body: bytes) -> Any:
            return super().take(path, {name: text for name, text in headers.items() if "posthog" not in name}, body)

    events = make_events(10)
    with Stripping() as stripping:
        with make_client(stripping) as client:
            client.send(events)
            assert client.flush(20)
            assert client.counters["dropped"] == {}
        assert stripping.copies == each_once(events)


def test_401_keeps_the_events_tells_once_and_goes_on_when_the_token_is_taken(
    server: PostHogServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.always = answer(401, b'{"error": "invalid_api_token"}')
    events = make_events(10)
    with make_client(server, max_batch_events=1) as client:
        client.send(events)
        # It does not wait for what only a human can change.
        assert client.flush(60) is False
        wait_until(lambda: client.counters["requests"][V1]["401"] > 2)
        assert client.counters["pending_events"] == 10
        assert client.counters["dropped"] == {}
        server.always = None
        assert client.flush(20)
    assert server.copies == each_once(events)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "phc_test" not in caplog.text.replace("phc_test...", "")


def test_401_drops_new_events_when_the_queue_is_full(server: PostHogServer) -> None:
    server.always = answer(401)
    with make_client(server, max_queue_events=3) as client:
        assert client.send(make_events(5)) == 3
        assert client.counters["dropped"] == {"queue_full": 2}
        assert_nothing_unaccounted(client)
        server.always = None


def test_402_drops_with_its_reason(server: PostHogServer) -> None:
    server.script.append(answer(402, b'{"error": "billing_limit_exceeded"}'))
    with make_client(server) as client:
        client.send(make_events(4))
        assert client.flush(10)
        assert client.counters["dropped"] == {"billing_limit_exceeded": 4}
        assert client.counters["requests"] == {V1: {"402": 1}}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_refused(server: PostHogServer, caplog: pytest.LogCaptureFixture, status: int) -> None:
    with PostHogServer() as elsewhere:
        target = f"{elsewhere.url}{V1}?key=secret"
        server.script.append(answer(status, b"", {"Location": target}))
        with make_client(server) as client:
            client.send(make_events(2))
            client.flush(10)
            assert client.flush(10)
        assert elsewhere.requests == []
    assert len(server.copies) == 2
    assert elsewhere.url in caplog.text
    assert "secret" not in caplog.text


# Verdicts.


def test_a_verdict_of_retry_sends_that_event_alone_once_more(server: PostHogServer) -> None:
    events = make_events(6)
    server.judge(events[2]["uuid"], ("retry", "not_persisted"))
    with make_client(server) as client:
        client.send(events)
        wait_until(lambda: client.counters["delivered"] == 5)
        assert client.flush(20)
        assert client.counters["retried"] == 1
    assert server.copies == each_once(events)
    first, second = server.requests
    assert second.headers["posthog-attempt"] == "2"
    assert second.headers["posthog-request-id"] == first.headers["posthog-request-id"]
    assert second.at - first.at >= 1.0  # The server says so with `Retry-After`.


@pytest.mark.parametrize(
    "details",
    ["billing_limit_exceeded", "event_restriction_drop", "ai_byte_rate_limited", "rejected", "serialization_failed"],
)
def test_a_verdict_of_drop_is_counted_by_its_details(server: PostHogServer, details: str) -> None:
    events = make_events(6)
    server.judge(events[2]["uuid"], ("drop", details))
    with make_client(server) as client:
        client.send(events)
        assert client.flush(20)
        assert client.counters["dropped"] == {details: 1}
        assert client.counters["delivered"] == 5
        assert_nothing_unaccounted(client)


def test_a_verdict_of_too_big_shrinks_that_event() -> None:
    event = make_event(**{"$ai_input": "x" * 50_000})
    with PostHogServer(limits=Limits(ai_event=30_000)) as small:
        with make_client(small) as client:
            client.send([event, *make_events(3)])
            assert client.flush(20)
            assert client.counters["dropped"] == {}
            assert client.counters["shrunk"] == 1
        assert len(small.copies) == 4


def test_a_warning_counts_as_delivered(server: PostHogServer) -> None:
    event = {**make_event(), "distinct_id": "anonymous"}
    with make_client(server) as client:
        client.send([event])
        assert client.flush(10)
        assert client.counters["warnings"] == {"person_processing_disabled": 1}
        assert client.counters["delivered"] == 1


def test_an_event_that_the_answer_does_not_name_was_accepted(server: PostHogServer) -> None:
    server.script.append(answer(200, b'{"results": {}}', {"content-type": "application/json"}))
    with make_client(server) as client:
        client.send(make_events(2))
        assert client.flush(10)
        assert client.counters["delivered"] == 2
        assert client.counters["requests"] == {V1: {"200": 1}}


def test_a_name_that_the_ai_lane_sends_away_goes_to_the_other_lane(server: PostHogServer) -> None:
    first, second = make_event("$ai_metric"), make_event("$ai_metric")
    server.judge(first["uuid"], ("drop", "misrouted_event"))
    with make_client(server) as client:
        client.send([first])
        assert client.flush(10)
        client.send([second])
        assert client.flush(10)
        assert client.counters["dropped"] == {}
    assert server.copies == each_once([first, second])
    assert server.paths == [V1, V1_ANALYTICS, V1_ANALYTICS]


# Paths.


@pytest.mark.parametrize(
    ("missing", "paths"),
    [
        ((), [V1, V1]),
        ((V1, V1_ANALYTICS), [V1, V0_AI, V0_AI]),
        ((V1, V1_ANALYTICS, V0_AI), [V1, V0_AI, V0, V0]),
    ],
)
def test_404_leads_to_the_next_path_and_the_answer_is_remembered(missing: tuple[str, ...], paths: list[str]) -> None:
    events = make_events(4)
    with PostHogServer(missing=missing) as old:
        with make_client(old) as client:
            client.send(events[:2])
            assert client.flush(10)
            client.send(events[2:])
            assert client.flush(10)
        assert old.paths == paths
        assert old.copies == each_once(events)
        for event, accepted in zip(events, old.accepted, strict=True):
            assert accepted.timestamp.startswith("2026-11-20T10:00:00.123456")
            assert accepted.properties["$lib"] == "spanmap"
            assert accepted.properties["$geoip_disable"] is True
            assert event["properties"].items() <= accepted.properties.items()


def test_a_host_that_is_no_posthog_keeps_the_events_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with PostHogServer(missing=(V1, V0_AI, V0)) as other:
        client = make_client(other)
        client.send(make_events(3))
        assert client.flush(60) is False
        assert client.counters["pending_events"] == 3
        assert "/i/v1/ai/events, /i/v0/ai/batch/, /batch/" in caplog.text
        other.missing.clear()
        assert client.flush(10)
        assert client.shutdown(5)


def test_a_path_that_worked_and_is_gone_for_a_moment_is_not_given_up(server: PostHogServer) -> None:
    with make_client(server) as client:
        client.send(make_events(1))
        assert client.flush(10)
        server.script.extend([answer(404), answer(404)])
        client.send(make_events(1))
        assert client.flush(10)
        assert set(server.paths) == {V1}


def test_a_path_that_stays_away_is_given_up(server: PostHogServer) -> None:
    with make_client(server) as client:
        client.send(make_events(1))
        assert client.flush(10)
        server.missing.add(V1)
        client.send(make_events(1))
        assert client.flush(20)
        assert server.paths[-1] == V0_AI
    assert set(server.copies.values()) == {1}
    assert len(server.copies) == 2


def test_a_web_page_instead_of_an_answer_leads_to_the_next_path(server: PostHogServer) -> None:
    server.script.append(answer(200, b"<html>", {"content-type": "text/html; charset=utf-8"}))
    with make_client(server) as client:
        client.send(make_events(2))
        assert client.flush(10)
    assert server.paths == [V1, V0_AI]


def test_zstd_that_a_server_does_not_read_becomes_gzip(server: PostHogServer) -> None:
    server.script.append(answer(415))
    with make_client(server, compression="zstd") as client:
        client.send(make_events(50))
        assert client.flush(10)
    assert [seen.headers["content-encoding"] for seen in server.requests] == ["zstd", "gzip"]
    assert len(server.copies) == 50


def test_gzip_that_a_server_does_not_read_becomes_plain(server: PostHogServer) -> None:
    server.script.append(answer(415))
    with make_client(server, compression="gzip") as client:
        client.send(make_events(50))
        assert client.flush(10)
    assert "content-encoding" not in server.requests[1].headers


def test_a_compression_that_is_damaged_on_the_way_is_given_up(server: PostHogServer) -> None:
    server.script.append(answer(400, b'{"error": "request_decoding_error"}'))
    with make_client(server, compression="zstd") as client:
        client.send(make_events(50))
        assert client.flush(10)
        assert client.counters["dropped"] == {}
    assert [seen.headers["content-encoding"] for seen in server.requests] == ["zstd", "gzip"]


def test_without_a_zstd_library_bodies_are_gzip_and_who_asked_for_zstd_is_told(
    server: PostHogServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd", None)
    for compression in ("auto", "zstd"):
        with make_client(server, compression=compression) as client:
            client.send(make_events(50))
            assert client.flush(10)
    assert [seen.headers["content-encoding"] for seen in server.requests] == ["gzip", "gzip"]
    assert [record.getMessage()[:24] for record in caplog.records] == ["There is no zstd library"]


def test_old_paths_get_gzip_even_where_zstd_is_wanted() -> None:
    with PostHogServer(missing=(V1,)) as old:
        with make_client(old, compression="zstd") as client:
            client.send(make_events(50))
            assert client.flush(10)
        assert [seen.headers.get("content-encoding") for seen in old.requests] == ["zstd", "gzip"]
        assert len(old.copies) == 50


def test_a_quota_that_an_old_path_only_hints_at_is_counted(server: PostHogServer) -> None:
    server.missing.add(V1)
    server.script.extend([answer(404), answer(200, b'{"status": 1, "quota_limited": ["llm_events"]}')])
    with make_client(server) as client:
        client.send(make_events(2))
        assert client.flush(10)
        assert client.counters["warnings"] == {"quota_limited": 2}


# Telling.


def test_on_error_hears_of_each_failure_and_cannot_break_the_delivery(server: PostHogServer) -> None:
    heard: list[DeliveryError] = []

    def hear(error: DeliveryError) -> None:
        heard.append(error)
        raise RuntimeError("a bug of the application")

    events = make_events(3)
    server.script.extend([answer(503), answer(402)])
    with make_client(server, on_error=hear) as client:
        client.send(events)
        assert client.flush(10)
    assert [(error.reason, error.events, error.lost) for error in heard] == [
        ("http_503", 3, False),
        ("billing_limit_exceeded", 3, True),
    ]


def test_trouble_is_logged_seldom_and_without_secrets(server: PostHogServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "spanmap.client")
    server.script.extend(answer(503) for _ in range(20))
    client = Client("phc_0123456789abcdef", server.url, retry=QUICK, flush_interval_seconds=0.01)
    client.send([make_event(text="my prompt")])
    assert client.flush(20)
    client.shutdown()
    ours = [record for record in caplog.records if record.name == "spanmap.client"]
    assert len(ours) == 1
    for secret in ("phc_0123456789abcdef", "my prompt"):
        assert secret not in caplog.text
        assert secret not in repr(client)


def test_an_age_limit_ends_hopeless_tries(server: PostHogServer) -> None:
    server.always = answer(503)
    with make_client(server, max_age_seconds=0.1) as client:
        client.send(make_events(3))
        assert client.flush(20)
        assert client.counters["dropped"] == {"too_old": 3}


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_many_threads_send_at_once(server: PostHogServer) -> None:
    events = make_events(400)
    server.script.extend([answer(503), reset(), accept_then_cut()])
    with make_client(server, max_batch_events=37) as client:
        threads = [threading.Thread(target=client.send, args=(events[at : at + 50],)) for at in range(0, 400, 50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.flush(20)
        assert_nothing_unaccounted(client)
    assert set(server.copies) == set(each_once(events))
    # One request was accepted and its answer lost.
    assert server.unconfirmed
    assert sum(server.copies.values()) == 400 + len(server.unconfirmed)


def test_a_bug_of_ours_costs_only_the_event_that_it_struck(
    server: PostHogServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(event: bytes, *rest: Any) -> Any:
        if b'"number":1' in event:
            raise RuntimeError("my prompt")
        return mend(event, *rest)

    monkeypatch.setattr("spanmap.client.packing.mend", strike)
    events = make_events(3)
    with make_client(server) as client:
        client.send(events)
        assert client.flush(10)
        assert client.counters["dropped"] == {"internal_error": 1}
        assert_nothing_unaccounted(client)
    assert server.copies == each_once([events[0], events[2]])
    assert "RuntimeError" in caplog.text
    assert "my prompt" not in caplog.text


CHAOS: list[Callable[[], Misbehaviour]] = [
    *TRANSIENT.values(),
    lambda: answer(401),
    lambda: answer(302, b"", {"Location": "https://elsewhere.invalid"}),
    lambda: answer(404),
    # Half of the requests meet a server that is well.
    *[lambda: slowly(0)] * (len(TRANSIENT) + 3),
]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_whatever_order_each_event_arrives(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated.
    events = [
        make_event(chance.choice(["$ai_generation", "signed up"]), text="x" * chance.randrange(2000))
        for _ in range(300)
    ]
    with PostHogServer(limits=Limits(v1_wire=20_000, v0_wire=20_000)) as server:
        server.script.extend(chance.choice(CHAOS)() for _ in range(80))
        client = make_client(server, max_batch_events=chance.choice([7, 50, 500]), compression=None)
        for at in range(0, 300, 60):
            client.send(events[at : at + 60])
            client.flush(chance.random() * 0.05)
        # It returns early where, for all that it knows, only a human can help.
        wait_until(lambda: client.flush(5))
        assert client.shutdown(5)
        assert client.counters["delivered"] == 300
        assert client.counters["dropped"] == {}
        assert set(server.copies) == set(each_once(events))
        # It saw again only what it had taken without being able to say so.
        for identifier, copies in server.copies.items():
            assert copies - 1 <= server.unconfirmed.count(identifier)
