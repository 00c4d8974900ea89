"""Writes one request in both encodings: OTLP/JSON as a Python value to protobuf bytes, and back.

Independent of spanmap: it uses the generated classes of opentelemetry-proto. It takes canonical OTLP/JSON only; a
request whose point is an odd JSON shape has no protobuf form, and `NotCanonicalError` says so.
"""

from __future__ import annotations

import base64
import math
import re
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

Json = Any

HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


class NotCanonicalError(Exception):
    """The request has a shape that only JSON can express."""


def to_protobuf(request: Json) -> bytes:
    """The protobuf form of a canonical OTLP/JSON trace request.

    Raises:
        NotCanonicalError: Something in it has no protobuf form, or is not spelled as the OTLP specification says.
    """
    members = _members(request, {"resourceSpans"})
    message = ExportTraceServiceRequest(
        resource_spans=[_resource_spans(item) for item in members.get("resourceSpans", [])]
    )
    return message.SerializeToString()


def _members(value: Json, known: set[str]) -> dict[str, Json]:
    if not isinstance(value, dict) or not value.keys() <= known or None in value.values():
        raise NotCanonicalError(f"{str(value)[:200]} is not an object of {sorted(known)}")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise NotCanonicalError(f"{value!r} is not a text that UTF-8 can hold")
    return value


def _number(value: Json, low: int, high: int) -> int:
    digits = value if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else None
    number = int(digits) if digits is not None else value
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise NotCanonicalError(f"{value!r} is not an integer from {low} to {high}")
    return number


def _id(value: Json) -> bytes:
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise NotCanonicalError(f"{value!r} is not a hex id")
    return bytes.fromhex(value)


def _resource_spans(value: Json) -> ResourceSpans:
    members = _members(value, {"resource", "scopeSpans", "schemaUrl"})
    message = ResourceSpans(
        scope_spans=[_scope_spans(item) for item in members.get("scopeSpans", [])],
        schema_url=_text(members.get("schemaUrl", "")),
    )
    if "resource" in members:
        resource = _members(members["resource"], {"attributes", "droppedAttributesCount"})
        message.resource.CopyFrom(Resource(attributes=_attributes(resource)))
    return message


def _scope_spans(value: Json) -> ScopeSpans:
    members = _members(value, {"scope", "spans", "schemaUrl"})
    message = ScopeSpans(
        spans=[_span(item) for item in members.get("spans", [])], schema_url=_text(members.get("schemaUrl", ""))
    )
    if "scope" in members:
        scope = _members(members["scope"], {"name", "version", "attributes", "droppedAttributesCount"})
        name, version = _text(scope.get("name", "")), _text(scope.get("version", ""))
        message.scope.CopyFrom(InstrumentationScope(name=name, version=version, attributes=_attributes(scope)))
    return message


SPAN_MEMBERS = {
    *(
        "traceId",
        "spanId",
        "parentSpanId",
        "traceState",
        "flags",
        "name",
        "kind",
        "startTimeUnixNano",
        "endTimeUnixNano",
    ),
    *("attributes", "events", "links", "status", "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"),
}


def _span(value: Json) -> Span:
    members = _members(value, SPAN_MEMBERS)
    message = Span(
        trace_id=_id(members.get("traceId", "")),
        span_id=_id(members.get("spanId", "")),
        parent_span_id=_id(members.get("parentSpanId", "")),
        trace_state=_text(members.get("traceState", "")),
        flags=_number(members.get("flags", 0), 0, 2**32 - 1),
        name=_text(members.get("name", "")),
        kind=_number(members.get("kind", 0), -(2**31), 2**31 - 1),  # type: ignore[arg-type]
        start_time_unix_nano=_number(members.get("startTimeUnixNano", 0), 0, 2**64 - 1),
        end_time_unix_nano=_number(members.get("endTimeUnixNano", 0), 0, 2**64 - 1),
        attributes=_attributes(members),
        events=[_event(item) for item in members.get("events", [])],
        links=[_link(item) for item in members.get("links", [])],
    )
    if "status" in members:
        status = _members(members["status"], {"code", "message"})
        code = _number(status.get("code", 0), -(2**31), 2**31 - 1)
        message.status.CopyFrom(Status(code=code, message=_text(status.get("message", ""))))  # type: ignore[arg-type]
    return message


def _event(value: Json) -> Span.Event:
    members = _members(value, {"timeUnixNano", "name", "attributes", "droppedAttributesCount"})
    time = _number(members.get("timeUnixNano", 0), 0, 2**64 - 1)
    return Span.Event(time_unix_nano=time, name=_text(members.get("name", "")), attributes=_attributes(members))


def _link(value: Json) -> Span.Link:
    members = _members(value, {"traceId", "spanId", "traceState", "attributes", "flags", "droppedAttributesCount"})
    ids = _id(members.get("traceId", "")), _id(members.get("spanId", ""))
    return Span.Link(trace_id=ids[0], span_id=ids[1], attributes=_attributes(members))


