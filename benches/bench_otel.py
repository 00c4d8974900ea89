# ruff: noqa: S603 - the only program is this interpreter, with fixed arguments.
"""What tracing costs an application: the processor of spanmap.otel beside those that it takes the place of.

    python benches/bench_otel.py         writes results/DATE-otel.md
    python benches/bench_otel.py --show  prints it

Every contestant runs in a process of its own, in turns, against a sink in another process that accepts everything; so
neither the server's work nor another contestant's threads are in the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from spanmap.bench import machine

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5
CONTESTANTS = {
    "nothing": "no processor: what the SDK itself costs",
    "spanmap": "spanmap.otel.PostHogSpanProcessor",
    "spanmap-otlp": 'the same with destination="otlp"',
    "posthog": "posthog.ai.otel.PostHogSpanProcessor",
    "otlp": "BatchSpanProcessor and OTLPSpanExporter",
}
PACKAGES = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "posthog", "urllib3")
# Not all of it ASCII, as text that people write is not: Python has to encode such text before anybody can read it.
TEXT = "Der Hörer fragt: wie weit ist es nach Zürich? "
ON_END_SPANS = 400
CPU_SPANS = 1500
READING = "reading"
READ_CHARACTERS = (200, 4_000, 40_000)
STALL_SPANS = 32
MEGABYTE = 1_000_000

Figures = dict[str, float]


# The sink


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        is_otlp = self.headers["Content-Type"] == "application/x-protobuf"
        # An event that is not in the results was accepted.
        body = b"" if is_otlp else b'{"results":{}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf" if is_otlp else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
        pass


def serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_address[1], flush=True)
    server.serve_forever()


# One contestant


def make_processor(name: str, url: str) -> SpanProcessor:
    if name == "nothing":
        return SpanProcessor()
    if name == "posthog":
        from posthog.ai.otel import PostHogSpanProcessor as TheirProcessor  # noqa: PLC0415

        return TheirProcessor("phc_bench", url)
    if name == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        return BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces"))
    from spanmap.otel import PostHogSpanProcessor  # noqa: PLC0415

    return PostHogSpanProcessor("phc_bench", url, destination="otlp" if name == "spanmap-otlp" else "events")


class Collected(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def chat_attributes(characters: int) -> dict[str, Any]:
    """The 16 attributes of a chat call as opentelemetry-instrumentation-openai-v2 writes them."""
    text = TEXT * (characters // len(TEXT) + 1)
    question = [{"role": "user", "parts": [{"type": "text", "content": text}]}]
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": TEXT}], "finish_reason": "stop"}]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "server.address": "api.openai.com",
        "server.port": 443,
        "user.id": "u1",
        "session.id": "s1",
        "gen_ai.input.messages": json.dumps(question, ensure_ascii=False),
        "gen_ai.output.messages": json.dumps(answer, ensure_ascii=False),
    }


NOISE = {f"http.request.header.h{number}": "value" for number in range(14)}


def finished(name: str, attributes: dict[str, Any], count: int) -> list[ReadableSpan]:
    provider, collected = TracerProvider(shutdown_on_exit=False), Collected()
    provider.add_span_processor(collected)
    tracer = provider.get_tracer("app")
    for _ in range(count):
        with tracer.start_as_current_span(name, attributes=attributes):
            pass
    return collected.spans


def measure_on_end(processor: SpanProcessor) -> Figures:
    """Median of single calls, in microseconds."""
    kinds = {
        "noise": finished("GET /", NOISE, ON_END_SPANS),
        "small": finished("chat gpt-4o", chat_attributes(200), ON_END_SPANS),
        "large": finished("chat gpt-4o", chat_attributes(MEGABYTE), 40),
    }
    figures = {}
    for kind, spans in kinds.items():
        started, ended = [], []
        for span in spans:
            begin = time.perf_counter_ns()
            processor.on_start(span)  # type: ignore[arg-type]
            middle = time.perf_counter_ns()
            processor.on_end(span)
            started.append(middle - begin)
            ended.append(time.perf_counter_ns() - middle)
        figures["on_start_us"] = statistics.median(started) / 1000
        figures[f"on_end_{kind}_us"] = statistics.median(ended) / 1000
        processor.force_flush()
    return figures


def measure_cpu(processor: SpanProcessor) -> Figures:
    """CPU of the whole process for each exported span of 4 KB, in microseconds; making the span is in it."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer, attributes = provider.get_tracer("app"), chat_attributes(4_000)

    def work(count: int) -> None:
        for _ in range(count):
            with tracer.start_as_current_span("chat gpt-4o", attributes=attributes):
                pass
        processor.force_flush()

    work(100)
    begin = time.process_time()
    work(CPU_SPANS)
    return {"cpu_us": (time.process_time() - begin) * 1e6 / CPU_SPANS}


