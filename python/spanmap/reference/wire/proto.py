"""OTLP as protobuf: checked by `fields`, parsed by the generated classes of opentelemetry-proto.

The two outer levels are walked by hand, so that each span is parsed alone and a bad one can be left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ...errors import DecodeError
from ..span import Attribute, Link, Request, Resource, Scope, Span, SpanEvent, Value
from .fields import Found, check_text, checked, walk
from .refusal import damage, over_limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..limits import Limits

M = TypeVar("M", bound=Message)
E = TypeVar("E")


def read(body: bytes, limits: Limits, on_error: str) -> Request:
    """Reads an `ExportTraceServiceRequest`.

    Raises:
        DecodeError: The body is damaged; under `on_error="skip"` only where no span's own bytes hold the
            damage.
        LimitError: A cap is passed.
    """
    request = Request()
    for resource_spans in walk(body, 0, len(body), "ExportTraceServiceRequest", "", limits):
        _read_resource_spans(body, resource_spans, limits, on_error, request)
    return request


def _read_resource_spans(body: bytes, found: Found, limits: Limits, on_error: str, request: Request) -> None:
    resource = Resource()
    message = b""
    path = f"{found.path}.resource"
    for inner in walk(body, found.start, found.end, "ResourceSpans", found.path, limits):
        if inner.field.name == "resource":
            # Two encoded messages in a row are their merger: what protobuf says of a singular field sent
            # twice.
            message += checked(body, inner.start, inner.end, "Resource", inner.path, limits)
        elif inner.field.name == "scope_spans":
            _read_scope_spans(body, inner, limits, on_error, request, resource=resource)
        else:
            check_text(body, inner)
    parsed = _parse(resource_pb2.Resource(), message, path)
    resource.attributes = _attributes(parsed.attributes, limits, path)


def _read_scope_spans(
    body: bytes, found: Found, limits: Limits, on_error: str, request: Request, *, resource: Resource
) -> None:
    scope = Scope()
    message = b""
    path = f"{found.path}.scope"
    for inner in walk(body, found.start, found.end, "ScopeSpans", found.path, limits):
        if inner.field.name == "scope":
            message += checked(body, inner.start, inner.end, "InstrumentationScope", inner.path, limits)
        elif inner.field.name == "spans":
            if request.span_count == limits.max_spans:
                what = f"is one more span than {limits.max_spans}"
                raise over_limit("max_spans", what, offset=inner.tag, path=inner.path)
            try:
                request.spans.append(_read_span(body, inner, limits, scope, resource))
            except DecodeError as error:
                if on_error == "raise":
                    raise
                request.rejected.append(error)
        else:
            check_text(body, inner)
    parsed = _parse(common_pb2.InstrumentationScope(), message, path)
    scope.name, scope.version = parsed.name, parsed.version
    scope.attributes = _attributes(parsed.attributes, limits, path)


def _read_span(body: bytes, found: Found, limits: Limits, scope: Scope, resource: Resource) -> Span:
    message = checked(body, found.start, found.end, "Span", found.path, limits)
    parsed = _parse(trace_pb2.Span(), message, found.path)
    path = found.path
    return Span(
        trace_id=parsed.trace_id,
        span_id=parsed.span_id,
        parent_span_id=parsed.parent_span_id,
        trace_state=parsed.trace_state,
        flags=parsed.flags,
        name=parsed.name,
        kind=parsed.kind,
        start_unix_nano=parsed.start_time_unix_nano,
        end_unix_nano=parsed.end_time_unix_nano,
        attributes=_attributes(parsed.attributes, limits, path),
        events=[
            SpanEvent(
                event.name,
                event.time_unix_nano,
                _attributes(event.attributes, limits, f"{path}.events[{index}]"),
            )
            for index, event in enumerate(_capped(parsed.events, limits, f"{path}.events"))
        ],
        links=[
            Link(link.trace_id, link.span_id, _attributes(link.attributes, limits, f"{path}.links[{index}]"))
            for index, link in enumerate(_capped(parsed.links, limits, f"{path}.links"))
        ],
        status_code=parsed.status.code,
        status_message=parsed.status.message,
        scope=scope,
        resource=resource,
    )


def _parse(message: M, data: bytes, path: str) -> M:
    try:
        message.ParseFromString(data)
    except ProtobufDecodeError as error:
        advice = "Fix the exporter, or ask whether the value really has to be nested that deeply."
        raise damage(f"is refused by the protobuf runtime: {error}", advice, path=path) from error
    return message


def _capped(items: Sequence[E], limits: Limits, path: str) -> Sequence[E]:
    if len(items) > limits.max_span_events:
        raise over_limit("max_span_events", f"has {len(items)} entries, more than {limits.max_span_events}", path=path)
    return items


def _attributes(pairs: Sequence[common_pb2.KeyValue], limits: Limits, path: str) -> list[Attribute]:
    if len(pairs) > limits.max_attributes:
        what = f"has {len(pairs)} attributes, more than {limits.max_attributes}"
        raise over_limit("max_attributes", what, path=path)
    return [(pair.key, _value(pair.value)) for pair in pairs]


def _value(value: common_pb2.AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [item for item in map(_value, value.array_value.values) if item is not None]
    if kind == "kvlist_value":
        return _object(value.kvlist_value.values)
    scalar: Value = getattr(value, kind)
    return scalar


def _object(pairs: Iterable[common_pb2.KeyValue]) -> Value:
    values = ((pair.key, _value(pair.value)) for pair in pairs)
    return {key: value for key, value in values if value is not None}
