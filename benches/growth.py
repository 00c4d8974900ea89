"""Does the cost stay the same as requests grow? Two curves: more spans in a request, and longer messages in a span.

python benches/growth.py [FILE.svg]         prints the figures, and draws them
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import exports
import tables
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

import spanmap
from spanmap.bench import plain_python, rounds

SPANS = (1, 10, 100, 1_000, 10_000, 100_000)
MESSAGE_BYTES = (1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20)
# Spans of the second curve's requests.
MESSAGES = 4
LIMITS = spanmap.Limits(max_body_bytes=1 << 30, max_decompressed_bytes=1 << 30)
BEST_JSON, BEST_DICTS, RIVAL = "spanmap, JSON", "spanmap, dicts", "plain Python, JSON"
# The rival's largest requests take seconds a round and gigabytes.
RIVAL_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Point:
    """The cost of one size, by contestant: medians in nanoseconds, for a span or for a KiB of message."""

    size: int
    cost: dict[str, float]


def measure_spans(seconds: float) -> list[Point]:
    """Nanoseconds a span, by spans in a request: chats with an input message of 1 KiB."""
    return [Point(count, _cost(_chats(count, 1 << 10), count, seconds)) for count in SPANS]


def measure_messages(seconds: float) -> list[Point]:
    """Nanoseconds for each KiB of message, by bytes of the message."""
    return [Point(size, _cost(_chats(MESSAGES, size), MESSAGES * size / 1024, seconds)) for size in MESSAGE_BYTES]


def _cost(body: bytes, units: float, seconds: float) -> dict[str, float]:
    mapper = spanmap.Mapper(limits=LIMITS)
    contestants: dict[str, Callable[[], object]] = {
        BEST_JSON: lambda: mapper.map_traces_json(body),
        BEST_DICTS: lambda: mapper.map_traces(body),
    }
    if len(body) <= RIVAL_MAX_BYTES:
        contestants[RIVAL] = lambda: plain_python.map_traces_json(body)
    nanos = rounds.run_rounds(contestants, seconds=seconds, min_rounds=5)
    return {name: sorted(taken)[len(taken) // 2] / units for name, taken in nanos.items()}


def _chats(count: int, size: int) -> bytes:
    """A request of chats under new ids, each with one input message of so many bytes of the export's own text."""
    source = ExportTraceServiceRequest.FromString(exports.read("100-chat"))
    text = " ".join(_texts(source)) + " "
    content = (text * (size // len(text) + 1))[:size]
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": content}]}])
    resource_spans = source.resource_spans[0]
    span = resource_spans.scope_spans[0].spans[0]
    kept = [item for item in span.attributes if item.key != "gen_ai.input.messages"]
    del span.attributes[:]
    span.attributes.extend([*kept, KeyValue(key="gen_ai.input.messages", value=AnyValue(string_value=messages))])
    request = ExportTraceServiceRequest()
    made = request.resource_spans.add(resource=resource_spans.resource).scope_spans.add(
        scope=resource_spans.scope_spans[0].scope
    )
    for number in range(count):
        added = made.spans.add()
        added.CopyFrom(span)
        added.trace_id = number.to_bytes(4, "big") + span.trace_id[4:]
    return request.SerializeToString()


def _texts(request: ExportTraceServiceRequest) -> list[str]:
    values = (
        item.value.string_value
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
        for item in span.attributes
        if item.key == "gen_ai.input.messages"
    )
    return [part["content"] for value in values for m in json.loads(value) for part in m["parts"] if "content" in part]


def table(points: list[Point], title: str) -> str:
    """A row for each size."""
    names = list(points[0].cost)
    rows = [[f"{point.size:,}", *(_shown(point.cost.get(name)) for name in names)] for point in points]
    return tables.table([title, *names], rows)


def _shown(cost: float | None) -> str:
    return "" if cost is None else f"{cost:,.0f}"


def draw(spans: list[Point], messages: list[Point], path: Path) -> None:
    """Both curves beside each other, as an SVG."""
    import matplotlib as mpl  # noqa: PLC0415 - it takes a second to load

    mpl.use("svg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    mpl.rcParams |= {"svg.hashsalt": "spanmap", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    titles = (("spans in a request", "µs a span"), ("bytes of one message", "µs a KiB of message"))
    for axis, points, (x_title, y_title) in zip(axes, (spans, messages), titles, strict=True):
        for name in points[0].cost:
            known = [point for point in points if name in point.cost]
            axis.plot(
                [p.size for p in known], [p.cost[name] / 1e3 for p in known], marker="o", markersize=3, label=name
            )
        axis.set(xscale="log", yscale="log", xlabel=x_title, ylabel=y_title)
        axis.grid(visible=True, which="major", color="0.9")
    axes[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("svg", nargs="?", type=Path)
    arguments.add_argument("--seconds", type=float, default=2, help="for each point")
    chosen = arguments.parse_args()
    spans, messages = measure_spans(chosen.seconds), measure_messages(chosen.seconds)
    print(table(spans, "spans in a request: ns a span"))
    print(table(messages, "bytes of one message: ns a KiB"))
    if chosen.svg:
        draw(spans, messages, chosen.svg)


if __name__ == "__main__":
    main()