def _attributes(members: dict[str, Json]) -> list[KeyValue]:
    given = members.get("attributes", [])
    if not isinstance(given, list):
        raise NotCanonicalError("attributes is not a list")
    return [_key_value(item) for item in given]


def _key_value(value: Json) -> KeyValue:
    members = _members(value, {"key", "value"})
    if "key" not in members:
        raise NotCanonicalError("an attribute has no key")
    message = KeyValue(key=_text(members["key"]))
    if "value" in members:
        message.value.CopyFrom(_any_value(members["value"]))
    return message


def _any_value(value: Json) -> AnyValue:
    if not isinstance(value, dict) or len(value) > 1:
        raise NotCanonicalError(f"{str(value)[:200]} is not one value")
    message = AnyValue()
    for member, content in value.items():
        match member, content:
            case "stringValue", str():
                message.string_value = _text(content)
            case "boolValue", bool():
                message.bool_value = content
            case "intValue", _:
                message.int_value = _number(content, -(2**63), 2**63 - 1)
            case "doubleValue", int() | float():
                message.double_value = float(content)
            case "doubleValue", "NaN" | "Infinity" | "-Infinity":
                message.double_value = float(content)
            case "bytesValue", str():
                try:
                    message.bytes_value = base64.b64decode(content, validate=True)
                except ValueError as error:
                    raise NotCanonicalError(f"{content!r} is not base64") from error
            case "arrayValue", dict():
                values = _members(content, {"values"}).get("values", [])
                message.array_value.SetInParent()
                message.array_value.values.extend(_any_value(item) for item in values)
            case "kvlistValue", dict():
                values = _members(content, {"values"}).get("values", [])
                message.kvlist_value.SetInParent()
                message.kvlist_value.values.extend(_key_value(item) for item in values)
            case _:
                raise NotCanonicalError(f"{member} is not {str(content)[:200]}")
    return message


def to_json(body: bytes) -> Json:
    """The canonical OTLP/JSON form of a protobuf trace request."""
    return {
        "resourceSpans": [
            _json_resource_spans(item) for item in ExportTraceServiceRequest.FromString(body).resource_spans
        ]
    }


def _json_resource_spans(message: ResourceSpans) -> Json:
    value: dict[str, Json] = {"scopeSpans": [_json_scope_spans(item) for item in message.scope_spans]}
    if message.HasField("resource"):
        value["resource"] = {"attributes": _json_attributes(message.resource.attributes)}
    return value


def _json_scope_spans(message: ScopeSpans) -> Json:
    value: dict[str, Json] = {"spans": [_json_span(item) for item in message.spans]}
    if message.HasField("scope"):
        scope = message.scope
        value["scope"] = {
            "name": scope.name,
            "version": scope.version,
            "attributes": _json_attributes(scope.attributes),
        }
    return value


def _json_span(message: Span) -> Json:
    value: dict[str, Json] = {
        "traceId": message.trace_id.hex(),
        "spanId": message.span_id.hex(),
        "parentSpanId": message.parent_span_id.hex(),
        "traceState": message.trace_state,
        "flags": message.flags,
        "name": message.name,
        "kind": message.kind,
        "startTimeUnixNano": str(message.start_time_unix_nano),
        "endTimeUnixNano": str(message.end_time_unix_nano),
        "attributes": _json_attributes(message.attributes),
        "events": [
            {
                "timeUnixNano": str(event.time_unix_nano),
                "name": event.name,
                "attributes": _json_attributes(event.attributes),
            }
            for event in message.events
        ],
        "links": [
            {
                "traceId": link.trace_id.hex(),
                "spanId": link.span_id.hex(),
                "attributes": _json_attributes(link.attributes),
            }
            for link in message.links
        ],
    }
    if message.HasField("status"):
        value["status"] = {"code": message.status.code, "message": message.status.message}
    return value


def _json_attributes(attributes: Any) -> Json:
    return [_json_key_value(item) for item in attributes]


def _json_key_value(message: KeyValue) -> Json:
    return {"key": message.key, **({"value": _json_any_value(message.value)} if message.HasField("value") else {})}


def _json_any_value(message: AnyValue) -> Json:
    match message.WhichOneof("value"):
        case None:
            return {}
        case "string_value":
            return {"stringValue": message.string_value}
        case "bool_value":
            return {"boolValue": message.bool_value}
        case "int_value":
            return {"intValue": str(message.int_value)}
        case "double_value":
            number = message.double_value
            names = {math.inf: "Infinity", -math.inf: "-Infinity"}
            return {"doubleValue": number if math.isfinite(number) else names.get(number, "NaN")}
        case "bytes_value":
            return {"bytesValue": base64.b64encode(message.bytes_value).decode()}
        case "array_value":
            return {"arrayValue": {"values": [_json_any_value(item) for item in message.array_value.values]}}
        case "kvlist_value":
            return {"kvlistValue": {"values": [_json_key_value(item) for item in message.kvlist_value.values]}}
        case other:
            raise NotCanonicalError(f"{other} has no OTLP/JSON form")
