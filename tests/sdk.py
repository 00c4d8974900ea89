"""Spans of the OpenTelemetry SDK: made by a real tracer from drawn data, or rebuilt from captured requests."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState, use_span
from opentelemetry.trace import NonRecordingSpan as Remote

import strategies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

Value = Any


def encoded(spans: Iterable[ReadableSpan]) -> bytes:
    """The request that the SDK's own exporter would send."""
    return encode_spans(list(spans)).SerializeToString()


class Collected(SpanProcessor):
    """Keeps what ended, in order."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def tracing(resource: Mapping[str, Value] | None = None) -> tuple[TracerProvider, Collected]:
    """A provider that reads no environment, and what its spans become."""
    provider, collected = TracerProvider(resource=Resource(resource or {}), shutdown_on_exit=False), Collected()
    provider.add_span_processor(collected)
    return provider, collected


def one_span(name: str = "chat m1", **attributes: Value) -> ReadableSpan:
    """A finished span; keys have dots for double underscores."""
    provider, collected = tracing()
    with provider.get_tracer("t").start_as_current_span(name) as span:
        span.set_attributes({key.replace("__", "."): value for key, value in attributes.items()})
    return collected.spans[0]


# Captured requests


def from_request(body: bytes) -> list[ReadableSpan]:
    """The spans of a protobuf request as the SDK would have them, in the order of the request."""
    spans: list[ReadableSpan] = []
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = Resource(_attributes(group.resource.attributes), group.schema_url)
        for scope_spans in group.scope_spans:
            scope = InstrumentationScope(scope_spans.scope.name, scope_spans.scope.version, scope_spans.schema_url)
            spans.extend(_span(span, resource, scope) for span in scope_spans.spans)
    return spans


def _span(span: WireSpan, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_span_id) if span.parent_span_id else None,
        resource=resource,
        attributes=BoundedAttributes(attributes=_attributes(span.attributes)),
        events=[Event(event.name, _attributes(event.attributes), event.time_unix_nano) for event in span.events],
        links=[Link(_context(link.trace_id, link.span_id), _attributes(link.attributes)) for link in span.links],
        kind=SpanKind(max(span.kind - 1, 0)),
        status=Status(StatusCode(span.status.code), span.status.message or None),
        start_time=span.start_time_unix_nano or None,
        end_time=span.end_time_unix_nano or None,
        instrumentation_scope=scope,
    )


def _context(trace_id: bytes, span_id: bytes) -> SpanContext:
    return SpanContext(int.from_bytes(trace_id), int.from_bytes(span_id), is_remote=False)


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


# Drawn spans


@dataclass
class Drawn:
    """What a tracer is told about one span; `parent` is the place of an earlier one."""

    name: str
    attributes: dict[str, Value]
    tracer: int = 0
    kind: SpanKind = SpanKind.INTERNAL
    parent: int | None = None
    remote_parent: SpanContext | None = None
    start: int | None = None
    end: int | None = None
    error: str | None = None
    events: list[tuple[str, dict[str, Value], int | None]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


def plain(value: Value) -> Value:
    """An OTLP/JSON value as the application would have set it."""
    match value:
        case {"stringValue": text}:
            return text
        case {"boolValue": flag}:
            return flag
        case {"intValue": number}:
            return int(number)
        case {"doubleValue": number}:
            return math.nan if number == "NaN" else float(number)
        case {"bytesValue": data}:
            return base64.b64decode(data)
        case {"arrayValue": array}:
            return [plain(item) for item in array.get("values", [])]
        case {"kvlistValue": entries}:
            return {entry["key"]: plain(entry["value"]) for entry in entries.get("values", [])}
    return None


attributes = strategies.attributes().map(lambda drawn: {item["key"]: plain(item["value"]) for item in drawn})
times = st.none() | st.integers(1_704_067_200_000_000_000, 1_704_067_260_000_000_000)
remote_contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    is_remote=st.just(True),
    trace_flags=st.just(TraceFlags(TraceFlags.SAMPLED)),
    trace_state=st.sampled_from([None, TraceState([("vendor", "1"), ("other", "2")])]),
)
scopes = st.builds(
    InstrumentationScope,
    st.sampled_from(strategies.SCOPES),
    st.sampled_from([None, "", "1.0"]),
    st.sampled_from([None, "https://opentelemetry.io/schemas/1.40.0"]),
    st.sampled_from([None, {"k": "v"}, {"k": 1}]),
)
# Only what JSON can hold: the SDK's hash of a resource is that of its attributes as JSON.
resources = st.dictionaries(
    st.sampled_from(["service.name", "user.id", "host.name", "session.id", "deployment.environment", "a"]),
    st.one_of(strategies.texts(max_size=8), st.integers(-9, 9), st.booleans(), st.just(["x", "y"])),
    max_size=3,
)


@st.composite
def drawn_spans(draw: Any) -> list[Drawn]:
    drawn: list[Drawn] = []
    for place in range(draw(st.integers(1, 5))):
        event = st.tuples(st.sampled_from(strategies.EVENT_NAMES), attributes, times)
        link = st.builds(Link, remote_contexts, st.sampled_from([None, {"k": "v"}]))
        told = Drawn(draw(strategies.span_names), draw(attributes), draw(st.integers(0, 2)))
        told.kind = draw(st.sampled_from(SpanKind))
        told.start, told.end = draw(times), draw(times)
        told.events = draw(st.lists(event, max_size=2))
        told.links = draw(st.lists(link, max_size=1))
        told.error = draw(st.sampled_from([None, None, "", "Error code: 429"]))
        if place and draw(st.booleans()):
            told.parent = draw(st.integers(0, place - 1))
        elif draw(st.booleans()):
            told.remote_parent = draw(remote_contexts)
        drawn.append(told)
    return drawn


def traced(drawn: list[Drawn], scopes: list[InstrumentationScope], resource: Mapping[str, Value]) -> list[ReadableSpan]:
    """What a tracer provider hands to a processor; children end first. The place of a span's tracer is its scope's."""
    provider, collected = tracing(resource)
    # Two providers of equal resources, as an application has that makes one for each library.
    twin, _ = tracing(resource)
    twin.add_span_processor(collected)
    opened: list[Span] = []
    for told in drawn:
        scope = scopes[told.tracer % len(scopes)]
        owner = twin if told.tracer % 2 else provider
        tracer = owner.get_tracer(scope.name, scope.version, attributes=scope.attributes, schema_url=scope.schema_url)
        parent = opened[told.parent] if told.parent is not None else None
        above = parent or (Remote(told.remote_parent) if told.remote_parent else None)
        with use_span(above or Remote(SpanContext(0, 0, is_remote=False))):
            span = tracer.start_span(
                told.name, kind=told.kind, attributes=told.attributes, links=told.links, start_time=told.start
            )
        for name, values, time in told.events:
            span.add_event(name, values, time)
        if told.error is not None:
            span.set_status(Status(StatusCode.ERROR, told.error))
        opened.append(span)
    for told, span in reversed(list(zip(drawn, opened, strict=True))):
        span.end(told.end)
    return collected.spans
