"""The span processor and the exporter, from a real tracer to a PostHog on loopback."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled, is_instrumentation_enabled
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanContext, Tracer

import sdk
from posthog_server import Accepted, PostHogServer, answer, hang
from spanmap.client import RetryPolicy
from spanmap.otel import PostHogSpanProcessor, PostHogTraceExporter, is_ai_span

Json = Any

CHAT: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m1"}
NOISE = {"http.request.method": "GET"}
# Far longer than a test: what arrives sooner came by a flush, or because its trace was complete.
NEVER = 3_600_000


@pytest.fixture
def server() -> Iterator[PostHogServer]:
    with PostHogServer() as running:
        yield running


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OTEL_", "POSTHOG_"))]:
        monkeypatch.delenv(name)


class App:
    """An application with one processor."""

    def __init__(self, server: PostHogServer, **options: Any) -> None:
        self.processor = PostHogSpanProcessor("phc_test", server.url, **options)
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self.processor)
        self.tracer: Tracer = self.provider.get_tracer("app")

    def chat(self, span_name: str = "chat m1", /, **attributes: Any) -> None:
        with self.tracer.start_as_current_span(span_name, attributes=CHAT | attributes):
            pass


@pytest.fixture
def app(server: PostHogServer) -> Iterator[App]:
    made = App(server, schedule_delay_millis=NEVER)
    yield made
    made.provider.shutdown()


def by_name(server: PostHogServer) -> dict[str, Accepted]:
    found = {event.properties["$ai_span_name"]: event for event in server.accepted}
    assert len(found) == len(server.accepted)
    return found


def wait_until(condition: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


# What arrives


def test_ai_spans_arrive_as_events_and_others_do_not(app: App, server: PostHogServer) -> None:
    tokens: Json = {"gen_ai.usage.input_tokens": 7}
    app.chat(**tokens)
    with app.tracer.start_as_current_span("GET /", attributes=NOISE):
        pass
    assert app.processor.force_flush()
    (event,) = server.accepted
    assert (event.event, event.properties["$ai_input_tokens"]) == ("$ai_generation", 7)
    assert set(server.paths) == {"/i/v1/ai/events"}
    counters = app.processor.counters
    assert (counters["received"], counters["noise"], counters["delivered"], counters["events"]) == (1, 1, 1, 1)


def test_512_generations_in_one_burst_arrive_exactly_once(app: App, server: PostHogServer) -> None:
    def chat() -> None:
        for _ in range(64):
            app.chat()

    threads = [threading.Thread(target=chat) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert app.processor.force_flush()
    assert (len(server.copies), set(server.copies.values())) == (512, {1})
    assert app.processor.counters["dropped"] == {}


def test_complete_traces_travel_without_a_flush(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=20)
    app.chat()
    wait_until(lambda: server.accepted)
    app.provider.shutdown()


def test_a_wrapper_and_the_call_inside_it_count_once(app: App, server: PostHogServer) -> None:
    tokens: Json = {"gen_ai.usage.input_tokens": 7}
    with app.tracer.start_as_current_span("wrapper", attributes=CHAT | tokens):
        app.chat("inner", **tokens)
    assert app.processor.force_flush()
    assert len(by_name(server)) == 2
    assert [event.event for event in server.accepted].count("$ai_generation") == 1
    assert sum("$ai_input_tokens" in event.properties for event in server.accepted) == 1


def test_noise_between_ai_spans_does_not_break_the_tree(app: App, server: PostHogServer) -> None:
    agent_operation = {"gen_ai.operation.name": "invoke_agent"}
    with (
        app.tracer.start_as_current_span("POST /ask", attributes=NOISE | {"user.id": "u1"}),
        app.tracer.start_as_current_span("invoke_agent", attributes=agent_operation),
    ):
        with app.tracer.start_as_current_span("retry", attributes=NOISE):
            app.chat("first")
        app.chat("second")
    assert app.processor.force_flush()
    events = by_name(server)
    agent = events["invoke_agent"].properties["$ai_span_id"]
    assert {name: event.properties.get("$ai_parent_id") for name, event in events.items()} == {
        "first": agent,
        "second": agent,
        "invoke_agent": None,
    }
    assert {event.distinct_id for event in server.accepted} == {"u1"}


def test_the_tree_holds_when_a_long_trace_travels_in_pieces(app: App, server: PostHogServer) -> None:
    with app.tracer.start_as_current_span("POST /ask", attributes=NOISE | {"user.id": "u1"}) as root:
        with app.tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}) as agent:
            with app.tracer.start_as_current_span("loop", attributes=NOISE):
                app.chat("first")
                assert app.processor.force_flush()
                app.chat("second")
            assert app.processor.force_flush()
            app.chat("third")
        assert app.processor.force_flush()
    assert app.processor.force_flush()
    parents = {event.properties["$ai_span_name"]: event.properties.get("$ai_parent_id") for event in server.accepted}
    above, top = (f"{span.get_span_context().span_id:016x}" for span in (agent, root))
    assert parents == {"first": above, "second": above, "third": above, "agent": top, "POST /ask": None}
    assert {event.distinct_id for event in server.accepted} == {"u1"}
    assert set(server.copies.values()) == {1}


def test_spans_of_an_open_trace_wait_one_delay_and_no_longer(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=50)
    with app.tracer.start_as_current_span("POST /ask", attributes=NOISE):
        app.chat("inner")
        wait_until(lambda: server.accepted)
    app.provider.shutdown()


def test_abandoned_spans_hold_nothing_back(app: App, server: PostHogServer) -> None:
    span = app.tracer.start_span("abandoned", attributes=CHAT)
    app.chat()
    del span
    gc.collect()
    assert app.processor.force_flush()
    assert len(server.accepted) == 1


def test_options_reach_the_mapper(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=NEVER, prefixes=["http."], compat="posthog")
    app.chat()
    with app.tracer.start_as_current_span("GET /", attributes=NOISE):
        pass
    app.provider.shutdown()
    (event,) = server.accepted
    assert (event.event, event.properties["$ai_ingestion_source"]) == ("$ai_trace", "otel")


def test_before_send_changes_and_drops_events(server: PostHogServer) -> None:
    def before_send(event: Json) -> Json:
        if event["properties"]["$ai_span_name"] == "secret":
            return None
        return event | {"properties": event["properties"] | {"stamped": True}}

    app = App(server, schedule_delay_millis=NEVER, before_send=before_send)
    app.chat("secret")
    app.chat("open")
    app.provider.shutdown()
    (event,) = server.accepted
    assert (event.properties["$ai_span_name"], event.properties["stamped"]) == ("open", True)
    assert app.processor.counters["delivery"]["dropped"] == {"before_send": 1}


CONTENT = {"gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"my secret"}]}]'}


def test_privacy_mode_keeps_content_here(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=NEVER, privacy_mode=True)
    app.chat(**CONTENT)
    app.provider.shutdown()
    assert len(server.accepted) == 1
    assert "my secret" not in str(server.accepted)


def test_the_privacy_mode_of_posthogs_own_client_holds(server: PostHogServer) -> None:
    class PostHogClient:
        privacy_mode = True

    app = App(server, schedule_delay_millis=NEVER, client=PostHogClient())
    app.chat(**CONTENT)
    app.processor.force_flush()
    PostHogClient.privacy_mode = False
    app.chat(**CONTENT)
    app.provider.shutdown()
    assert ["my secret" in str(event) for event in server.accepted] == [False, True]


# What does not arrive, and why


class RecordOnly(Sampler):
    def should_sample(
        self, parent_context: Any, trace_id: Any, name: Any, kind: Any = None, attributes: Any = None, *_others: Any
    ) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY, attributes)

    def get_description(self) -> str:
        return "records, samples nothing"


def test_spans_that_are_not_sampled_are_not_sent(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=NEVER)
    for sampler, dropped in ((ALWAYS_OFF, {}), (RecordOnly(), {"unsampled": 1})):
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(app.processor)
        with provider.get_tracer("t").start_as_current_span("chat", attributes=CHAT):
            pass
        assert app.processor.counters["dropped"] == dropped
    app.provider.shutdown()
    assert server.accepted == []


def test_a_span_that_is_not_sampled_does_not_stay_open(app: App) -> None:
    provider = TracerProvider(sampler=RecordOnly(), shutdown_on_exit=False)
    provider.add_span_processor(app.processor)
    # Held, so that it does not leave by itself.
    held = provider.get_tracer("t").start_span("chat", attributes=CHAT)
    held.end()
    worker = app.processor._worker
    assert worker is not None
    assert not worker._open


def test_a_full_queue_drops_new_spans_and_counts_them(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=NEVER, max_queue_size=4, max_export_batch_size=4)
    held = [app.tracer.start_span("open", attributes=CHAT)]
    # The lock keeps the worker from taking any of them meanwhile.
    worker = app.processor._worker
    assert worker is not None
    with worker._lock:
        for _ in range(6):
            app.chat()
    held[0].end()
    app.provider.shutdown()
    counters = app.processor.counters
    assert counters["received"] == 7
    assert counters["delivered"] + counters["dropped"]["queue_full"] == 7
    assert counters["dropped"]["queue_full"] >= 2
    assert len(server.accepted) == counters["delivered"]


def test_noise_cannot_push_ai_spans_out(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=NEVER, max_queue_size=16, max_export_batch_size=16)
    with app.tracer.start_as_current_span("job", attributes=NOISE):
        for _ in range(8):
            for _ in range(50):
                with app.tracer.start_as_current_span("GET /", attributes=NOISE):
                    pass
            app.chat()
    app.provider.shutdown()
    chats = [event for event in server.accepted if event.event == "$ai_generation"]
    assert (len(chats), app.processor.counters["dropped"]) == (8, {})


def test_spans_that_end_after_shutdown_are_counted(app: App, server: PostHogServer) -> None:
    app.processor.shutdown()
    app.chat()
    app.processor.shutdown()
    assert app.processor.counters["dropped"] == {"after_shutdown": 1}
    assert app.processor.force_flush()
    assert server.accepted == []


def test_more_than_the_client_may_hold_arrives_all_the_same(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=NEVER, max_queue_bytes=300_000)
    for number in range(32):
        app.chat(f"chat {number}", note="x" * 50_000)
    app.provider.shutdown()
    assert len(by_name(server)) == 32
    assert app.processor.counters["delivery"]["dropped"] == {}


def test_events_that_fit_one_by_one_arrive_even_if_not_together(server: PostHogServer) -> None:
    app = App(server, schedule_delay_millis=NEVER, max_queue_bytes=8_000)
    for number in range(64):
        app.chat(f"chat {number}")
    assert app.processor.force_flush()
    assert len(by_name(server)) == 64
    assert app.processor.counters["delivery"]["dropped"] == {}
    app.provider.shutdown()


def test_a_full_client_does_not_ask_a_server_in_trouble_more_often(server: PostHogServer) -> None:
    server.always = answer(503)
    patient = RetryPolicy(first_seconds=60, max_seconds=60, random=lambda: 1.0)
    app = App(server, schedule_delay_millis=20, max_queue_bytes=20_000, client_options={"retry": patient})
    for _ in range(64):
        app.chat()
    wait_until(lambda: server.requests)
    time.sleep(1)
    assert len(server.requests) == 1
    server.always = None
    # Whoever flushes does not wait for the client's patience to end.
    assert app.processor.force_flush(10_000)
    assert len(server.copies) == 64
    app.provider.shutdown()


def test_one_bad_span_does_not_cost_the_others(app: App, server: PostHogServer) -> None:
    app.processor.on_end(ReadableSpan("gen_ai.bad", SpanContext(1, 2, is_remote=False, trace_flags=1), start_time=-1))  # type: ignore[arg-type]
    app.chat()
    assert app.processor.force_flush()
    assert len(server.accepted) == 1
    assert app.processor.counters["not_mapped"] == {"unreadable": 1}


def test_nothing_raises_into_the_application(app: App) -> None:
    app.processor.on_start(None)  # type: ignore[arg-type]
    app.processor.on_end(None)  # type: ignore[arg-type]
    assert app.processor.counters["dropped"] == {"unreadable": 1}


def test_flush_and_shutdown_end_at_their_deadline_when_posthog_hangs(server: PostHogServer) -> None:
    server.script.extend([hang()] * 20)
    app = App(server, schedule_delay_millis=NEVER, export_timeout_millis=300)
    app.chat()
    begin = time.monotonic()
    assert not app.processor.force_flush(200)
    app.provider.shutdown()
    # Ten times what was allowed: the bound is in the code, and this machine may be slow.
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("variable", ["OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"])
@pytest.mark.parametrize("value", ["9" * 19, "9" * 5000])
def test_times_without_an_end_break_nothing(
    server: PostHogServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    app = App(server)
    app.chat()
    assert app.processor.force_flush(10**30)
    assert len(server.accepted) == 1
    app.provider.shutdown()


def test_a_flush_does_not_wait_for_a_thread_that_is_about_to_end(app: App) -> None:
    app.chat()
    assert app.processor.force_flush()
    worker = app.processor._worker
    assert worker is not None
    thread = worker._thread
    assert thread is not None
    worker._is_closed = True
    worker._wake.set()
    thread.join(10)
    # As a thread looks that has decided to end, and has not yet done so.
    thread.is_alive = lambda: True  # type: ignore[method-assign]
    assert worker._flush(time.monotonic() + 5)


def test_an_outage_loses_nothing_that_fits_the_queue(server: PostHogServer) -> None:
    server.script.extend([answer(503)] * 3)
    app = App(server, schedule_delay_millis=NEVER, client_options={"retry": spanmap_retry()})
    for _ in range(20):
        app.chat()
    assert app.processor.force_flush()
    assert set(server.copies.values()) == {1}
    assert len(server.copies) == 20
    app.provider.shutdown()


def spanmap_retry() -> Any:
    from spanmap.client import RetryPolicy  # noqa: PLC0415

    return RetryPolicy(first_seconds=0.01, max_seconds=0.02)


# Configuration


def test_a_blank_token_disables_everything_with_one_warning(
    server: PostHogServer, caplog: pytest.LogCaptureFixture
) -> None:
    processor = PostHogSpanProcessor("  ", server.url)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    with provider.get_tracer("t").start_as_current_span("chat", attributes=CHAT):
        pass
    assert processor.force_flush()
    provider.shutdown()
    assert processor.counters == {}
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    exporter = PostHogTraceExporter("")
    assert exporter.export([sdk.one_span(gen_ai__system="x")]) is SpanExportResult.SUCCESS


def test_the_environment_is_honoured(server: PostHogServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_env")
    monkeypatch.setenv("POSTHOG_HOST", server.url + "/")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "3")
    monkeypatch.setenv("OTEL_BSP_EXPORT_TIMEOUT", "1000")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "many")
    processor = PostHogSpanProcessor()
    queueing = processor._queueing
    assert (queueing.max_queue_size, queueing.max_export_batch_size) == (3, 3)
    assert (queueing.schedule_delay_seconds, queueing.export_timeout_seconds) == (0.02, 1.0)
    processor.on_end(sdk.one_span(gen_ai__system="x"))
    wait_until(lambda: server.accepted)
    processor.shutdown()
    assert server.requests[0].headers["authorization"] == "Bearer phc_env"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"api_key": "phx_personal"}, "personal API key"),
        ({"api_key": "phc_a", "project_token": "phc_b"}, "two names of one thing"),
        ({"api_key": "phc_a", "host": "ftp://x"}, "https"),
        ({"api_key": "phc_a", "max_queue_size": 0}, "max_queue_size is 0"),
        ({"api_key": "phc_a", "destination": "kafka"}, "destination is 'kafka'"),
        ({"api_key": "phc_a", "destination": "otlp", "privacy_mode": True}, "privacy_mode has no effect"),
        ({"api_key": "phc_a", "destination": "otlp", "before_send": print}, "before_send has no effect"),
        ({"api_key": "phc_a", "compat": "worst"}, "compat"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(options: Json, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PostHogSpanProcessor(**options)


def test_project_token_is_another_name_of_api_key(server: PostHogServer) -> None:
    processor = PostHogSpanProcessor(host=server.url, project_token="phc_js")  # noqa: S106
    processor.on_end(sdk.one_span(gen_ai__system="x"))
    processor.shutdown()
    assert server.requests[0].headers["authorization"] == "Bearer phc_js"


def test_a_call_through_posthogs_gateway_is_warned_of_once(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        app.chat(**{"server.address": "gateway.us.posthog.com"})
        app.chat(**{"url.full": "https://ai-gateway.eu.posthog.com/v1/chat"})
        app.chat(**{"server.address": "us.i.posthog.com.example.org", "url.full": "https://[bad"})
        app.processor.force_flush()
    assert [record.message for record in caplog.records if "gateway" in record.message] == [caplog.records[0].message]


# Filter


@pytest.mark.parametrize("prefix", ["gen_ai.", "llm.", "ai.", "traceloop."])
def test_a_span_is_about_ai_by_its_name_or_by_a_key(prefix: str) -> None:
    assert is_ai_span(ReadableSpan(f"{prefix}call"))
    assert is_ai_span(ReadableSpan("GET /", attributes={f"{prefix}x": 1}))
    assert not is_ai_span(ReadableSpan(f"x.{prefix}call", attributes={f"x.{prefix}": 1}))


def test_a_span_is_about_ai_by_its_scope() -> None:
    provider, collected = sdk.tracing()
    for scope in ("openinference.instrumentation.openai", "opentelemetry.instrumentation.fastapi"):
        provider.get_tracer(scope).start_span("work").end()
    assert [is_ai_span(span) for span in collected.spans] == [True, False]


def test_spans_without_attributes_are_not_about_ai() -> None:
    assert not is_ai_span(ReadableSpan("GET /", attributes=None))
    assert not is_ai_span(ReadableSpan("GET /", attributes={}))


# Exporter


def test_the_exporter_sends_the_ai_spans_of_a_batch(server: PostHogServer) -> None:
    exporter = PostHogTraceExporter("phc_test", server.url)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("GET /", attributes=NOISE), tracer.start_as_current_span("chat", attributes=CHAT):
        pass
    provider.force_flush()
    assert exporter.force_flush(10_000)
    assert [event.event for event in server.accepted] == ["$ai_generation"]
    assert exporter.counters["not_mapped"] == {"no_ai_prefix": 1}
    provider.shutdown()


def test_batches_without_ai_spans_are_a_success_and_send_nothing(server: PostHogServer) -> None:
    exporter = PostHogTraceExporter("phc_test", server.url)
    assert exporter.export([]) is SpanExportResult.SUCCESS
    assert exporter.export([sdk.one_span("GET /")]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    exporter.shutdown()
    assert exporter.export([sdk.one_span(gen_ai__system="x")]) is SpanExportResult.FAILURE
    assert server.requests == []


def test_the_exporters_flush_takes_what_posthogs_own_takes(server: PostHogServer) -> None:
    exporter = PostHogTraceExporter("phc_test", server.url)
    exporter.export([sdk.one_span(**CHAT)])
    assert exporter.force_flush(None)
    assert exporter.force_flush(10**30)
    assert len(server.accepted) == 1
    exporter.shutdown()


def test_the_exporter_says_when_there_is_no_room(server: PostHogServer) -> None:
    exporter = PostHogTraceExporter("phc_test", server.url, max_queue_bytes=4_000)
    spans = [sdk.one_span(gen_ai__system="x", note="x" * 1_000) for _ in range(10)]
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert exporter.counters["delivery"]["dropped"]["queue_full"] > 0
    exporter.shutdown()


def test_the_exporter_does_not_block_a_simple_span_processor(server: PostHogServer) -> None:
    server.script.append(hang())
    exporter = PostHogTraceExporter("phc_test", server.url)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for _ in range(3):
        with provider.get_tracer("t").start_as_current_span("chat", attributes=CHAT):
            pass
    exporter.shutdown(timeout_millis=50)


# Threads, processes, loops


def test_our_own_requests_are_not_traced(server: PostHogServer) -> None:
    seen: list[Any] = []

    def before_send(event: Json) -> Json:
        seen.append((is_instrumentation_enabled(), is_http_instrumentation_enabled()))
        seen.append(otel_context.get_current().get("of the application"))
        return event

    app = App(server, schedule_delay_millis=NEVER, before_send=before_send)
    token = otel_context.attach(otel_context.set_value("of the application", True))
    app.chat()
    app.processor.force_flush()
    otel_context.detach(token)
    app.provider.shutdown()
    # The client's thread, which speaks with PostHog, is where `before_send` runs.
    assert seen == [(False, False), None]


def test_an_asyncio_application_is_not_held_up_by_a_posthog_that_hangs(server: PostHogServer) -> None:
    server.script.append(hang())
    app = App(server, schedule_delay_millis=NEVER, client_options={"timeout_seconds": 0.5})

    async def work(number: int) -> None:
        with app.tracer.start_as_current_span(f"chat {number}", attributes=CHAT | CONTENT):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(work(number) for number in range(200)))

    asyncio.run(main())
    assert app.processor.counters["received"] == 200
    app.provider.shutdown()
    assert len(by_name(server)) == 200


FORKING = """
import os, sys
from opentelemetry.sdk.trace import TracerProvider
from spanmap.otel import PostHogSpanProcessor
processor = PostHogSpanProcessor("phc_test", sys.argv[1], schedule_delay_millis=3600000)
provider = TracerProvider()
provider.add_span_processor(processor)
tracer = provider.get_tracer("t")
def chat(name):
    with tracer.start_as_current_span(name, attributes={"gen_ai.operation.name": "chat"}):
        pass
