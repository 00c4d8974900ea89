"""Builds small trace exports, and maps them in the mode that tells the truth."""

from __future__ import annotations

import json
from typing import Any

from mappers import run

Json = Any

TRACE = "0af7651916cd43dd8448eb211c80319c"
OTHER_TRACE = "1bf7651916cd43dd8448eb211c80319c"
START = 1_704_067_200_000_000_000
SECOND = 1_000_000_000


def value(plain: Json) -> Json:
    """A plain value as an OTLP AnyValue. Objects become key-value lists: JSON text has to be dumped before."""
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(item) for item in plain]}}
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": attributes(plain)}}
    return {"stringValue": plain}


def attributes(plain: dict[str, Json]) -> list[Json]:
    return [{"key": key, "value": value(item)} for key, item in plain.items()]


def span(
    number: int,
    plain: dict[str, Json],
    *,
    parent: int = 0,
    trace: str = TRACE,
    name: str = "chat m1",
    scope: str = "",
    resource: dict[str, Json] | None = None,
    error: str | None = None,
    events: list[tuple[str, dict[str, Json]]] | None = None,
    seconds: float = 1,
) -> Json:
    """One span with its resource and scope, as an item of `request`. Span ids are made of numbers; parent 0 is none."""
    end = START + int(seconds * SECOND)
    made = {
        "traceId": trace,
        "spanId": span_id(number),
        "parentSpanId": span_id(parent) if parent else "",
        "name": name,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(end),
        "attributes": attributes(plain),
        "status": {"code": 1} if error is None else {"code": 2, "message": error},
        "events": [
            {"name": title, "timeUnixNano": str(end), "attributes": attributes(told)} for title, told in events or []
        ],
    }
    return {
        "resource": {"attributes": attributes(resource or {})},
        "scopeSpans": [{"scope": {"name": scope}, "spans": [made]}],
    }


def span_id(number: int) -> str:
    return f"{number:016x}"


def request(*spans: Json) -> bytes:
    return json.dumps({"resourceSpans": spans}).encode()


def map_best(mapper: str, body: bytes, **options: Any) -> list[Json]:
    """The events of a sound body."""
    outcome = run(mapper, body, compat="best", **options)
    assert outcome.error is None, outcome.message
    return outcome.events


def map_spans(mapper: str, *spans: Json, **options: Any) -> list[Json]:
    return map_best(mapper, request(*spans), **options)


def by_span(events: list[Json]) -> dict[str, Json]:
    """The events by the id of their span, which each has once."""
    found = {event["properties"]["$ai_span_id"]: event for event in events}
    assert len(found) == len(events)
    return found


def chat(**others: Json) -> dict[str, Json]:
    """The attributes of a plain chat call; others by keyword have dots for double underscores."""
    told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m1"}
    return told | {key.replace("__", "."): item for key, item in others.items()}
