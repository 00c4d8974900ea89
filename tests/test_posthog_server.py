"""The PostHog on loopback itself: a test against it proves something only as far as it answers as PostHog does."""

from __future__ import annotations

import gzip
import json
import sys
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

import spanmap
from client_cases import make_event
from posthog_server import Limits, PostHogServer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

V1 = "/i/v1/ai/events"
HEADERS = {
    "Authorization": "Bearer phc_test",
    "Content-Type": "application/json",
    "User-Agent": "test",
    "PostHog-Sdk-Info": "test-sdk/1.2.3",
    "PostHog-Attempt": "1",
    "PostHog-Request-Id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "PostHog-Request-Timestamp": "2026-11-20T10:00:00Z",
}


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


def v1_event(**changes: Any) -> dict[str, Any]:
    return {**make_event(), "options": {}, **changes}


def v1_body(*events: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"created_at": "2026-11-20T10:00:00Z", "batch": events, **changes}).encode()


def v0_body(*events: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"api_key": "phc_test", "batch": events, **changes}).encode()


def post(
    server: PostHogServer, path: str, body: bytes, headers: dict[str, str | None] | None = None
) -> tuple[int, dict[str, Any], str | None]:
    chosen = {name: value for name, value in {**HEADERS, **(headers or {})}.items() if value is not None}
    answer = urllib3.request("POST", server.url + path, body=body, headers=chosen, retries=False)
    try:
        told = json.loads(answer.data)
    except ValueError:
        told = {}
    return answer.status, told if isinstance(told, dict) else {}, answer.headers.get("retry-after")


@pytest.mark.parametrize("name", sorted(HEADERS.keys() - {"Authorization", "User-Agent"}))
def test_v1_wants_all_its_headers(server: PostHogServer, name: str) -> None:
    status, told, _ = post(server, V1, v1_body(v1_event()), {name: None})
    assert (status, told["error"]) == (400, "missing_required_headers")


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({"Authorization": None}, 401, "missing_authorization"),
        ({"Authorization": "Bearer phx_personal"}, 401, "invalid_api_token"),
        ({"Authorization": f"Bearer {'x' * 65}"}, 401, "invalid_api_token"),
        ({"Authorization": "Basic phc_test"}, 400, "invalid_header_value"),
        ({"PostHog-Attempt": "0"}, 400, "invalid_header_value"),
        ({"PostHog-Attempt": "one"}, 400, "invalid_header_value"),
        ({"PostHog-Request-Id": "17"}, 400, "invalid_header_value"),
        ({"PostHog-Request-Timestamp": "now"}, 400, "invalid_header_value"),
        ({"Content-Type": "text/plain"}, 415, "unsupported_content_type"),
        ({"Content-Encoding": "lz4"}, 415, "unsupported_encoding"),
        ({"Content-Encoding": "gzip"}, 400, "request_decoding_error"),
    ],
)
def test_v1_refuses_headers(server: PostHogServer, headers: dict[str, str | None], status: int, error: str) -> None:
    assert post(server, V1, v1_body(v1_event()), headers)[:2][0] == status
    told = post(server, V1, v1_body(v1_event()), headers)[1]
    assert told["error"] == error
    assert told.keys() == {"error", "error_description", "error_uri"}
    assert server.accepted == []


SAME = str(uuid.uuid4())


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "empty_body"),
        (b"[]", "request_parsing_error"),
        (b"{", "request_parsing_error"),
        (v1_body(), "empty_batch"),
        (v1_body(v1_event(), created_at="today"), "invalid_batch"),
        (v1_body(v1_event(), historical_migration="yes"), "request_parsing_error"),
        (v1_body(v1_event(uuid="")), "missing_event_uuid"),
        (v1_body(v1_event(uuid="17")), "invalid_event_uuid"),
        (v1_body(v1_event(uuid=SAME), v1_event(uuid=SAME.upper())), "duplicate_event_uuid"),
        (v1_body(v1_event(timestamp=None)), "request_parsing_error"),
        (v1_body(v1_event()).replace(b'"options"', b'"event": "twice", "options"'), "request_parsing_error"),
        (v1_body(v1_event()).replace(b'"gpt-4o"', b"NaN"), "request_parsing_error"),
    ],
)
def test_one_bad_event_fails_a_v1_request_as_a_whole(server: PostHogServer, body: bytes, error: str) -> None:
    status, told, _ = post(server, V1, body)
    assert (status, told["error"]) == (400, error)
    assert server.accepted == []


