"""OTLP as JSON, and every unambiguous deviation from it that senders are known for.

The form is <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>; deviations are snake_case
names, enum names, base64 ids, plain values, and attributes as an object. Paths in errors have the names that
the JSON form uses.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from ...errors import DecodeError
from ..jsontext import NotJsonError, parse
from ..span import Attribute, Link, Request, Resource, Scope, Span, SpanEvent
from . import json_scalars as scalars
from .json_values import attribute_value, members, object_at
from .refusal import damage, over_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..limits import Limits

REQUEST = ("resourceSpans",)
RESOURCE_SPANS = ("resource", "scopeSpans", "schemaUrl")
RESOURCE = ("attributes",)
SCOPE_SPANS = ("scope", "spans", "schemaUrl")
SCOPE = ("name", "version", "attributes")
SPAN = (
    *("traceId", "spanId", "parentSpanId", "traceState", "flags", "name", "kind"),
    *("startTimeUnixNano", "endTimeUnixNano", "attributes", "events", "links", "status"),
)
EVENT = ("name", "timeUnixNano", "attributes")
LINK = ("traceId", "spanId", "traceState", "flags", "attributes")
STATUS = ("message", "code")
KEY_VALUE = ("key", "value")

SPAN_KINDS = {
    "SPAN_KIND_UNSPECIFIED": 0,
    "SPAN_KIND_INTERNAL": 1,
    "SPAN_KIND_SERVER": 2,
    "SPAN_KIND_CLIENT": 3,
    "SPAN_KIND_PRODUCER": 4,
    "SPAN_KIND_CONSUMER": 5,
}
STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


def read(body: bytes, limits: Limits, on_error: str) -> Request:
    """Reads an `ExportTraceServiceRequest` as JSON.

    Raises:
        DecodeError: The body is not JSON, or a member has a wrong type; under `on_error="skip"` only where
            the latter stands outside the spans.
        LimitError: A cap is passed.
    """
    root = _parsed(body, limits)
    if not isinstance(root, dict):
        raise damage("is JSON, but not an object", "Send an ExportTraceServiceRequest.")
    request = Request()
    for item, path in _elements(members(root, REQUEST), "resourceSpans", ""):
        resource_spans = members(object_at(item, path), RESOURCE_SPANS)
        scalars.text(resource_spans, "schemaUrl", path)
        resource = _resource(resource_spans.get("resource", {}), f"{path}.resource", limits)
        for inner, inner_path in _elements(resource_spans, "scopeSpans", path):
            scope_spans = members(object_at(inner, inner_path), SCOPE_SPANS)
            scalars.text(scope_spans, "schemaUrl", inner_path)
            scope = _scope(scope_spans.get("scope", {}), f"{inner_path}.scope", limits)
            for span, span_path in _elements(scope_spans, "spans", inner_path):
                if request.span_count == limits.max_spans:
                    raise over_limit("max_spans", f"is one more span than {limits.max_spans}", path=span_path)
                try:
                    request.spans.append(_span(span, span_path, limits, scope, resource))
                except DecodeError as error:
                    if on_error == "raise":
                        raise
                    request.rejected.append(error)
    return request


def _parsed(body: bytes, limits: Limits) -> Any:
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        advice = "JSON must be UTF-8: fix the exporter."
        raise damage(f"is not UTF-8 (byte 0x{body[error.start]:02x})", advice, offset=error.start) from error
    try:
        return parse(text, limits.max_json_nesting, last_place=True)
    except NotJsonError as error:
        offset = len(text[: max(error.position, 0)].encode())
        if error.too_deep:
            raise over_limit("max_json_nesting", str(error), offset=offset) from error
        advice = "Send strict JSON, or protobuf with Content-Type application/x-protobuf."
        raise damage(str(error), advice, offset=offset) from error


def _elements(parent: dict[str, Any], name: str, path: str) -> Iterator[tuple[Any, str]]:
    """The elements of a list member, each with its path. Null ones are skipped, but count in the path."""
    items = parent.get(name, [])
    path = f"{path}.{name}" if path else name
    if not isinstance(items, list):
        raise damage("is not a list", "Send a JSON array, or leave the member out.", path=path)
    for index, item in enumerate(items):
        if item is not None:
            yield item, f"{path}[{index}]"


def _attributes(parent: dict[str, Any], path: str, limits: Limits) -> list[Attribute]:
    """Attributes as a list of key and value, or as an object of names and values."""
    items = parent.get("attributes", [])
    own_path = f"{path}.attributes"
    found: list[Attribute] = []
    if isinstance(items, dict):
        found = [(key, attribute_value(value, f"{own_path}[{key!r}]", limits)) for key, value in items.items()]
    else:
        for item, item_path in _elements(parent, "attributes", path):
            pair = members(object_at(item, item_path), KEY_VALUE)
            key = scalars.text(pair, "key", item_path)
            found.append((key, attribute_value(pair.get("value"), f"{item_path}.value", limits)))
    if len(found) > limits.max_attributes:
        what = f"has {len(found)} entries, more than {limits.max_attributes}"
        raise over_limit("max_attributes", what, path=own_path)
    return found


def _resource(item: Any, path: str, limits: Limits) -> Resource:
    return Resource(_attributes(members(object_at(item, path), RESOURCE), path, limits))


def _scope(item: Any, path: str, limits: Limits) -> Scope:
    scope = members(object_at(item, path), SCOPE)
    name, version = scalars.text(scope, "name", path), scalars.text(scope, "version", path)
    return Scope(name, version, _attributes(scope, path, limits))


def _span(item: Any, path: str, limits: Limits, scope: Scope, resource: Resource) -> Span:
    span = members(object_at(item, path), SPAN)
    status_path = f"{path}.status"
    status = members(object_at(span.get("status", {}), status_path), STATUS)
    return Span(
        trace_id=scalars.identifier(span, "traceId", path),
        span_id=scalars.identifier(span, "spanId", path),
        parent_span_id=scalars.identifier(span, "parentSpanId", path),
        trace_state=scalars.text(span, "traceState", path),
        flags=scalars.unsigned(span, "flags", path, bits=32),
        name=scalars.text(span, "name", path),
        kind=scalars.enum(span, "kind", path, SPAN_KINDS),
        start_unix_nano=scalars.unsigned(span, "startTimeUnixNano", path, bits=64),
        end_unix_nano=scalars.unsigned(span, "endTimeUnixNano", path, bits=64),
        attributes=_attributes(span, path, limits),
        events=[_event(event, event_path, limits) for event, event_path in _capped(span, "events", path, limits)],
        links=[_link(link, link_path, limits) for link, link_path in _capped(span, "links", path, limits)],
        status_code=scalars.enum(status, "code", status_path, STATUS_CODES),
        status_message=scalars.text(status, "message", status_path),
        scope=scope,
        resource=resource,
    )


def _capped(span: dict[str, Any], name: str, path: str, limits: Limits) -> list[tuple[Any, str]]:
    items = list(_elements(span, name, path))
    if len(items) > limits.max_span_events:
        what = f"has {len(items)} entries, more than {limits.max_span_events}"
        raise over_limit("max_span_events", what, path=f"{path}.{name}")
    return items


def _event(item: Any, path: str, limits: Limits) -> SpanEvent:
    event = members(object_at(item, path), EVENT)
    time = scalars.unsigned(event, "timeUnixNano", path, bits=64)
    return SpanEvent(scalars.text(event, "name", path), time, _attributes(event, path, limits))


def _link(item: Any, path: str, limits: Limits) -> Link:
    link = members(object_at(item, path), LINK)
    scalars.text(link, "traceState", path)
    scalars.unsigned(link, "flags", path, bits=32)
    trace_id, span_id = scalars.identifier(link, "traceId", path), scalars.identifier(link, "spanId", path)
    return Link(trace_id, span_id, _attributes(link, path, limits))
