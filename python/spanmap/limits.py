"""The caps on everything that a sender can make large."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The caps that the decoder and the mapper observe; going over one raises a `LimitError` that names it.

    Attributes:
        max_body_bytes: Bytes of the body as received, before decompression.
        max_decompressed_bytes: Bytes of the body after decompression.
        max_decompression_ratio: Decompressed bytes for each compressed byte. Bodies that stay under 1 MiB
            decompressed are never refused for it.
        max_spans: Spans in one request, before filtering.
        max_attributes: Attributes of one resource, scope, span, span event or link, duplicates counted.
        max_span_events: Span events of one span, and links of one span.
        max_nesting: Arrays and key-value lists inside one another in one attribute value; at most 500.
        max_json_nesting: Containers inside one another in OTLP/JSON, and in JSON text inside a string
            attribute (deeper text is no error there: it stays a string); at most 500.

    Example:
        >>> import spanmap
        >>> mapper = spanmap.Mapper(limits=spanmap.Limits(max_spans=10_000))
    """

    max_body_bytes: int = 32 << 20
    max_decompressed_bytes: int = 64 << 20
    max_decompression_ratio: int = 200
    max_spans: int = 100_000
    max_attributes: int = 4_096
    max_span_events: int = 8_192
    max_nesting: int = 30
    max_json_nesting: int = 128
