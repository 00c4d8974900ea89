"""The reading called "best": the truth of what happened, as far as the spans of one request tell it.

`classify` says what a span is, `dialects` what each dialect calls the facts, `content` and `messages` what was said,
`errors` what failed, `harm` what must not travel, `facts` makes a draft of an event of one span, and `request` settles
what only the whole request can tell: who owns a call, whose it was, and how the tree holds.
"""

from __future__ import annotations

import math
from typing import Any

from ..event import Event, timestamp_of
from ..options import Options
from ..span import Attribute, Request, last_values
from ..span import Span as WireSpan
from . import request as whole
from .classify import Span

__all__ = ["map_request"]


def map_request(request: Request, options: Options) -> list[Event]:
    """The events of the spans that the filter keeps, in document order; trace events made for missing roots follow."""
    events = whole.map_request(
        [span_of(span) for span in request.spans],
        prefixes=options.prefixes,
        added=options.rules.prefixes,
        drop_resource_prefixes=options.drop_resource_prefixes,
        privacy_mode=options.privacy_mode,
    )
    return [
        Event(
            name=event["event"],
            distinct_id=event["distinct_id"],
            timestamp=timestamp_of(event["timestamp"]),
            uuid=event["uuid"],
            properties=event["properties"],
        )
        for event in events
    ]


def span_of(span: WireSpan) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
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
    return {key: _hex(value) for key, value in last_values(attributes).items() if not _unsayable(value)}


def _unsayable(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _hex(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_hex(item) for item in value]
    if isinstance(value, dict):
        return {key: _hex(item) for key, item in value.items()}
    return value