@pytest.mark.parametrize(
    ("changes", "result", "details"),
    [
        ({}, "ok", None),
        ({"event": ""}, "drop", "missing_event_name"),
        ({"event": "x" * 201}, "drop", "event_name_too_long"),
        ({"event": "signed up"}, "drop", "misrouted_event"),
        ({"distinct_id": " "}, "drop", "missing_distinct_id"),
        ({"distinct_id": "x" * 201}, "drop", "distinct_id_too_large"),
        ({"distinct_id": "Anonymous"}, "warning", "person_processing_disabled"),
        ({"timestamp": "2026-11-20T10:00:00"}, "drop", "invalid_event_timestamp"),
        ({"properties": []}, "drop", "malformed_event_properties"),
        ({"options": {"disable_skew_correction": "perhaps"}}, "drop", "invalid_options"),
        ({"properties": {"text": "x" * 3000}}, "drop", "ai_event_too_big"),
    ],
)
def test_v1_judges_each_event(changes: dict[str, Any], result: str, details: str | None) -> None:
    odd, fine = v1_event(**changes), v1_event()
    with PostHogServer(limits=Limits(ai_event=2000)) as server:
        status, told, _ = post(server, V1, v1_body(odd, fine))
        assert status == 200
        assert told["results"][fine["uuid"]] == {"result": "ok"}
        assert told["results"][odd["uuid"]] == {"result": result, **({"details": details} if details else {})}
        assert (odd["uuid"] in server.copies) == (result != "drop")


def test_v1_asks_for_patience_where_an_event_is_to_be_sent_again(server: PostHogServer) -> None:
    event = v1_event()
    server.judge(event["uuid"], ("retry", "not_persisted"))
    assert post(server, V1, v1_body(event))[2] == "1"
    assert server.accepted == []
    assert post(server, V1, v1_body(event))[2] is None
    assert server.copies == {event["uuid"]: 1}


def test_v1_corrects_the_clock_unless_told_not_to(server: PostHogServer) -> None:
    straight = v1_event(timestamp="2026-11-20T10:00:00Z", options={"disable_skew_correction": True})
    corrected = v1_event(timestamp="2026-11-20T10:00:00Z")
    post(server, V1, v1_body(straight, corrected))
    assert server.accepted[0].timestamp == "2026-11-20T10:00:00Z"
    assert server.accepted[1].timestamp > "2026-11-20T10:00:00Z"


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)]
)
def test_v1_reads_three_encodings(server: PostHogServer, encoding: str, encode: Any) -> None:
    event = v1_event()
    assert post(server, V1, encode(v1_body(event)), {"Content-Encoding": encoding})[0] == 200
    assert server.copies == {event["uuid"]: 1}