def measure_stall(processor: SpanProcessor) -> Figures:
    """Longest time for which an asyncio loop did not come round while 1 MB prompts were exported, in milliseconds."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("app")
    prompts = [chat_attributes(MEGABYTE + number) for number in range(STALL_SPANS)]
    gaps: list[float] = []

    async def tick(done: asyncio.Event) -> None:
        while not done.is_set():
            begin = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps.append(time.perf_counter() - begin)

    async def main() -> None:
        done = asyncio.Event()
        ticking = asyncio.create_task(tick(done))
        for attributes in prompts:
            with tracer.start_as_current_span("chat gpt-4o", attributes=attributes):
                await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, processor.force_flush)
        done.set()
        await ticking

    asyncio.run(main())
    return {"stall_ms": max(gaps) * 1000}


def measure_reading() -> Figures:
    """Span objects to events as JSON, and the SDK's encoding of them alone; the best of many turns, in us a span."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans  # noqa: PLC0415

    from spanmap import Mapper  # noqa: PLC0415

    mapper = Mapper()
    figures: Figures = {}
    for characters in READ_CHARACTERS:
        spans = finished("chat gpt-4o", chat_attributes(characters), 100)
        steps: dict[str, Callable[[], object]] = {
            f"map_{characters}_us": lambda spans=spans: mapper.map_spans_json(spans),
            f"encode_{characters}_us": lambda spans=spans: encode_spans(spans).SerializeToString(),
        }
        for _ in range(20):
            for name, step in steps.items():
                begin = time.perf_counter()
                step()
                taken = (time.perf_counter() - begin) * 1e6 / len(spans)
                figures[name] = min(figures.get(name, taken), taken)
    return figures


MEASUREMENTS: tuple[Callable[[SpanProcessor], Figures], ...] = (measure_on_end, measure_cpu, measure_stall)


def measure(name: str, url: str) -> Figures:
    if name == READING:
        return measure_reading()
    figures: Figures = {}
    for measurement in MEASUREMENTS:
        processor = make_processor(name, url)
        figures |= measurement(processor)
        processor.shutdown()
    return figures


# The page


def run(rounds: int) -> dict[str, Figures]:
    """The median of each figure over the rounds."""
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as sink:
        assert sink.stdout is not None
        url = f"http://127.0.0.1:{sink.stdout.readline().strip()}"
        measured: dict[str, list[Figures]] = {name: [] for name in (*CONTESTANTS, READING)}
        for _ in range(rounds):
            for name, figures in measured.items():
                command = [sys.executable, __file__, "--measure", name, url]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                figures.append(json.loads(done.stdout))
        sink.kill()
    return {
        name: {figure: statistics.median(one[figure] for one in all_) for figure in all_[0]}
        for name, all_ in measured.items()
    }


def page(figures: dict[str, Figures], rounds: int) -> str:
    versions = machine.describe() | {package: metadata.version(package) for package in PACKAGES}
    base = figures["nothing"]
    lines = [
        f"# What tracing costs an application, {datetime.now(UTC).date()}",
        "",
        *(f"- {name}: {value}" for name, value in versions.items()),
        "",
        f"`python benches/bench_otel.py`: medians of {rounds} rounds, in which each contestant ran in a process of its",
        "own against a sink on loopback. `on_start`, `on_end`: medians of single calls. CPU: of the whole process, for",
        f"each span of a chat with 4 KB of text in a burst of {CPU_SPANS}, less what the SDK itself took. Stall: the",
        f"longest time for which an asyncio loop did not come round while {STALL_SPANS} prompts of 1 MB were exported.",
        "",
        "| | `on_start` | `on_end` noise | `on_end` small | `on_end` 1 MB | CPU per span | longest stall |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, title in CONTESTANTS.items():
        one = figures[name]
        cpu = one["cpu_us"] - (0 if name == "nothing" else base["cpu_us"])
        times = [f"{one['on_start_us']:.1f} µs"]
        times += [f"{one[f'on_end_{kind}_us']:.1f} µs" for kind in ("noise", "small", "large")]
        lines.append(f"| {title} | {' | '.join(times)} | {cpu:.0f} µs | {one['stall_ms']:.1f} ms |")
    ours = figures["spanmap"]["cpu_us"] - base["cpu_us"]
    theirs = figures["posthog"]["cpu_us"] - base["cpu_us"]
    lines += ["", f"CPU per exported span: 1/{theirs / ours:.1f} of that of posthog.ai.otel.", ""]
    lines += [
        "Span objects to events as JSON, beside what the exporter's encoding costs alone (`encode_spans` and",
        "`SerializeToString`), for each of 100 spans; the best of 20 turns:",
        "",
        "| text in a span | `Mapper.map_spans_json` | encoding alone | ratio |",
        "| --- | --- | --- | --- |",
    ]
    reading = figures[READING]
    for characters in READ_CHARACTERS:
        mapped, encoded = reading[f"map_{characters}_us"], reading[f"encode_{characters}_us"]
        lines.append(f"| {characters:,} characters | {mapped:.1f} µs | {encoded:.1f} µs | {encoded / mapped:.1f} |")
    lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--show", action="store_true", help="print the page instead of writing it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve()
    elif chosen.measure:
        print(json.dumps(measure(*chosen.measure)))
    else:
        written = page(run(chosen.rounds), chosen.rounds)
        if chosen.show:
            print(written)
        else:
            (RESULTS / f"{datetime.now(UTC).date()}-otel.md").write_text(written, "utf-8")


if __name__ == "__main__":
    main()
