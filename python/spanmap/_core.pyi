import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self, final

from spanmap.errors import DecodeError
from spanmap.explanation import Explanation
from spanmap.limits import Limits
from spanmap.user_rules import Rule

__all__ = ["Batch", "Drop", "EventChunks", "Mapper", "cache_conventions", "default_limits", "rules"]

@final
class Drop:
    @property
    def reason(self) -> str: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Batch:
    @property
    def events(self) -> list[dict[str, Any]]: ...
    @property
    def span_count(self) -> int: ...
    @property
    def drops(self) -> list[Drop]: ...
    @property
    def errors(self) -> list[DecodeError]: ...
    def to_json(self) -> bytes: ...
    def to_json_lines(self) -> bytes: ...
    def encoded(self, start: int = 0, stop: int | None = None) -> list[tuple[str, str, bool, bytes]]: ...

@final
class EventChunks:
    def __iter__(self) -> Self: ...
    def __next__(self) -> list[dict[str, Any]]: ...

@final
class Mapper:
    def __new__(
        cls,
        *,
        compat: Literal["best", "posthog"] = "best",
        prefixes: Sequence[str] | None = None,
        drop_resource_prefixes: Sequence[str] | None = None,
        limits: Limits | Mapping[str, int] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        privacy_mode: bool = False,
        rules: Iterable[Rule] | str | os.PathLike[str] | None = None,
    ) -> Self: ...
    def map_traces(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> list[dict[str, Any]]: ...
    def map_traces_json(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> bytes: ...
    def iter_traces(
        self,
        body: bytes | bytearray | memoryview,
        *,
        chunk_size: int = 1000,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> EventChunks: ...
    def map_batch(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> Batch: ...
    def map_spans(self, spans: Iterable[Any]) -> list[dict[str, Any]]: ...
    def map_spans_json(self, spans: Iterable[Any]) -> bytes: ...
    def map_spans_batch(
        self, spans: Iterable[Any], *, elsewhere: Sequence[tuple[Any, bool]] | None = None
    ) -> Batch: ...
    def keeps(self, span: Any) -> bool: ...
    def map_logs(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> list[dict[str, Any]]: ...
    def map_logs_json(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> bytes: ...
    def map_logs_batch(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> Batch: ...
    def explain(
        self,
        body: bytes | bytearray | memoryview,
        *,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> Explanation: ...
    @property
    def counters(self) -> dict[str, Any]: ...

def default_limits() -> dict[str, int]: ...
def rules() -> list[dict[str, Any]]: ...
def cache_conventions() -> list[tuple[str, str]]: ...
