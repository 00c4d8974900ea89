"""OTLP logs as JSON, with every leniency that traces have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2

from ...errors import DecodeError
from ..limits import Limits
from ..logs import LogRecord, LogRequest
from ..span import Resource
from . import json_scalars as scalars
from .json import KEY_VALUE, _attributes, _elements, _parsed, _resource, _scope
from .json_values import ANY_VALUE, attribute_value, members, object_at
from .logs_proto import canonical
from .refusal import damage, over_limit

REQUEST = ("resourceLogs",)
RESOURCE_LOGS = ("resource", "scopeLogs", "schemaUrl")
SCOPE_LOGS = ("scope", "logRecords", "schemaUrl")
RECORD = (
    *("timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "body", "attributes"),
    *("droppedAttributesCount", "flags", "traceId", "spanId", "eventName"),
)
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
SEVERITY_NUMBERS = {"SEVERITY_NUMBER_UNSPECIFIED": 0} | {
    f"SEVERITY_NUMBER_{level}{step + 1 if step else ''}": 4 * index + step + 1
    for index, level in enumerate(LEVELS)
    for step in range(4)
}


def read(body: bytes, limits: Limits, on_error: str) -> LogRequest:
    """Reads an `ExportLogsServiceRequest` as JSON.

    Raises:
        DecodeError: The body is not JSON, or a member has a wrong type; under `on_error="skip"` only where
            the latter stands outside the records.
        LimitError: A cap is passed.
    """
    root = _parsed(body, limits)
    if not isinstance(root, dict):
        raise damage("is JSON, but not an object", "Send an ExportLogsServiceRequest.")
    request = LogRequest()
    for item, path in _elements(members(root, REQUEST), "resourceLogs", ""):
        resource_logs = members(object_at(item, path), RESOURCE_LOGS)
        scalars.text(resource_logs, "schemaUrl", path)
        resource = _resource(resource_logs.get("resource", {}), f"{path}.resource", limits)
        for inner, inner_path in _elements(resource_logs, "scopeLogs", path):
            scope_logs = members(object_at(inner, inner_path), SCOPE_LOGS)
            scalars.text(scope_logs, "schemaUrl", inner_path)
            _scope(scope_logs.get("scope", {}), f"{inner_path}.scope", limits)
            for record, record_path in _elements(scope_logs, "logRecords", inner_path):
                if request.record_count == limits.max_spans:
                    what = f"is one more log record than {limits.max_spans}"
                    raise over_limit("max_spans", what, path=record_path)
                try:
                    request.records.append(_record(record, record_path, limits, resource))
                except DecodeError as error:
                    if on_error == "raise":
                        raise
                    request.rejected.append(error)
    return request


def _record(item: Any, path: str, limits: Limits, resource: Resource) -> LogRecord:
    record = members(object_at(item, path), RECORD)
    message = logs_pb2.LogRecord(
        time_unix_nano=scalars.unsigned(record, "timeUnixNano", path, bits=64),
        observed_time_unix_nano=scalars.unsigned(record, "observedTimeUnixNano", path, bits=64),
        severity_number=scalars.enum(record, "severityNumber", path, SEVERITY_NUMBERS),  # type: ignore[arg-type]
        severity_text=scalars.text(record, "severityText", path),
        dropped_attributes_count=scalars.unsigned(record, "droppedAttributesCount", path, bits=32),
        flags=scalars.unsigned(record, "flags", path, bits=32),
        trace_id=scalars.identifier(record, "traceId", path),
        span_id=scalars.identifier(record, "spanId", path),
        event_name=scalars.text(record, "eventName", path),
    )
    # These also check what the encoding below then takes for granted.
    body = attribute_value(record.get("body"), f"{path}.body", limits)
    attributes = _attributes(record, path, limits)
    _encode_value(record.get("body"), message.body)
    for key, value in _pairs(record.get("attributes", [])):
        _encode_value(value, message.attributes.add(key=key).value)
    return LogRecord(
        time_unix_nano=message.time_unix_nano,
        observed_time_unix_nano=message.observed_time_unix_nano,
        body=body,
        attributes=attributes,
        trace_id=message.trace_id,
        span_id=message.span_id,
        event_name=message.event_name,
        resource=resource,
        encoded=canonical(message),
    )


def _pairs(items: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(items, dict):
        yield from items.items()
        return
    for item in items:
        if item is not None:
            pair = members(item, KEY_VALUE)
            yield pair.get("key", ""), pair.get("value")


def _encode_value(item: Any, message: common_pb2.AnyValue) -> None:
    """Writes what `attribute_value` reads, but keeps the duplicates of a key-value list: they are sent, too."""
    winner = max(members(item, ANY_VALUE), default=None) if isinstance(item, dict) else None
    if winner == "kvlistValue":
        message.kvlist_value.SetInParent()
        for key, value in _pairs(members(item, ANY_VALUE)[winner].get("values") or []):
            _encode_value(value, message.kvlist_value.values.add(key=key).value)
    elif winner == "arrayValue" or isinstance(item, list):
        elements = item if isinstance(item, list) else members(item, ANY_VALUE)["arrayValue"].get("values")
        message.array_value.SetInParent()
        for element in elements or []:
            _encode_value(element, message.array_value.values.add())
    else:
        _encode_scalar(attribute_value(item, "", Limits()), message)


def _encode_scalar(value: Any, message: common_pb2.AnyValue) -> None:
    if isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int):
        message.int_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, bytes):
        message.bytes_value = value
