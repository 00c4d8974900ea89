"""An event: plain data between dialect and sink."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

Properties: TypeAlias = dict[str, Any]
"""Property names and JSON values, in the order in which they were first set."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Event:
    """One PostHog event.

    Attributes:
        name: `$ai_generation`, `$ai_embedding`, `$ai_span` or `$ai_trace`.
        timestamp: RFC 3339, UTC; `None` where the span knows no start (PostHog then takes the time of
            arrival).
        uuid: A function of the payload, so that a retry or a replay never counts twice.
    """

    name: str
    distinct_id: str
    timestamp: str | None
    uuid: str = ""
    properties: Properties = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The event as PostHog's capture API takes it."""
        return {
            "event": self.name,
            "distinct_id": self.distinct_id,
            "timestamp": self.timestamp,
            "uuid": self.uuid,
            "properties": self.properties,
        }


def timestamp_of(unix_nano: int) -> str | None:
    """RFC 3339 with the fewest of 0, 3, 6 or 9 fractional digits that is exact.

    >>> timestamp_of(1704067200000000000), timestamp_of(1704067200418417126), timestamp_of(0)
    ('2024-01-01T00:00:00Z', '2024-01-01T00:00:00.418417126Z', None)
    """
    if unix_nano == 0:
        return None
    seconds, nanos = divmod(unix_nano, 1_000_000_000)
    # An int64 of nanoseconds ends in 2262 and a uint64 in 2554: both within what datetime can say.
    whole = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{nanos:09d}"
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"
