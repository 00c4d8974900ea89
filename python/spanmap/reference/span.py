"""A request as the mappers see it, whichever encoding it came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..errors import DecodeError

Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[str, Value] | None"
"""One value. `None` is an attribute without a value; arrays and key-value lists hold none of those."""

Attribute: TypeAlias = tuple[str, Value]
"""Key and value. Lists of them keep the wire's order and its duplicates."""


@dataclass
class Resource:
    """Who produced the spans: a service, a process, a host."""

    attributes: list[Attribute] = field(default_factory=list)


@dataclass
class Scope:
    """Which instrumentation library produced the spans."""

    name: str = ""
    version: str = ""
    attributes: list[Attribute] = field(default_factory=list)


@dataclass
class SpanEvent:
    """Something that happened during a span."""

    name: str = ""
    time_unix_nano: int = 0
    attributes: list[Attribute] = field(default_factory=list)


@dataclass
class Link:
    """A reference to a span of this or another trace."""

    trace_id: bytes = b""
    span_id: bytes = b""
    attributes: list[Attribute] = field(default_factory=list)


@dataclass
class Span:
    """One span and what is around it. Ids are raw bytes; times are nanoseconds since 1970, 0 if unknown."""

    trace_id: bytes = b""
    span_id: bytes = b""
    parent_span_id: bytes = b""
    trace_state: str = ""
    flags: int = 0
    name: str = ""
    kind: int = 0
    start_unix_nano: int = 0
    end_unix_nano: int = 0
    attributes: list[Attribute] = field(default_factory=list)
    events: list[SpanEvent] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    status_code: int = 0
    status_message: str = ""
    scope: Scope = field(default_factory=Scope)
    resource: Resource = field(default_factory=Resource)


@dataclass
class Request:
    """One decoded export request.

    Attributes:
        spans: The spans that could be read, in document order.
        rejected: Why the others could not, under `on_error="skip"`.
    """

    spans: list[Span] = field(default_factory=list)
    rejected: list[DecodeError] = field(default_factory=list)

    @property
    def span_count(self) -> int:
        """How many spans the request held, whatever became of them."""
        return len(self.spans) + len(self.rejected)


def last_values(attributes: list[Attribute]) -> dict[str, Value]:
    """The attributes as a mapping: the last duplicate with a value wins, those without one are dropped."""
    return {key: value for key, value in attributes if value is not None}


def first_value(attributes: list[Attribute], key: str) -> Value:
    """The value of the first attribute with this key, even where that one has none and a later one has."""
    return next((value for name, value in attributes if name == key), None)
