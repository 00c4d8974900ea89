"""OTLP logs as protobuf: walked and checked as traces are, each record parsed alone."""

from __future__ import annotations

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from ...errors import DecodeError
from ..limits import Limits
from ..logs import LogRecord, LogRequest
from ..span import Resource
from .fields import Found, check_text, checked, walk
from .proto import _attributes, _parse, _value
from .refusal import over_limit


def read(body: bytes, limits: Limits, on_error: str) -> LogRequest:
    """Reads an `ExportLogsServiceRequest`.

    Raises:
        DecodeError: The body is damaged; under `on_error="skip"` only where no record's own bytes hold the
            damage.
        LimitError: A cap is passed.
    """
    request = LogRequest()
    for resource_logs in walk(body, 0, len(body), "ExportLogsServiceRequest", "", limits):
        _read_resource_logs(body, resource_logs, limits, on_error, request)
    return request


def _read_resource_logs(body: bytes, found: Found, limits: Limits, on_error: str, request: LogRequest) -> None:
    resource = Resource()
    message = b""
    path = f"{found.path}.resource"
    for inner in walk(body, found.start, found.end, "ResourceLogs", found.path, limits):
        if inner.field.name == "resource":
            message += checked(body, inner.start, inner.end, "Resource", inner.path, limits)
        elif inner.field.name == "scope_logs":
            _read_scope_logs(body, inner, limits, on_error, request, resource)
        else:
            check_text(body, inner)
    parsed = _parse(resource_pb2.Resource(), message, path)
    resource.attributes = _attributes(parsed.attributes, limits, path)


def _read_scope_logs(
    body: bytes, found: Found, limits: Limits, on_error: str, request: LogRequest, resource: Resource
) -> None:
    message = b""
    path = f"{found.path}.scope"
    for inner in walk(body, found.start, found.end, "ScopeLogs", found.path, limits):
        if inner.field.name == "scope":
            message += checked(body, inner.start, inner.end, "InstrumentationScope", inner.path, limits)
        elif inner.field.name == "log_records":
            if request.record_count == limits.max_spans:
                what = f"is one more log record than {limits.max_spans}"
                raise over_limit("max_spans", what, offset=inner.tag, path=inner.path)
            try:
                request.records.append(_read_record(body, inner, limits, resource))
            except DecodeError as error:
                if on_error == "raise":
                    raise
                request.rejected.append(error)
        else:
            check_text(body, inner)
    parsed = _parse(common_pb2.InstrumentationScope(), message, path)
    _attributes(parsed.attributes, limits, path)


def _read_record(body: bytes, found: Found, limits: Limits, resource: Resource) -> LogRecord:
    message = checked(body, found.start, found.end, "LogRecord", found.path, limits)
    parsed = _parse(logs_pb2.LogRecord(), message, found.path)
    return LogRecord(
        time_unix_nano=parsed.time_unix_nano,
        observed_time_unix_nano=parsed.observed_time_unix_nano,
        body=_value(parsed.body),
        attributes=_attributes(parsed.attributes, limits, found.path),
        trace_id=parsed.trace_id,
        span_id=parsed.span_id,
        event_name=parsed.event_name,
        resource=resource,
        encoded=canonical(parsed),
    )


def canonical(record: logs_pb2.LogRecord) -> bytes:
    """The bytes that stand for the record.

    Google's runtime writes fields by number and leaves defaults out, as prost does; what holds no value is
    taken out first, because JSON cannot say it.
    """
    if _is_empty(record.body):
        record.ClearField("body")
    else:
        _prune(record.body)
    _prune_pairs(record.attributes)
    return record.SerializeToString(deterministic=True)


def _prune(value: common_pb2.AnyValue) -> None:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        values = value.array_value.values
        for index in reversed(range(len(values))):
            if _is_empty(values[index]):
                del values[index]
            else:
                _prune(values[index])
    elif kind == "kvlist_value":
        _prune_pairs(value.kvlist_value.values)


def _prune_pairs(pairs: RepeatedCompositeFieldContainer[common_pb2.KeyValue]) -> None:
    for pair in pairs:
        if _is_empty(pair.value):
            pair.ClearField("value")
        else:
            _prune(pair.value)


def _is_empty(value: common_pb2.AnyValue) -> bool:
    return value.WhichOneof("value") is None
