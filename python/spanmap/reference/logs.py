"""A log request as the mappers see it, whichever encoding it came in."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import DecodeError
from .span import Attribute, Resource, Value


@dataclass
class LogRecord:
    """One log record and its resource. Ids are raw bytes; times are nanoseconds since 1970, 0 if unknown.

    Attributes:
        body: `None` where the record has none.
        encoded: The record's canonical protobuf form, whichever encoding it came in: fields by number,
            defaults left out, and nothing that holds no value. Two records are the same when these are.
    """

    time_unix_nano: int = 0
    observed_time_unix_nano: int = 0
    body: Value = None
    attributes: list[Attribute] = field(default_factory=list)
    trace_id: bytes = b""
    span_id: bytes = b""
    event_name: str = ""
    resource: Resource = field(default_factory=Resource)
    encoded: bytes = b""


@dataclass
class LogRequest:
    """One decoded `ExportLogsServiceRequest`.

    Attributes:
        records: The records that could be read, in document order.
        rejected: Why the others could not, under `on_error="skip"`.
    """

    records: list[LogRecord] = field(default_factory=list)
    rejected: list[DecodeError] = field(default_factory=list)

    @property
    def record_count(self) -> int:
        """How many records the request held, whatever became of them."""
        return len(self.records) + len(self.rejected)
