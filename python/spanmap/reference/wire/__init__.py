"""From the bytes of an OTLP export to a `Request` or a `LogRequest`. Damage raises; it never reads as "absent"."""

from __future__ import annotations

import codecs

from ..limits import Limits
from ..logs import LogRequest
from ..span import Request
from . import json, logs_json, logs_proto, proto
from .compression import decompress
from .refusal import damage

JSON_TYPES = ("application/json",)
PROTOBUF_TYPES = ("application/x-protobuf", "application/protobuf")


def read(
    body: bytes, *, content_type: str | None, content_encoding: str | None, limits: Limits, on_error: str
) -> Request:
    """Decompresses and decodes one request body.

    Raises:
        DecodeError: The body is empty or damaged, or its type or encoding is unknown.
        LimitError: A cap is passed.
    """
    body = decompress(body, content_encoding, limits)
    if not body:
        raise damage("is empty", "Send an ExportTraceServiceRequest; one without spans is at least {} in JSON.")
    if _is_json(body, content_type):
        return json.read(body, limits, on_error)
    return proto.read(body, limits, on_error)


def read_logs(
    body: bytes, *, content_type: str | None, content_encoding: str | None, limits: Limits, on_error: str
) -> LogRequest:
    """As `read`, for an `ExportLogsServiceRequest`.

    Raises:
        DecodeError: The body is empty or damaged, or its type or encoding is unknown.
        LimitError: A cap is passed.
    """
    body = decompress(body, content_encoding, limits)
    if not body:
        raise damage("is empty", "Send an ExportLogsServiceRequest; one without records is at least {} in JSON.")
    if _is_json(body, content_type):
        return logs_json.read(body, limits, on_error)
    return logs_proto.read(body, limits, on_error)


def _is_json(body: bytes, content_type: str | None) -> bool:
    if content_type is None:
        return body.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n").startswith(b"{")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES + PROTOBUF_TYPES:
        advice = f"Send {' or '.join(JSON_TYPES + PROTOBUF_TYPES)}."
        raise damage(f"has the unknown content type {content_type!r}", advice)
    return media_type in JSON_TYPES
