"""Maps OpenTelemetry trace exports of LLM applications to PostHog AI events.

Example:
    >>> import spanmap
    >>> body = spanmap.samples.read("fastapi-openai.pb")  # what an OTLP exporter sends
    >>> events = spanmap.map_traces(body, content_type="application/x-protobuf")
    >>> [event["event"] for event in events].count("$ai_generation")
    4
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any, Unpack

from spanmap import samples
from spanmap._core import Batch, Drop, Mapper, cache_conventions, rules
from spanmap.errors import DecodeError, DeliveryError, InputTypeError, LimitError, SpanmapError
from spanmap.options import MapperOptions

if TYPE_CHECKING:
    from spanmap.explanation import ExplainedEvent, Explanation, PropertyNote, UnusedAttribute
    from spanmap.limits import Limits

__all__ = [
    "Batch",
    "DecodeError",
    "DeliveryError",
    "Drop",
    "ExplainedEvent",
    "Explanation",
    "InputTypeError",
    "LimitError",
    "Limits",
    "Mapper",
    "MapperOptions",
    "PropertyNote",
    "SpanmapError",
    "UnusedAttribute",
    "cache_conventions",
    "map_logs",
    "map_logs_json",
    "map_traces",
    "map_traces_json",
    "rules",
    "samples",
]

# Loading dataclasses takes longer than all else that is imported here: what needs them waits until it is asked for.
_LATER = {
    "ExplainedEvent": "spanmap.explanation",
    "Explanation": "spanmap.explanation",
    "Limits": "spanmap.limits",
    "PropertyNote": "spanmap.explanation",
    "UnusedAttribute": "spanmap.explanation",
}

if not TYPE_CHECKING:  # To a type checker this would mean that the module has every name.

    def __getattr__(name: str) -> object:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
        globals()[name] = found = getattr(importlib.import_module(_LATER[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})


def map_traces(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Unpack[MapperOptions],
) -> list[dict[str, Any]]:
    """Maps one OTLP trace export request to PostHog events.

    Whoever maps more than one request makes a `Mapper` once, and calls its `map_traces`.

    Args:
        body: An `ExportTraceServiceRequest`, as protobuf or JSON. `bytes` are read in place.
        content_type: `application/x-protobuf` or `application/json`; `None` looks at the body.
        content_encoding: `gzip`, `deflate`, `zstd`, or `None` for a body that is not compressed.
        **options: The keyword arguments of `Mapper`.

    Returns:
        A dict for each event: `event` (such as `"$ai_generation"`), `distinct_id`, `timestamp` (RFC 3339 in
        UTC, or `None` when the span has no start time), `uuid` (the same for the same span, so that a retry
        counts once) and `properties`. Latencies are in seconds, costs in US dollars.

    Raises:
        DecodeError: The body is damaged, or its type or encoding is not one of the above.
        LimitError: The body goes over one of the caps.
        InputTypeError: `body` is not `bytes`, `bytearray` or `memoryview`.
        ValueError: An option has a value that is not one of its choices.

    Example:
        >>> import spanmap
        >>> events = spanmap.map_traces(spanmap.samples.read("fastapi-openai.pb"))
        >>> events[0]["properties"]["$ai_model"]
        'gpt-4o-mini-2024-07-18'
    """
    return Mapper(**options).map_traces(body, content_type=content_type, content_encoding=content_encoding)


def map_traces_json(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Unpack[MapperOptions],
) -> bytes:
    """Maps one OTLP trace export request to a JSON array of PostHog events, in UTF-8.

    Faster than `map_traces` where the events only travel on: no Python objects are made. Arguments and errors
    are those of `map_traces`.

    Example:
        >>> import json, spanmap
        >>> body = spanmap.samples.read("fastapi-openai.pb")
        >>> json.loads(spanmap.map_traces_json(body)) == spanmap.map_traces(body)
        True
    """
    return Mapper(**options).map_traces_json(body, content_type=content_type, content_encoding=content_encoding)


def map_logs(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Unpack[MapperOptions],
) -> list[dict[str, Any]]:
    """Maps the evaluations of one OTLP log export request to PostHog events.

    Log records named `gen_ai.evaluation.result` say what a judge made of a span; each becomes one
    `$ai_evaluation`. Other records become nothing.

    Args:
        body: An `ExportLogsServiceRequest`, as protobuf or JSON. `bytes` are read in place.
        content_type: `application/x-protobuf` or `application/json`; `None` looks at the body.
        content_encoding: `gzip`, `deflate`, `zstd`, or `None` for a body that is not compressed.
        **options: The keyword arguments of `Mapper`. `prefixes` does not apply to log records.

    Returns:
        A dict for each event, as `map_traces` gives them.

    Raises:
        DecodeError: The body is damaged, or its type or encoding is not one of the above.
        LimitError: The body goes over one of the caps.
        InputTypeError: `body` is not `bytes`, `bytearray` or `memoryview`.
        ValueError: An option has a value that is not one of its choices.

    Example:
        >>> import spanmap
        >>> spanmap.map_logs(b'{"resourceLogs": []}')
        []
    """
    return Mapper(**options).map_logs(body, content_type=content_type, content_encoding=content_encoding)


def map_logs_json(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Unpack[MapperOptions],
) -> bytes:
    """Maps the evaluations of one OTLP log export request to a JSON array of PostHog events, in UTF-8.

    Arguments and errors are those of `map_logs`.

    Example:
        >>> import spanmap
        >>> spanmap.map_logs_json(b'{"resourceLogs": []}')
        b'[]'
    """
    return Mapper(**options).map_logs_json(body, content_type=content_type, content_encoding=content_encoding)