@pytest.mark.parametrize("limits", [Limits(v1_wire=500), Limits(v1_decompressed=500)])
def test_v1_refuses_large_bodies_before_and_after_inflating_them(limits: Limits) -> None:
    with PostHogServer(limits=limits) as server:
        body = gzip.compress(v1_body(*(v1_event() for _ in range(20))))
        assert post(server, V1, body, {"Content-Encoding": "gzip"})[0] == 413
        assert server.accepted == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/batch/", v0_body(make_event()), 200),
        ("/batch", v0_body(make_event()), 200),
        ("/i/v0/ai/batch/", v0_body(make_event()), 200),
        ("/i/v0/ai/batch/", v0_body(make_event(), make_event("signed up")), 400),
        ("/batch/", v0_body(make_event(), make_event("signed up")), 200),
        ("/batch/", v0_body(), 400),
        ("/batch/", b"{", 400),
        ("/batch/", v0_body(make_event(), api_key=None), 401),
        ("/batch/", v0_body(make_event(), api_key="phx_personal"), 401),
        ("/batch/", v0_body({**make_event(), "uuid": "17"}), 400),
        ("/batch/", v0_body({**make_event(), "uuid": ""}), 200),
        ("/batch/", v0_body({**make_event(), "distinct_id": None}), 400),
        ("/batch/", v0_body(make_event(), {**make_event(), "event": ""}), 400),
        ("/batch/", v0_body(make_event(text="x" * 1_000_000)), 413),
        ("/i/v0/ai/batch/", v0_body(make_event(text="x" * 1_000_000)), 200),
        ("/i/v0/ai/batch/", v0_body(make_event(text="x" * (8 << 20))), 413),
        ("/nowhere/", v0_body(make_event()), 404),
    ],
)
def test_v0_takes_or_refuses_requests_as_a_whole(server: PostHogServer, path: str, body: bytes, status: int) -> None:
    assert post(server, path, body)[0] == status
    assert bool(server.accepted) == (status == 200)


def test_v0_finds_gzip_by_its_first_bytes_and_knows_no_zstd(server: PostHogServer) -> None:
    assert post(server, "/batch/", gzip.compress(v0_body(make_event())))[0] == 200
    assert post(server, "/batch/", zstd.compress(v0_body(make_event())), {"Content-Encoding": "zstd"})[0] == 400


def test_v0_shifts_the_time_by_sent_at_and_cuts_long_people(server: PostHogServer) -> None:
    event = {**make_event(), "timestamp": "2026-11-20T10:00:00Z", "distinct_id": "x" * 300}
    post(server, "/batch/", v0_body(event))
    post(server, "/batch/", v0_body(event, sent_at="2026-11-20T10:00:00Z"))
    straight, shifted = server.accepted
    assert straight.timestamp == "2026-11-20T10:00:00Z"
    assert shifted.timestamp > straight.timestamp
    assert straight.distinct_id == "x" * 200


def otlp(spans: int, name: str = "chat", key: str = "gen_ai.operation.name") -> bytes:
    span = {
        "traceId": "0123456789abcdef0123456789abcdef",
        "name": name,
        "startTimeUnixNano": "1763632800000000000",
        "endTimeUnixNano": "1763632801000000000",
        "attributes": [{"key": key, "value": {"stringValue": "chat"}}],
    }
    made = [{**span, "spanId": f"{number + 1:016x}"} for number in range(spans)]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": made}]}]}).encode()


@pytest.mark.parametrize(
    ("body", "status", "accepted"),
    [
        (otlp(100), 200, 100),
        (otlp(101), 400, 0),
        (otlp(1000, key="http.route"), 200, 0),
        (otlp(1001, key="http.route"), 400, 0),
        (b"", 400, 0),
        (b"{", 400, 0),
        (otlp(1, name="x" * (5 << 20)), 413, 0),
    ],
)
def test_the_otlp_door_has_caps(server: PostHogServer, body: bytes, status: int, accepted: int) -> None:
    assert post(server, "/i/v0/ai/otel", body)[0] == status
    assert len(server.accepted) == accepted


def test_the_otlp_door_reads_protobuf(server: PostHogServer) -> None:
    body = spanmap.samples.read("fastapi-openai.pb")
    content = {"Content-Type": "application/x-protobuf"}
    assert post(server, "/i/v0/ai/otel", gzip.compress(body), {**content, "Content-Encoding": "gzip"})[0] == 200
    assert len(server.accepted) == len(spanmap.map_traces(body, compat="posthog"))
    assert post(server, "/i/v0/ai/otel", body, {**content, "Authorization": None})[0] == 401
    assert post(server, "/i/v0/ai/otel", body, {**content, "Content-Encoding": "zstd"})[0] == 400
    assert post(server, "/i/v0/ai/otel", body, {"Content-Type": "text/plain"})[0] == 400
