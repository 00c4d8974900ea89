"""Cuts exports down to their noise. Needs opentelemetry-proto."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanmap import Drop


def cut_to_noise(bodies: Iterable[bytes], drops: Iterable[Sequence[Drop]]) -> list[bytes]:
    """The same requests with nothing in them but the spans that became no event.

    Returns:
        Requests as protobuf; none for a body that has no such span or is no protobuf.
    """
    cut = [
        _cut(body, {(drop.trace_id, drop.span_id) for drop in dropped})
        for body, dropped in zip(bodies, drops, strict=True)
    ]
    return [body for body in cut if body]


def _cut(body: bytes, ids: set[tuple[str, str]]) -> bytes:
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        return b""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            noise = [span for span in scope_spans.spans if (span.trace_id.hex(), span.span_id.hex()) in ids]
            del scope_spans.spans[:]
            scope_spans.spans.extend(noise)
    return request.SerializeToString() if ids else b""