chat("before the fork")
provider.force_flush()
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        chat(f"child {number}")
        provider.force_flush()
        counters = processor.counters
        os._exit((counters["received"], counters["events"], counters["delivery"]["delivered"]) != (1, 1, 1))
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
chat("parent")
sys.exit(any(codes))
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # From Python 3.12 on it warns of every fork beside a thread, which is what is tested here.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_after_a_fork_parent_and_children_send_their_own_spans_once(server: PostHogServer) -> None:
    done = run_python(FORKING, server.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(by_name(server)) == ["before the fork", "child 0", "child 1", "child 2", "parent"]


EXITING = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from spanmap.otel import PostHogSpanProcessor
provider = TracerProvider(shutdown_on_exit=sys.argv[2] == "provider")
provider.add_span_processor(PostHogSpanProcessor("phc_test", sys.argv[1], schedule_delay_millis=3600000))
with provider.get_tracer("t").start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
    pass
"""


@pytest.mark.parametrize("who", ["provider", "processor"])
def test_what_is_queued_at_exit_arrives(server: PostHogServer, who: str) -> None:
    done = run_python(EXITING, server.url, who)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.accepted) == 1


def test_the_module_says_which_package_is_missing(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry.py").write_text("", "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import spanmap.otel"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip install 'spanmap[otel]'" in done.stderr


def test_the_core_package_does_not_need_opentelemetry() -> None:
    done = run_python("import sys, spanmap; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))")
    assert done.returncode == 0
