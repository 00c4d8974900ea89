"""`destination="otlp"`: spans reach PostHog's OTLP endpoint in requests that it takes, and are not lost on the way."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

import sdk
from posthog_server import Limits, PostHogServer, answer, hang, reset
from spanmap.client import RetryPolicy
from spanmap.otel import PostHogSpanProcessor, PostHogTraceExporter
from spanmap.otel.forwarding import MAX_BODY_BYTES, MAX_SPANS, PATH, Forwarding

QUICK = RetryPolicy(first_seconds=0.01, max_seconds=0.02, frozen_seconds=0.02)


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


def make_forwarding(server: PostHogServer, **options: Any) -> Forwarding:
    chosen: dict[str, Any] = {"prefixes": None, "max_queue_bytes": 64 << 20, "on_error": None, "retry": QUICK}
    return Forwarding("phc_test", host=server.url, **(chosen | options))


def chats(count: int, **attributes: Any) -> list[ReadableSpan]:
    return [sdk.one_span("chat", gen_ai__operation__name="chat", **attributes) for _ in range(count)]


def deliver(forwarding: Forwarding, spans: list[ReadableSpan]) -> bool:
    return forwarding.deliver(spans, (), lambda: False)


def test_512_generations_arrive_once_in_requests_of_at_most_100(server: PostHogServer) -> None:
    processor = PostHogSpanProcessor("phc_test", server.url, destination="otlp")
    for span in chats(512):
        processor.on_end(span)
        processor.on_end(sdk.one_span("GET /"))
    assert processor.force_flush()
    processor.shutdown()
    assert (len(server.copies), set(server.copies.values())) == (512, {1})
    assert set(server.paths) == {PATH}
    assert all(len(spans_in(seen)) <= MAX_SPANS for seen in server.requests)
    assert processor.counters["forwarded"] == 512


def spans_in(seen: Any) -> list[Any]:
    message = ExportTraceServiceRequest.FromString(gzip.decompress(seen.body))
    return [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]


def test_spans_travel_as_they_are(server: PostHogServer) -> None:
    (span,) = chats(1, note="as it is")
    exporter = PostHogTraceExporter("phc_test", server.url, destination="otlp")
    exporter.export([span])
    exporter.shutdown()
    (seen,) = server.requests
    assert gzip.decompress(seen.body) == sdk.encoded([span])
    assert seen.headers["authorization"] == "Bearer phc_test"


def test_requests_stay_below_4_mib(server: PostHogServer) -> None:
    forwarding = make_forwarding(server)
    assert deliver(forwarding, chats(20, note="x" * 500_000))
    assert forwarding.flush(10)
    assert len(server.copies) == 20
    assert all(len(gzip.decompress(seen.body)) <= MAX_BODY_BYTES for seen in server.requests)


def test_a_span_that_is_too_large_is_counted_and_its_siblings_travel(server: PostHogServer) -> None:
    forwarding = make_forwarding(server)
    assert not deliver(forwarding, [*chats(3), *chats(1, note="x" * MAX_BODY_BYTES), *chats(2)])
    assert forwarding.flush(10)
    assert len(server.copies) == 5
    assert forwarding.counters["not_forwarded"] == {"too_large": 1}


@pytest.mark.parametrize("failure", [answer(429), answer(500), answer(503), answer(408), reset()])
def test_what_may_work_later_is_tried_again(server: PostHogServer, failure: Any) -> None:
    server.script.extend([failure] * 3)
    forwarding = make_forwarding(server)
    deliver(forwarding, chats(5))
    assert forwarding.flush(10)
    assert len(server.requests) == 4
    assert set(server.copies.values()) == {1}
    assert forwarding.counters["pending_bytes"] == 0


@pytest.mark.parametrize("status", [401, 404, 302])
def test_what_only_a_human_can_change_keeps_the_spans_and_is_told(
    server: PostHogServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.script.extend([answer(status)] * 2)
    told: list[Any] = []
    forwarding = make_forwarding(server, on_error=told.append)
    deliver(forwarding, chats(5))
    assert forwarding.flush(10)
    assert len(server.copies) == 5
    assert [error.lost for error in told] == [False, False]
    assert "phc_test" not in caplog.text.replace("phc_test...", "")


def test_one_span_that_posthog_refuses_does_not_cost_the_others() -> None:
    with PostHogServer(limits=Limits(otel_body=20_000)) as server:
        forwarding = make_forwarding(server)
        deliver(forwarding, [*chats(7), *chats(1, note="x" * 30_000), *chats(7)])
        assert forwarding.flush(10)
        assert len(server.copies) == 14
        assert forwarding.counters["not_forwarded"] == {"http_413": 1}


def test_a_full_queue_is_counted(server: PostHogServer) -> None:
    server.always = hang()
    forwarding = make_forwarding(server, max_queue_bytes=20_000)
    assert deliver(forwarding, chats(1, note="x" * 15_000))
    assert not deliver(forwarding, chats(3, note="x" * 15_000))
    assert forwarding.counters["not_forwarded"] == {"queue_full": 3}
    assert not forwarding.flush(0.05)
    forwarding.shutdown(0.05)
    assert forwarding.counters["not_forwarded"] == {"queue_full": 3, "shutdown": 1}


def test_after_shutdown_nothing_is_taken(server: PostHogServer) -> None:
    forwarding = make_forwarding(server)
    assert forwarding.shutdown(1)
    assert not deliver(forwarding, chats(1))


def test_only_what_posthog_keeps_is_forwarded(server: PostHogServer) -> None:
    forwarding = make_forwarding(server)
    # The server looks at keys alone, so a span with an AI library's name would be sent in vain.
    assert not forwarding.keeps(ReadableSpan("gen_ai.chat"))
    assert forwarding.keeps(ReadableSpan("x", attributes={"gen_ai.system": "openai"}))
    chosen = make_forwarding(server, prefixes=["mine."])
    assert chosen.keeps(ReadableSpan("x", attributes={"mine.key": 1}))


MISSING = """
import sys
sys.modules["opentelemetry.exporter"] = None
from spanmap.otel import PostHogSpanProcessor
PostHogSpanProcessor("phc_test", destination="otlp")
"""


def test_the_missing_extra_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=False)
    assert "pip install 'spanmap[otlp]'" in done.stderr


FORKING = """
import os, sys
from opentelemetry.sdk.trace import TracerProvider
from spanmap.otel import PostHogSpanProcessor
provider = TracerProvider()
provider.add_span_processor(PostHogSpanProcessor("phc_test", sys.argv[1], destination="otlp"))
def chat():
    with provider.get_tracer("t").start_as_current_span("c", attributes={"gen_ai.operation.name": "chat"}):
        pass
chat()
child = os.fork()
chat()
provider.force_flush()
if child == 0:
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""


def test_after_a_fork_both_processes_forward_their_own(server: PostHogServer) -> None:
    # From Python 3.12 on it warns of every fork beside a thread, which is what is tested here.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (len(server.copies), set(server.copies.values())) == (3, {1})


def test_counters_can_be_written_as_json(server: PostHogServer) -> None:
    processor = PostHogSpanProcessor("phc_test", server.url, destination="otlp")
    assert json.loads(json.dumps(processor.counters)) == processor.counters
    processor.shutdown()
