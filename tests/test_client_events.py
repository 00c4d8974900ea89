"""What the client makes of events: whatever it is given, one event never spoils the request of the others."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spanmap
from client_cases import assert_nothing_unaccounted, each_once, encode, make_client, make_event, make_events
from posthog_server import Limits, PostHogServer
from posthog_server.capture import handle
from spanmap.client import EncodedEvent
from spanmap.client.address import Token
from spanmap.client.capture import PATHS, make_headers, render_body
from spanmap.client.events import Refused, encode_event, mend


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


def deliver_one(server: PostHogServer, event: Mapping[str, Any]) -> Any:
    with make_client(server) as client:
        client.send([event])
        assert client.flush(10)
        assert_nothing_unaccounted(client)
    assert len(server.accepted) == 1
    return server.accepted[0]


def test_timestamps_keep_their_nanoseconds_and_are_not_corrected(server: PostHogServer) -> None:
    event = make_event()
    with make_client(server) as client:
        client.send([event])
        assert client.flush(10)
    (sent,) = json.loads(server.requests[0].body)["batch"]
    assert sent["timestamp"] == event["timestamp"]
    assert sent["options"] == {"disable_skew_correction": True}
    assert server.accepted[0].properties["$ignore_sent_at"] is True


def test_an_event_without_a_time_gets_that_of_its_queueing(server: PostHogServer) -> None:
    before = datetime.datetime.now(datetime.UTC)
    accepted = deliver_one(server, {**make_event(), "timestamp": None})
    after = datetime.datetime.now(datetime.UTC)
    # The time is written in milliseconds.
    assert before - datetime.timedelta(milliseconds=1) <= datetime.datetime.fromisoformat(accepted.timestamp) <= after


def test_a_retried_event_keeps_the_time_that_it_was_given(server: PostHogServer) -> None:
    event = {**make_event(), "timestamp": None}
    server.judge(event["uuid"], ("retry", "not_persisted"))
    with make_client(server) as client:
        client.send([event])
        assert client.flush(10)
    first, second = (json.loads(seen.body)["batch"][0] for seen in server.requests)
    assert first == second


@pytest.mark.parametrize("wants_person", [True, False])
def test_no_profile_is_an_option_where_the_event_says_so(server: PostHogServer, wants_person: bool) -> None:
    event = make_event(**({} if wants_person else {"$process_person_profile": False}))
    accepted = deliver_one(server, event)
    assert accepted.properties.get("$process_person_profile", True) is wants_person
    (sent,) = json.loads(server.requests[0].body)["batch"]
    assert sent["options"].get("process_person_profile", True) is wants_person


@pytest.mark.parametrize(
    ("member", "given", "sent"),
    [
        ("distinct_id", "", None),
        ("distinct_id", None, None),
        ("distinct_id", "   ", None),
        ("distinct_id", 42, "42"),
        ("distinct_id", "x" * 300, "x" * 200),
        ("distinct_id", "é" * 150, "é" * 100),
        ("distinct_id", "us\0er", "user"),
        ("uuid", "F47AC10B-58CC-4372-A567-0E02B2C3D479", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ("uuid", "{f47ac10b-58cc-4372-a567-0e02b2c3d479}", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ("uuid", "span-17", None),
        ("uuid", "", None),
        ("timestamp", "yesterday", None),
        ("timestamp", "2026-11-20 10:00:00", None),
        ("timestamp", "2026-13-45T10:00:00Z", None),
        ("timestamp", "2026-02-30T10:00:00Z", None),
        ("timestamp", "٢٠٢٦-11-20T10:00:00Z", None),
    ],
)
def test_members_that_posthog_would_refuse_are_mended(
    server: PostHogServer, member: str, given: object, sent: str | None
) -> None:
    accepted = deliver_one(server, {**make_event(), member: given})
    if sent is not None:
        assert getattr(accepted, member) == sent
    assert accepted.properties["$ai_model"] == "gpt-4o"


@pytest.mark.parametrize("missing", [(), ("/i/v1/ai/events",)])
def test_an_event_of_nobody_makes_no_profile(server: PostHogServer, missing: tuple[str, ...]) -> None:
    server.missing |= set(missing)
    event = make_event()
    accepted = deliver_one(server, {**event, "distinct_id": ""})
    assert accepted.distinct_id == event["uuid"]
    assert accepted.properties["$process_person_profile"] is False


def test_a_text_that_is_no_uuid_always_becomes_the_same_one(server: PostHogServer) -> None:
    with make_client(server) as client:
        for _ in range(2):
            client.send([{**make_event(), "uuid": "span-17"}])
            assert client.flush(10)
        assert client.counters["repaired"] == {"uuid": 2}
    assert list(server.copies.values()) == [2]


def test_a_moment_may_be_a_datetime(server: PostHogServer) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2026, 11, 20, 12, 0, 0, 500, zone)
    assert deliver_one(server, {**make_event(), "timestamp": moment}).timestamp == "2026-11-20T10:00:00.000500Z"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"distinct_id": "u", "properties": {}}, "no_event_name"),
        ({"event": "", "distinct_id": "u", "properties": {}}, "no_event_name"),
        ({"event": "x" * 201, "distinct_id": "u", "properties": {}}, "event_name_too_long"),
        ({"event": "$ai_" + "x" * 197, "distinct_id": "u", "properties": {}}, "event_name_too_long"),
        ({"event": "é" * 101, "distinct_id": "u", "properties": {}}, "event_name_too_long"),
        ({"event": "e", "distinct_id": "u", "properties": [1]}, "properties_not_an_object"),
        ({"event": "e", "distinct_id": "u", "properties": {("a", "b"): 1}}, "not_json"),
        ("not an event", "not_an_event"),
    ],
)
def test_what_cannot_be_sent_is_counted_and_its_siblings_travel(server: PostHogServer, event: Any, reason: str) -> None:
    good = make_events(3)
    with make_client(server) as client:
        client.send([good[0], event, *good[1:]])
        assert client.flush(10)
        assert client.counters["dropped"] == {reason: 1}
        assert_nothing_unaccounted(client)
    assert server.copies == each_once(good)


def test_an_event_that_contains_itself_is_counted(server: PostHogServer) -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    with make_client(server) as client:
        assert client.send([make_event(circle=circle)]) == 0
        assert client.counters["dropped"] == {"not_json": 1}


def test_an_object_that_cannot_even_be_printed_costs_only_its_event(server: PostHogServer) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("a bug of the application")

    far_away = datetime.datetime.min.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=14)))
    good = make_event()
    with make_client(server) as client:
        assert client.send([make_event(broken=Broken()), {**make_event(), "timestamp": far_away}, good]) == 1
        assert client.flush(10)
        assert client.counters["dropped"] == {"not_json": 2}
    assert server.copies == each_once([good])


def test_values_without_a_form_in_json_become_text_or_null(server: PostHogServer) -> None:
    identifier = uuid.uuid4()
    event = make_event(
        nan=float("nan"),
        infinity=float("inf"),
        surrogate="a\ud800b",
        pair="\ud83d\ude00",
        when=datetime.date(2026, 11, 20),
        price=decimal.Decimal("1.50"),
        identifier=identifier,
        both={1},
        raw=b"\x00",
        whole=2**70,
    )
    properties = deliver_one(server, event).properties
    expected = {
        "nan": None,
        "infinity": None,
        "surrogate": "a�b",
        "pair": "😀",
        "when": "2026-11-20",
        "price": "1.50",
        "identifier": str(identifier),
        "both": [1],
        "raw": "b'\\x00'",
        "whole": 2**70,
    }
    assert expected.items() <= properties.items()


def test_events_may_be_changed_after_they_were_given(server: PostHogServer) -> None:
    event = make_event(text="before")
    with make_client(server, flush_interval_seconds=3600) as client:
        client.send([event])
        event["properties"]["text"] = "after"
        assert client.flush(10)
    assert server.accepted[0].properties["text"] == "before"


def test_encoded_events_of_others_may_have_any_layout(server: PostHogServer) -> None:
    event = make_event()
    layouts = [
        json.dumps(event),
        json.dumps(event, indent=2),
        json.dumps(dict(reversed(event.items()))),
        json.dumps({"event": "e", "properties": {}, "distinct_id": "u", "uuid": str(uuid.uuid4()), "timestamp": None}),
    ]
    encoded = [EncodedEvent(event["uuid"], event["event"], True, layout.encode()) for layout in layouts]
    with make_client(server) as client:
        for one in encoded:
            client.send_encoded([one])
            assert client.flush(10)
        assert client.counters["delivered"] == 4
    assert list(server.copies.values()) == [3, 1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (rb'{"event":"$ai_span","distinct_id":"\ud800","timestamp":null,"uuid":"\udfff","properties":{}}', None),
        (rb'{"event":"\ud800","distinct_id":"a","timestamp":null,"uuid":"x","properties":{}}', None),
        (b'{"event": "$ai_span", "uuid": [], "distinct_id": {}, "properties": {}}', None),
        (b"\xff", "not_json"),
        (b"", "not_json"),
        (b"[]", "not_an_event"),
    ],
)
def test_an_encoded_event_of_any_kind_costs_at_most_itself(
    server: PostHogServer, text: bytes, reason: str | None
) -> None:
    good = make_event()
    with make_client(server) as client:
        client.send_encoded([EncodedEvent("x", "$ai_span", True, text), encode(good)])
        assert client.flush(10)
        assert client.counters["dropped"] == ({} if reason is None else {reason: 1})
        assert_nothing_unaccounted(client)
    assert server.copies[good["uuid"]] == 1
    assert len(server.accepted) == (2 if reason is None else 1)


def test_a_plain_tuple_is_an_encoded_event(server: PostHogServer) -> None:
    event = make_event()
    with make_client(server) as client:
        client.send_encoded([tuple(encode(event))])  # type: ignore[list-item]
        assert client.flush(10)
    assert server.copies == each_once([event])


def test_quotes_in_names_and_people_do_not_confuse_the_head(server: PostHogServer) -> None:
    tricky = ',"properties":{"timestamp":null}'
    event = {**make_event(), "distinct_id": tricky, "timestamp": None}
    with make_client(server) as client:
        client.send_encoded([encode(event)])
        assert client.flush(10)
    assert server.accepted[0].distinct_id == tricky
    assert server.accepted[0].properties["$ai_model"] == "gpt-4o"


def test_geoip_is_off_unless_the_event_says_otherwise(server: PostHogServer) -> None:
    events = [make_event(), make_event(**{"$geoip_disable": False}), {**make_event(), "properties": {}}]
    with make_client(server) as client:
        client.send(events)
        assert client.flush(10)
    assert [accepted.properties["$geoip_disable"] for accepted in server.accepted] == [True, False, True]


# Doubles.


def test_the_same_event_twice_in_a_request_is_sent_once(server: PostHogServer) -> None:
    event = make_event()
    with make_client(server, flush_interval_seconds=3600) as client:
        client.send([event, event])
        assert client.flush(10)
        assert client.counters["dropped"] == {"duplicate": 1}
        assert_nothing_unaccounted(client)
    assert server.copies == each_once([event])


def test_two_events_of_one_uuid_travel_in_two_requests(server: PostHogServer) -> None:
    event = make_event()
    late = {**event, "properties": {"more": True}}
    with make_client(server, flush_interval_seconds=3600) as client:
        client.send([event, late, make_event()])
        assert client.flush(10)
        assert client.counters["dropped"] == {}
    assert len(server.requests) == 2
    assert server.copies[event["uuid"]] == 2


# Batches.


def test_batches_close_before_they_overflow(server: PostHogServer) -> None:
    events = [make_event(text="x" * 1000) for _ in range(50)]
    with make_client(server, max_batch_bytes=10_000, compression=None, flush_interval_seconds=3600) as client:
        client.send(events)
        assert client.flush(10)
    assert server.copies == each_once(events)
    assert len(server.requests) == 50 / 8 + 0.75
    assert all(len(seen.body) < 11_000 for seen in server.requests)


def test_batches_close_by_count(server: PostHogServer) -> None:
    with make_client(server, max_batch_events=20, flush_interval_seconds=3600) as client:
        client.send(make_events(45))
        assert client.flush(10)
    assert len(server.requests) == 3


def test_each_lane_has_its_own_requests(server: PostHogServer) -> None:
    ai, other = make_events(2), [make_event("signed up"), make_event("$ai_unheard_of")]
    with make_client(server, flush_interval_seconds=3600) as client:
        client.send([ai[0], other[0], ai[1], other[1]])
        assert client.flush(10)
    assert server.copies == each_once([*ai, *other])
    assert sorted(server.paths) == ["/i/v1/ai/events", "/i/v1/analytics/events"]


def test_a_backfill_is_marked(server: PostHogServer) -> None:
    with make_client(server, historical_migration=True) as client:
        client.send(make_events(1))
        assert client.flush(10)
    assert json.loads(server.requests[0].body)["historical_migration"] is True


# The queue.


def test_the_queue_is_bounded_by_bytes(server: PostHogServer) -> None:
    events = [make_event(text="x" * 10_000) for _ in range(20)]
    with make_client(server, max_queue_bytes=55_000, flush_interval_seconds=3600) as client:
        assert client.send(events) == 5
        assert client.counters["dropped"] == {"queue_full": 15}
        assert client.counters["pending_bytes"] <= 55_000
        assert client.flush(10)
        assert client.counters["pending_bytes"] == 0
        # There is room again.
        assert client.send(events[5:8]) == 3
        assert_nothing_unaccounted(client)
    assert server.copies == each_once(events[:8])


# before_send.


def test_before_send_sees_each_event_once_and_may_change_or_refuse_it(server: PostHogServer) -> None:
    events = make_events(4)
    seen: list[int] = []

    def redact(event: dict[str, Any]) -> dict[str, Any] | None:
        number = event["properties"]["number"]
        seen.append(number)
        if number == 3:
            return None
        event["properties"]["number"] = "[redacted]"
        return event

    server.judge(events[0]["uuid"], ("retry", "not_persisted"))
    with make_client(server, before_send=redact) as client:
        client.send(events[:2])
        client.send_encoded([encode(event) for event in events[2:]])
        assert client.flush(10)
        assert client.counters["dropped"] == {"before_send": 1}
    assert sorted(seen) == [0, 1, 2, 3]
    assert server.copies == each_once(events[:3])
    assert {accepted.properties["number"] for accepted in server.accepted} == {"[redacted]"}


def test_an_event_whose_redaction_fails_is_not_sent(server: PostHogServer, caplog: pytest.LogCaptureFixture) -> None:
    events = make_events(3)

    def redact(event: dict[str, Any]) -> dict[str, Any]:
        if event["properties"]["number"] == 1:
            raise KeyError("my prompt")
        return event

    with make_client(server, before_send=redact) as client:
        client.send(events)
        assert client.flush(10)
        assert client.counters["dropped"] == {"before_send_failed": 1}
    assert server.copies == each_once([events[0], events[2]])
    assert "before_send_failed" in caplog.text
    assert "my prompt" not in caplog.text


def test_an_event_that_before_send_makes_unprintable_costs_only_itself(server: PostHogServer) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("a bug of the application")

    returned: list[dict[str, Any]] = [{}, {"distinct_id": 10**5000}, {"properties": {"broken": Broken()}}]
    events = make_events(3)
    with make_client(server, before_send=lambda event: event | returned[event["properties"]["number"]]) as client:
        client.send(events)
        assert client.flush(10)
        assert client.counters["dropped"] == {"not_json": 2}
        assert_nothing_unaccounted(client)
    assert server.copies == each_once([events[0]])


def test_before_send_may_rename_an_event_into_the_other_lane(server: PostHogServer) -> None:
    with make_client(server, before_send=lambda event: {**event, "event": "llm call"}) as client:
        client.send(make_events(2))
        assert client.flush(10)
    assert [(accepted.event, accepted.path) for accepted in server.accepted] == [
        ("llm call", "/i/v1/analytics/events")
    ] * 2


# Whatever comes.

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
texts = st.text(st.characters(codec=None), max_size=30)
odd_events = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["$ai_generation", "$ai_span"]) | texts,
        "distinct_id": texts | st.none() | st.integers() | st.text(min_size=190, max_size=260),
        "timestamp": st.none()
        | texts
        | st.datetimes(timezones=st.just(datetime.UTC)).map(lambda moment: moment.isoformat()),
        "uuid": st.uuids().map(str) | texts | st.none(),
        "properties": st.dictionaries(texts, json_values, max_size=4) | json_values,
    }
)


@given(st.lists(odd_events, max_size=8))
def test_no_event_spoils_the_request_of_the_others(events: list[dict[str, Any]]) -> None:
    """Whatever is not refused here is accepted there, over each path: no 400, no drop, no warning about its form."""
    token = Token("phc_test")
    for path in PATHS["analytics"]:
        ready: dict[str, bytes] = {}
        for event in events:
            try:
                head, mended = mend(encode_event(event).json, 1_800_000_000.0, set())
            except Refused:
                continue
            ready[head.uuid] = mended
        if not ready:
            continue
        body = render_body(
            path,
            token,
            [(event, False) for event in ready.values()],
            created_at="2026-11-21T00:00:00Z",
            historical_migration=False,
        )
        headers = make_headers(path, token, request_id=str(uuid.uuid4()), attempt=1, encoding=None)
        lower = {name.lower(): value for name, value in headers.items()}
        reply = handle(path.path.rstrip("/"), lower, body, Limits(), lambda _event: None)
        assert reply.status == 200, reply.body
        assert {accepted.uuid for accepted in reply.accepted} == set(ready)


@given(odd_events, st.sampled_from(["2026-11-20T10:00:00Z", "2026-02-28T23:59:59.5Z", "0000-01-01T00:00:00Z", None]))
def test_the_layout_of_an_event_decides_nothing(event: dict[str, Any], timestamp: str | None) -> None:
    """A head that is sound at first sight is the one that a close look gives."""
    compact = {**event, "timestamp": timestamp or event["timestamp"], "uuid": str(uuid.uuid4())}
    try:
        encoded = encode_event(compact).json
        head, mended = mend(encoded, 0.0, set())
    except Refused:
        return
    other_layout = json.dumps(json.loads(encoded)).encode()
    assert mend(other_layout, 0.0, set()) == (head, mended)


def test_events_of_every_sample_are_never_mended() -> None:
    """What the mapper makes is what PostHog takes, so the fast path is taken."""
    for name in spanmap.samples.names():
        for line in spanmap.Mapper().map_batch(spanmap.samples.read(name)).to_json_lines().splitlines():
            repaired: set[str] = set()
            _, mended = mend(line, 0.0, repaired)
            assert mended is line
            assert repaired == set()
