"""The reference mapper: slow, obvious, independent. A second opinion on the core, not a copy of it.

It is written from the OTLP specification and from what is known of PostHog's pipeline; it decodes with
Google's protobuf runtime and the json module, and it never imports the core. Where the two differ, one of
them is wrong.

It needs the extra `spanmap[reference]` (opentelemetry-proto, protobuf, zstandard). Data flows through the
same five nouns as in the core: wire, span, dialect, event, sink.

>>> span = b'{"name":"chat","attributes":{"gen_ai.operation.name":"chat"}}'
>>> body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % span
>>> [event["event"] for event in map_traces(body)]
['$ai_generation']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DecodeError, InputTypeError
from . import dialect, sink, wire
from .limits import Limits, limits_of
from .options import RESOURCE_NOISE, Options
from .rules import UserRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .event import Event

__all__ = ["Limits", "Mapper", "map_logs", "map_logs_json", "map_traces", "map_traces_json"]


class Mapper:
    """Maps OTLP trace exports to PostHog events. Keeps no state between calls except `rejected`.

    Args:
        compat: `"best"` tells the truth of what happened; `"posthog"` gives what PostHog's own pipeline
            gives.
        prefixes: A span is kept when one of its attribute keys starts with one of these; `None` is the mode's
            own list.
        drop_resource_prefixes: Resource attributes whose keys start with one of these do not become
            properties.
        limits: The caps, as `Limits` or as a mapping of those that differ from the defaults.
        on_error: `"raise"` fails the request at the first bad span; `"skip"` leaves out the spans that are
            bad within their own bytes and lists why in `rejected`.
        privacy_mode: Events leave without the content of messages and states.
        rules: Edits of attributes made before any mapping: `{"rename": key, "to": key}`, `{"drop": key}` (a
            trailing `*` makes a prefix), `{"set": key, "value": value}`, `{"prefix": prefix}`.

    Attributes:
        rejected: Why spans of the last call were left out, in document order.

    Raises:
        ValueError: `compat` or `on_error` is none of the values above, or a rule has none of the forms.
        TypeError: `limits` names a cap that does not exist.
    """

    def __init__(
        self,
        *,
        compat: str = "best",
        prefixes: Iterable[str] | None = None,
        drop_resource_prefixes: Iterable[str] = RESOURCE_NOISE,
        limits: Limits | Mapping[str, int] | None = None,
        on_error: str = "raise",
        privacy_mode: bool = False,
        rules: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        if compat not in dialect.MAPPERS:
            raise ValueError(f"compat is {compat!r}. Choose one of {', '.join(sorted(dialect.MAPPERS))}.")
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error is {on_error!r}. Choose raise or skip.")
        self._options = Options(
            compat=compat,
            prefixes=None if prefixes is None else tuple(prefixes),
            drop_resource_prefixes=tuple(drop_resource_prefixes),
            limits=limits_of(limits),
            on_error=on_error,
            privacy_mode=privacy_mode,
            rules=UserRules.of(rules),
        )
        self.rejected: list[DecodeError] = []

    def map_traces(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> list[dict[str, Any]]:
        """Maps one `ExportTraceServiceRequest` to event dicts, in document order.

        Args:
            body: The request body as it came off the connection.
            content_type: The HTTP header; `None` tells JSON from protobuf by its first character.
            content_encoding: The HTTP header: gzip, deflate, zstd or identity; `None` is identity.

        Raises:
            DecodeError: The body is damaged, empty, or of an unknown type or encoding.
            LimitError: A cap is passed.
            InputTypeError: The body is not bytes, bytearray or memoryview.
        """
        return sink.to_dicts(self._events(body, content_type, content_encoding))

    def map_traces_json(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> bytes:
        """As `map_traces`, as a compact UTF-8 JSON array.

        Raises:
            DecodeError: The body is damaged, empty, or of an unknown type or encoding.
            LimitError: A cap is passed.
            InputTypeError: The body is not bytes, bytearray or memoryview.
        """
        return sink.to_json(self._events(body, content_type, content_encoding))

    def map_logs(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> list[dict[str, Any]]:
        """Maps the evaluations of one `ExportLogsServiceRequest` to event dicts, in document order.

        Other log records are no events. `rejected` lists log records.

        Raises:
            DecodeError: The body is damaged, empty, or of an unknown type or encoding.
            LimitError: A cap is passed.
            InputTypeError: The body is not bytes, bytearray or memoryview.
        """
        return sink.to_dicts(self._log_events(body, content_type, content_encoding))

    def map_logs_json(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> bytes:
        """As `map_logs`, as a compact UTF-8 JSON array.

        Raises:
            DecodeError: The body is damaged, empty, or of an unknown type or encoding.
            LimitError: A cap is passed.
            InputTypeError: The body is not bytes, bytearray or memoryview.
        """
        return sink.to_json(self._log_events(body, content_type, content_encoding))

    def _events(
        self, body: bytes | bytearray | memoryview, content_type: str | None, content_encoding: str | None
    ) -> list[Event]:
        request = wire.read(
            _bytes_of(body),
            content_type=content_type,
            content_encoding=content_encoding,
            limits=self._options.limits,
            on_error=self._options.on_error,
        )
        self.rejected = request.rejected
        return dialect.map_request(request, self._options)

    def _log_events(
        self, body: bytes | bytearray | memoryview, content_type: str | None, content_encoding: str | None
    ) -> list[Event]:
        request = wire.read_logs(
            _bytes_of(body),
            content_type=content_type,
            content_encoding=content_encoding,
            limits=self._options.limits,
            on_error=self._options.on_error,
        )
        self.rejected = request.rejected
        return dialect.map_logs(request, self._options)


def _bytes_of(body: bytes | bytearray | memoryview) -> bytes:
    if not isinstance(body, (bytes, bytearray, memoryview)):
        kind = type(body).__name__
        raise InputTypeError(f"body is {kind}. Pass the request body as bytes, bytearray or memoryview.")
    return bytes(body)


def map_traces(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Any,
) -> list[dict[str, Any]]:
    """Maps one trace export to event dicts; `options` are those of `Mapper`, and so are the errors.

    Raises:
        DecodeError: The body is damaged, empty, or of an unknown type or encoding.
        LimitError: A cap is passed.
        InputTypeError: The body is not bytes, bytearray or memoryview.
    """
    return Mapper(**options).map_traces(body, content_type=content_type, content_encoding=content_encoding)


def map_traces_json(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Any,
) -> bytes:
    """As `map_traces`, as a compact UTF-8 JSON array.

    Raises:
        DecodeError: The body is damaged, empty, or of an unknown type or encoding.
        LimitError: A cap is passed.
        InputTypeError: The body is not bytes, bytearray or memoryview.
    """
    return Mapper(**options).map_traces_json(body, content_type=content_type, content_encoding=content_encoding)


def map_logs(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Any,
) -> list[dict[str, Any]]:
    """Maps the evaluations of one log export to event dicts; `options` are those of `Mapper`, and so are the errors.

    Raises:
        DecodeError: The body is damaged, empty, or of an unknown type or encoding.
        LimitError: A cap is passed.
        InputTypeError: The body is not bytes, bytearray or memoryview.
    """
    return Mapper(**options).map_logs(body, content_type=content_type, content_encoding=content_encoding)


def map_logs_json(
    body: bytes | bytearray | memoryview,
    *,
    content_type: str | None = None,
    content_encoding: str | None = None,
    **options: Any,
) -> bytes:
    """As `map_logs`, as a compact UTF-8 JSON array.

    Raises:
        DecodeError: The body is damaged, empty, or of an unknown type or encoding.
        LimitError: A cap is passed.
        InputTypeError: The body is not bytes, bytearray or memoryview.
    """
    return Mapper(**options).map_logs_json(body, content_type=content_type, content_encoding=content_encoding)
