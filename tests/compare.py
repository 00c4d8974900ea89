"""Compares events the way a consumer of JSON does: no key order, 1 and 1.0 are one number, timestamps are instants.

Also knows the placeholders of the conformance vectors: `@@REPEAT:c:n@@` stands for n times the character c, and
`<random-uuid>` and `<received-at>` for what PostHog invents and spanmap derives or leaves out.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

Json = Any

REPEAT = re.compile(r"@@REPEAT:(.):(\d+)@@", re.DOTALL)
RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
# Long texts are cut in messages: a failure should fit a screen.
SHOWN_CHARACTERS = 300


def expand(value: Json) -> Json:
    """The value with every `@@REPEAT:c:n@@` written out."""
    if isinstance(value, str):
        return REPEAT.sub(lambda match: match[1] * int(match[2]), value)
    if isinstance(value, list):
        return [expand(item) for item in value]
    if isinstance(value, dict):
        return {expand(key): expand(item) for key, item in value.items()}
    return value


def difference(actual: Json, expected: Json, path: str = "$", *, doubles: bool = False) -> str | None:
    """Where two JSON values first differ, as text, or None when a JSON consumer could not tell them apart.

    With `doubles` the consumer is JavaScript, to which all numbers are doubles; otherwise integers are exact.
    """
    if isinstance(actual, bool) or isinstance(expected, bool) or actual is None or expected is None:
        same = actual is expected
    elif isinstance(actual, int | float) and isinstance(expected, int | float):
        same = float(actual) == float(expected) if doubles else actual == expected
    elif isinstance(actual, dict) and isinstance(expected, dict):
        for key in [*actual, *(key for key in expected if key not in actual)]:
            if key not in expected:
                return f"{path}[{key!r}] is there, as {shown(actual[key])}, and should not be"
            if key not in actual:
                return f"{path}[{key!r}] is missing: {shown(expected[key])}"
            if found := difference(actual[key], expected[key], f"{path}[{key!r}]", doubles=doubles):
                return found
        return None
    elif isinstance(actual, list) and isinstance(expected, list):
        for index, (left, right) in enumerate(zip(actual, expected, strict=False)):
            if found := difference(left, right, f"{path}[{index}]", doubles=doubles):
                return found
        if len(actual) == len(expected):
            return None
        return f"{path} has {len(actual)} items instead of {len(expected)}: {shown(actual)} != {shown(expected)}"
    else:
        same = type(actual) is type(expected) and actual == expected
    return None if same else f"{path}: {shown(actual)} != {shown(expected)}"


def shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}... ({len(text)} characters)"


def instant(timestamp: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 timestamp with up to nine fractional digits."""
    match = RFC3339.fullmatch(timestamp)
    if match is None:
        raise ValueError(f"{timestamp!r} is not an RFC 3339 timestamp")
    seconds = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")) - datetime(1970, 1, 1, tzinfo=UTC)
    return (seconds.days * 86_400 + seconds.seconds) * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))


def difference_from_posthog(actual: list[Json], expected: list[Json]) -> str | None:
    """Where our events differ from a list of PostHog's, which has no uuids and may have placeholders.

    PostHog's were written by JavaScript, which rounds integers beyond 2**53; ours are exact and
    read as the same double.
    """
    if len(actual) != len(expected):
        names = [event["event"] for event in actual], [event["event"] for event in expected]
        return f"{len(actual)} events instead of {len(expected)}: {names[0]} != {names[1]}"
    for index, (ours, theirs) in enumerate(zip(actual, expected, strict=True)):
        found = _difference_from_event(ours, expand(theirs), f"$[{index}]")
        if found is not None:
            return found
    return None


def _difference_from_event(ours: Json, theirs: Json, path: str) -> str | None:
    if found := difference(
        sorted(ours), ["distinct_id", "event", "properties", "timestamp", "uuid"], f"{path} members"
    ):
        return found
    if theirs["distinct_id"] == "<random-uuid>":
        uuid.UUID(ours["distinct_id"])
    elif ours["distinct_id"] != theirs["distinct_id"]:
        return f"{path}.distinct_id: {ours['distinct_id']!r} != {theirs['distinct_id']!r}"
    if theirs["timestamp"] == "<received-at>":
        if ours["timestamp"] is not None:
            return f"{path}.timestamp: {ours['timestamp']!r} although the span has no start time"
    elif instant(ours["timestamp"]) != instant(theirs["timestamp"]):
        return f"{path}.timestamp: {ours['timestamp']!r} != {theirs['timestamp']!r}"
    if ours["event"] != theirs["event"]:
        return f"{path}.event: {ours['event']!r} != {theirs['event']!r}"
    return difference(ours["properties"], theirs["properties"], f"{path}.properties", doubles=True)
