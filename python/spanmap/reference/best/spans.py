"""Spans of the wire as this reading takes them: attributes merged, ids and bytes as text."""

from __future__ import annotations

import math
from typing import Any

from ..span import Attribute, last_values
from ..span import Span as WireSpan
from .classify import Span


def span_of(span: WireSpan) -> Span:
    """The span with its scope and resource."""
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        # An id of zeros is no id.
        parent_id=span.parent_span_id.hex() if any(span.parent_span_id) else "",
        name=span.name,
        start=span.start_unix_nano,
        end=span.end_unix_nano,
        status_code=span.status_code,
        status_message=span.status_message,
        attributes=readable(span.attributes),
        events=[(event.name, event.time_unix_nano, readable(event.attributes)) for event in span.events],
        scope_name=span.scope.name,
        scope_version=span.scope.version,
        resource=readable(span.resource.attributes),
        keys=tuple(key for key, _ in span.attributes),
    )


def readable(attributes: list[Attribute]) -> dict[str, Any]:
    """The attributes as a mapping, bytes as hexadecimal text; numbers that JSON cannot say count as no value."""
    sayable = [(key, value) for key, value in attributes if not _unsayable(value)]
    return {key: plain(value) for key, value in last_values(sayable).items()}


def _unsayable(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def plain(value: Any) -> Any:
    """The value with its bytes as hexadecimal text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
