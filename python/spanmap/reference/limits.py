"""Every cap in one place: the names and the defaults that the core documents."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Limits:
    """The caps that decoder and mapper observe. Passing one is a `LimitError` that names it.

    Attributes:
        max_body_bytes: Bytes of the body as received, before decompression.
        max_decompressed_bytes: Bytes of the body after decompression.
        max_decompression_ratio: Decompressed bytes for each compressed byte; never applied below 1 MiB
            decompressed.
        max_spans: Spans in one request, before filtering.
        max_attributes: Attributes of one resource, scope, span, span event or link, duplicates included.
        max_span_events: Span events of one span, and links of one span.
        max_nesting: Arrays and key-value lists inside one another in one value; protobuf groups inside one
            another. Google's protobuf runtime stops at a depth of 100 messages, which is 32 nested key-value
            lists: the reference reports deeper ones as damage even where this cap is raised.
        max_json_nesting: Containers inside one another in OTLP/JSON, and in JSON text found in a string
            attribute (deeper text is no error there: it stays a string).
    """

    max_body_bytes: int = 32 << 20
    max_decompressed_bytes: int = 64 << 20
    max_decompression_ratio: int = 200
    max_spans: int = 100_000
    max_attributes: int = 4_096
    max_span_events: int = 8_192
    max_nesting: int = 30
    max_json_nesting: int = 128


def limits_of(limits: Limits | Mapping[str, int] | None) -> Limits:
    """The caps from an object, from a mapping of the ones that differ from the defaults, or the defaults.

    Raises:
        TypeError: A name in the mapping is not the name of a cap.
    """
    if isinstance(limits, Limits):
        return limits
    given = dict(limits or {})
    unknown = sorted(given.keys() - {field.name for field in fields(Limits)})
    if unknown:
        raise TypeError(f"limits has no cap named {', '.join(unknown)}. Take the names from spanmap.reference.Limits.")
    return Limits(**given)
