"""The first stage: which spans become events, what kind of event, and their raw properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..span import Span, Value, last_values
from .error_status import write_error_status
from .values import json_values

if TYPE_CHECKING:
    from ..event import Properties

GENERATION, EMBEDDING, SPAN = "$ai_generation", "$ai_embedding", "$ai_span"

# The first row with a prefix that starts any of a span's keys is the span's provider. Order matters.
PROVIDERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("vercel", ("ai.", "eve.")),
    ("pydantic_ai", ("pydantic_ai.",)),
    ("traceloop", ("traceloop.", "llm.request.type")),
    ("gen_ai", ("gen_ai.",)),
)

OPERATIONS = {"chat": GENERATION, "embeddings": EMBEDDING}
REQUEST_TYPES = {
    "chat": GENERATION,
    "completion": GENERATION,
    "embedding": EMBEDDING,
    "embeddings": EMBEDDING,
}
VERCEL_EMBEDDINGS = ("ai.embed.doEmbed", "ai.embedMany.doEmbed")


def is_kept(span: Span, prefixes: tuple[str, ...] | None, added: tuple[str, ...] = ()) -> bool:
    """Whether any attribute key starts with a prefix, also a key without a value."""
    if added and _has_prefix(span, added):
        return True
    return _has_prefix(span, prefixes) if prefixes is not None else _provider_of(span) is not None


def event_name_of(span: Span) -> str:
    """The class of the event, from the span's own attributes only."""
    provider = _provider_of(span)
    attributes = last_values(span.attributes)
    operation = _text(attributes, "gen_ai.operation.name")
    if provider == "vercel" and ("ai.operationId" in attributes or operation is None):
        return _vercel_event(_text(attributes, "ai.operationId") or "")
    if provider == "pydantic_ai":
        return SPAN
    if provider == "traceloop":
        return REQUEST_TYPES.get(_text(attributes, "llm.request.type") or "", SPAN)
    return OPERATIONS.get(operation or "", SPAN)


def properties_of(span: Span, drop_resource_prefixes: tuple[str, ...]) -> Properties:
    """The raw properties: written in the capture service's order, later ones winning, then sorted by name.

    The service keeps them in a sorted map. That shows where a later stage reads two names as one, such as
    `gen_ai.prompt.2.role` and `gen_ai.prompt.0x2.role`.
    """
    kept = [(key, value) for key, value in span.resource.attributes if not key.startswith(drop_resource_prefixes)]
    properties = json_values(kept) | json_values(span.attributes)

    geoip_disable = properties.pop("posthog.geoip_disable", True)
    properties.setdefault("$geoip_disable", geoip_disable)

    properties["$ai_trace_id"] = span.trace_id.hex()
    properties["$ai_span_id"] = span.span_id.hex()
    if span.parent_span_id:
        properties["$ai_parent_id"] = span.parent_span_id.hex()
    properties["$ai_ingestion_source"] = "otel"
    if span.name:
        properties["$otel_span_name"] = span.name
    properties["$otel_start_time_unix_nano"] = str(span.start_unix_nano)
    properties["$otel_end_time_unix_nano"] = str(span.end_unix_nano)
    write_error_status(span, properties)
    # Only a signed request could bring these, and no signature reaches this mapper.
    return {name: value for name, value in sorted(properties.items()) if not name.startswith("$ai_gateway")}


def _provider_of(span: Span) -> str | None:
    return next((provider for provider, prefixes in PROVIDERS if _has_prefix(span, prefixes)), None)


def _has_prefix(span: Span, prefixes: tuple[str, ...]) -> bool:
    return any(key.startswith(prefixes) for key, _ in span.attributes)


def _text(attributes: dict[str, Value], key: str) -> str | None:
    """A classifier's value; anything but a string counts as absent."""
    value = attributes.get(key)
    return value if isinstance(value, str) else None


def _vercel_event(operation_id: str) -> str:
    if operation_id.endswith((".doGenerate", ".doStream")):
        return GENERATION
    return EMBEDDING if operation_id in VERCEL_EMBEDDINGS else SPAN
