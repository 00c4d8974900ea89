"""The rival without a native core: opentelemetry-proto, plain Python, orjson.

What a good engineer would write in an afternoon for GenAI spans: the filter, the renames, JSON inside strings, errors,
identity and latency, as PostHog's own pipeline has them. No dialects, no JSON transport, no caps, no error paths: it
does less than spanmap, so the comparison is in its favour. It spends its time well: a span is looked at by its keys
before any value is converted, and lookups are dict lookups.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

EVENT_NAMESPACE = UUID("6f0b6a3e-9d0c-5a52-8f0b-2f6f7a9d1c11")
PERSON_NAMESPACE = UUID("392e81d5-3d13-4a6f-b541-bdbf6c865e56")
RESOURCE_NOISE = ("host.", "process.", "os.", "telemetry.")
EVENTS = {"chat": "$ai_generation", "embeddings": "$ai_embedding"}
JSON_TEXTS = {
    "gen_ai.input.messages": "$ai_input",
    "gen_ai.output.messages": "$ai_output_choices",
    "gen_ai.tool.definitions": "$ai_tools",
}
RENAMES = {
    "gen_ai.usage.input_tokens": "$ai_input_tokens",
    "gen_ai.usage.output_tokens": "$ai_output_tokens",
    "gen_ai.usage.cache_read.input_tokens": "$ai_cache_read_input_tokens",
    "gen_ai.usage.cache_creation.input_tokens": "$ai_cache_creation_input_tokens",
    "gen_ai.response.model": "$ai_model",
    "gen_ai.provider.name": "$ai_provider",
    "server.address": "$ai_base_url",
}
FALLBACKS = {
    "gen_ai.system": "$ai_provider",
    "gen_ai.request.model": "$ai_model",
    "gen_ai.usage.prompt_tokens": "$ai_input_tokens",
    "gen_ai.usage.completion_tokens": "$ai_output_tokens",
}
REMOVED = ("gen_ai.operation.name", "user.id", "posthog.distinct_id", "telemetry.sdk.language", "posthog.ai.debug")
IDENTITY = ("posthog.distinct_id", "user.id")
SESSION = ("$ai_session_id", "gen_ai.conversation.id")
HTTP_STATUS = ("$ai_http_status", "http.response.status_code", "http.status_code", "http.status", "status_code")


def map_traces_json(body: bytes) -> bytes:
    return orjson.dumps(map_traces(body))


def map_traces(body: bytes) -> list[dict[str, Any]]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    events = []
    seen: dict[str, int] = {}
    for resource_spans in request.resource_spans:
        resource = None
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                if any(item.key.startswith("gen_ai.") for item in span.attributes):
                    if resource is None:
                        resource = _attributes(resource_spans.resource.attributes)
                    events.append(_event(span, resource, seen))
    return events


def _event(span: Any, resource: dict[str, Any], seen: dict[str, int]) -> dict[str, Any]:
    attributes = _attributes(span.attributes)
    name = EVENTS.get(attributes.get("gen_ai.operation.name", ""), "$ai_span")
    properties = {key: value for key, value in resource.items() if not key.startswith(RESOURCE_NOISE)}
    properties.update(attributes)
    properties.setdefault("$geoip_disable", properties.pop("posthog.geoip_disable", True))
    trace_id, span_id = span.trace_id.hex(), span.span_id.hex()
    properties["$ai_trace_id"] = trace_id
    properties["$ai_span_id"] = span_id
    if span.parent_span_id:
        properties["$ai_parent_id"] = span.parent_span_id.hex()
    elif name == "$ai_span":
        name = "$ai_trace"
    properties["$ai_ingestion_source"] = "otel"
    if span.name:
        properties["$ai_span_name"] = span.name
    if span.status.code == 2:
        _set_error(properties, span)
    for source, target in JSON_TEXTS.items():
        if source in properties:
            properties[target] = _parsed(properties.pop(source))
    for source, target in RENAMES.items():
        if source in properties:
            properties[target] = properties.pop(source)
    for source, target in FALLBACKS.items():
        if source in properties:
            properties.setdefault(target, properties.pop(source))
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if end > start:
        properties["$ai_latency"] = (end - start) / 1e9
    distinct_id = _distinct_id(attributes, resource, trace_id)
    for key in REMOVED:
        properties.pop(key, None)
    identity = f"{trace_id}:{span_id}:{name}"
    count = seen[identity] = seen.get(identity, 0) + 1
    return {
        "event": name,
        "distinct_id": distinct_id,
        "timestamp": _timestamp(start),
        "uuid": str(uuid5(EVENT_NAMESPACE, identity if count == 1 else f"{identity}:{count}")),
        "properties": properties,
    }


def _attributes(items: Any) -> dict[str, Any]:
    return {item.key: _value(item.value) for item in items if item.value.WhichOneof("value") is not None}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    match kind:
        case "string_value" | "bool_value" | "int_value":
            return getattr(value, kind)
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else None
        case "array_value":
            return [_value(item) for item in value.array_value.values if item.WhichOneof("value") is not None]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case _:
            return value.bytes_value.hex()


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _set_error(properties: dict[str, Any], span: Any) -> None:
    properties["$ai_is_error"] = True
    exception: dict[str, Any] = {}
    for event in span.events:
        attributes = _attributes(event.attributes)
        if event.name == "exception" or "exception.message" in attributes or "exception.type" in attributes:
            exception = attributes
    told = [exception.get("exception.type"), exception.get("exception.message")]
    message = ": ".join(part for part in told if part) or span.status.message or "OpenTelemetry span status error"
    properties.setdefault("$ai_error", message)
    found = (attributes.get(key) for attributes in (exception, properties) for key in HTTP_STATUS)
    status = next((code for code in found if isinstance(code, int) and 100 <= code < 600), 500)
    properties.setdefault("$ai_http_status", status)


def _distinct_id(attributes: dict[str, Any], resource: dict[str, Any], trace_id: str) -> str:
    for known in (attributes, resource):
        for key in IDENTITY:
            if isinstance(known.get(key), str) and known[key]:
                return str(known[key])
    for key in SESSION:
        session = attributes.get(key) or resource.get(key)
        if isinstance(session, str) and session:
            return str(uuid5(PERSON_NAMESPACE, f"session:{session}"))
    return str(uuid5(PERSON_NAMESPACE, f"trace:{trace_id}"))


def _timestamp(nanos: int) -> str | None:
    if nanos == 0:
        return None
    seconds, fraction = divmod(nanos, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z" if digits else f"{text}Z"
