"""Random trace requests, as canonical OTLP/JSON values.

The vocabulary is not written by hand: attribute keys and values come from the captured exports and the vectors, and
every key that a rule of the core knows is added. So a new dialect is covered as soon as its data is there.
"""

from __future__ import annotations

import base64
import json
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import vectors
from encode import to_json

Json = Any
Draw = Any

TESTS = Path(__file__).parent
KEYS_SOURCE = TESTS.parent / "rust/core/src/keys.rs"
# Longer values make examples slow without making them different.
MAX_VALUE_CHARACTERS = 3_000


@cache
def vocabulary() -> tuple[list[tuple[str, Json]], list[str]]:
    """Attributes as they were seen, each key with at most six different values; and every key known anywhere."""
    pairs: dict[str, dict[str, Json]] = {}
    for request in _requests():
        for key, value in _attributes(request):
            text = json.dumps(value, sort_keys=True)
            seen = pairs.setdefault(key, {})
            if len(text) <= MAX_VALUE_CHARACTERS and len(seen) < 6:
                seen.setdefault(text, value)
    known = re.findall(r'^    [A-Z0-9_]+ = "((?:[^"\\]|\\.)*)",$', KEYS_SOURCE.read_text("utf-8"), re.MULTILINE)
    assert len(known) > 100, "keys.rs is written in a way that this pattern does not know"
    # Indexed keys of long histories are many and alike.
    pairs = {key: seen for key, seen in pairs.items() if not re.search(r"\.\d{2,}\.", key)}
    return [(key, value) for key, seen in pairs.items() for value in seen.values()], sorted({*pairs, *known})


def _requests() -> list[Json]:
    bodies = [path for path in (TESTS / "corpus").glob("*/*.*") if path.stat().st_size < 200_000]
    captured = [
        to_json(path.read_bytes()) if path.suffix == ".pb" else json.loads(path.read_bytes()) for path in sorted(bodies)
    ]
    return captured + [
        vector.request for vector in vectors.load() if vector.signal == "traces" and vector.status == 200
    ]


def _attributes(value: Json) -> Any:
    """Every attribute in a request, of whatever it is an attribute."""
    if isinstance(value, dict):
        for item in value.get("attributes") or []:
            if isinstance(item.get("value"), dict) and isinstance(item.get("key"), str):
                yield item["key"], item["value"]
        for key, item in value.items():
            if key != "attributes":
                yield from _attributes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _attributes(item)


def texts(**limits: Any) -> st.SearchStrategy[str]:
    """Texts that UTF-8 can hold."""
    return st.text(st.characters(exclude_categories=["Cs"]), **limits)


ODD = json.loads((TESTS / "odd.json").read_text("utf-8"))
# Strings that rules read in their own ways, or nearly do.
LITERALS: list[str] = ODD["strings"]

json_texts = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts(max_size=8)
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "tool_calls", "parts", "name", "id", "finish_reason", "value", "a"]
            ),
            inner,
        )
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value, ensure_ascii=False))

strings = st.one_of(st.sampled_from(LITERALS), json_texts, texts(max_size=20))
integers = st.one_of(
    st.sampled_from([0, 1, -1, 15, 429, 500, 599, 600, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]),
    st.integers(-(2**63), 2**63 - 1),
)
doubles = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2.0**63]), st.floats()
)


def _double(number: float) -> Json:
    names = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return {"doubleValue": number if math.isfinite(number) else names.get(number, "NaN")}


scalar_values = st.one_of(
    strings.map(lambda text: {"stringValue": text}),
    strings.map(lambda text: {"stringValue": text}),
    st.booleans().map(lambda flag: {"boolValue": flag}),
    integers.map(lambda number: {"intValue": str(number)}),
    doubles.map(_double),
    st.binary(max_size=8).map(lambda data: {"bytesValue": base64.b64encode(data).decode()}),
    st.just({}),
)
member_keys = st.one_of(
    st.sampled_from(["role", "content", "type", "text", "event.name", "", "a", "0"]), texts(max_size=4)
)
values = st.recursive(
    scalar_values,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: {"arrayValue": {"values": items}})
        | st.lists(st.tuples(member_keys, inner), max_size=4).map(
            lambda items: {"kvlistValue": {"values": [{"key": key, "value": value} for key, value in items]}}
        )
    ),
    max_leaves=6,
)


@cache
def ordinary_values() -> list[Json]:
    """Values that cost one draw: Hypothesis is slow at drawing nested ones, and most attributes need no more."""
    plain: list[Json] = [{"stringValue": text} for text in LITERALS]
    plain += [{"intValue": str(number)} for number in (0, 1, -1, 15, 429, 500, 600, 2**53 + 1, 2**63 - 1, -(2**63))]
    plain += [_double(number) for number in (0.0, -0.0, 1.0, 0.1, 1e21, 5e-324, 2.0**63, math.nan, math.inf, -math.inf)]
    plain += [{"boolValue": True}, {"boolValue": False}, {"bytesValue": ""}, {"bytesValue": "AP9/"}, {}]
    lists = [{"arrayValue": {"values": plain[index::17]}} for index in range(17)]
    names = ["role", "content", "type", "text", "value", "event.name", "a", "a"]
    entries = [
        [{"key": key, "value": value} for key, value in zip(names, plain[index:], strict=False)]
        for index in range(0, 80, 5)
    ]
    objects = [{"kvlistValue": {"values": items}} for items in entries]
    return [
        *plain,
        *lists,
        *objects,
        {"arrayValue": {}},
        {"kvlistValue": {}},
        {"arrayValue": {"values": [lists[0], *objects[:2], {}]}},
    ]


INDEXED = [
    f"{prefix}{index}{field}"
    for prefix in (
        "gen_ai.prompt.",
        "gen_ai.completion.",
        "llm.request.functions.",
        "llm.input_messages.",
        "llm.output_messages.",
    )
    for index in ("0", "1", "2", "10", "01", "", "1e1", "0x2", "-1", "x")
    for field in (
        ".role",
        ".content",
        ".name",
        ".finish_reason",
        ".tool_calls.0.name",
        ".message.role",
        ".message.content",
        "",
    )
]


@cache
def _any_attribute() -> st.SearchStrategy[tuple[str, Json]]:
    pairs, keys = vocabulary()
    seen = st.sampled_from(pairs)
    ordinary = st.tuples(st.sampled_from(keys), st.sampled_from(ordinary_values()))
    indexed = st.tuples(st.sampled_from(INDEXED), st.sampled_from(ordinary_values()))
    odd = st.tuples(st.one_of(st.sampled_from(keys), texts(max_size=6)), values)
    return st.one_of(seen, seen, seen, ordinary, ordinary, indexed, odd)


def attributes(max_size: int = 10) -> st.SearchStrategy[Json]:
    """Attributes: mostly as seen, some with another value, some keys unknown; duplicates happen."""
    named = st.lists(_any_attribute(), max_size=max_size)
    return named.map(lambda drawn: [{"key": key, "value": value} for key, value in drawn])


ids = {
    size: st.one_of(
        st.sampled_from(["", "00" * size, "ab" * size, "0102030405060708090a0b0c0d0e0f10"[: 2 * size]]),
        st.binary(min_size=size, max_size=size).map(bytes.hex),
    )
    for size in (8, 16)
}
times = st.one_of(
    st.sampled_from(
        [0, 1, 1_704_067_200_000_000_000, 1_704_067_201_500_000_000, 1_704_067_200_000_001_000, 2**63, 2**64 - 1]
    ),
    st.integers(1_704_067_200_000_000_000, 1_704_067_260_000_000_000),
).map(str)
span_names = st.one_of(
    st.sampled_from(
        [
            "",
            "chat gpt-4o",
            "ai.generateText",
            "ai.generateText.doGenerate",
            "ai.eve.turn",
            "agent run",
            "GET /",
            "openai.chat",
        ]
    ),
    st.sampled_from(LITERALS),
    texts(max_size=8),
)
EVENT_NAMES = [
    "exception",
    "gen_ai.user.message",
    "gen_ai.choice",
    "gen_ai.content.prompt",
    "gen_ai.client.inference.operation.details",
    "",
]
EVENT_KEYS = [
    *("exception.message", "exception.type", "error.message", "http.status_code", "status_code", "$ai_http_status"),
    *("content", "gen_ai.prompt", "gen_ai.completion", "message", "gen_ai.input.messages", "gen_ai.output.messages"),
]


@cache
def _optional_members() -> dict[str, st.SearchStrategy[Json]]:
    own = st.tuples(st.sampled_from(EVENT_KEYS), st.sampled_from(ordinary_values()))
    event_attributes = st.lists(own.map(lambda pair: {"key": pair[0], "value": pair[1]}), max_size=3)
    span_event = st.fixed_dictionaries(
        {
            "name": st.sampled_from(EVENT_NAMES),
            "timeUnixNano": times,
            "attributes": st.one_of(event_attributes, attributes(max_size=2)),
        }
    )
    message = st.one_of(st.sampled_from(LITERALS), texts(max_size=8))
    return {
        "parentSpanId": ids[8],
        "kind": st.integers(-1, 6),
        "status": st.fixed_dictionaries(
            {"code": st.sampled_from([0, 1, 2, 2, 2, 3, -1])}, optional={"message": message}
        ),
        "events": st.lists(span_event, min_size=1, max_size=2),
        "links": st.just([{"traceId": "ab" * 16, "spanId": "cd" * 8}]),
        "traceState": st.just("vendor=1"),
        "flags": st.integers(0, 2**32 - 1),
    }


@st.composite
def spans(draw: Draw) -> Json:
    span: dict[str, Json] = {
        "traceId": draw(ids[16]),
        "spanId": draw(ids[8]),
        "name": draw(span_names),
        "startTimeUnixNano": draw(times),
        "endTimeUnixNano": draw(times),
        "attributes": draw(attributes()),
    }
    optional = _optional_members()
    for member in draw(st.lists(st.sampled_from(sorted(optional)), max_size=3, unique=True)):
        span[member] = draw(optional[member])
    return span


SCOPES = [
    "",
    "opentelemetry.instrumentation.openai.v1",
    "pydantic-ai",
    "openlit",
    "strands.telemetry.tracer",
    "ai",
    "litellm",
    "s",
]


@st.composite
def requests(draw: Draw) -> Json:
    """A canonical OTLP/JSON request of a few spans, often of one tree."""
    request: Json = {"resourceSpans": []}
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        scopes = []
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            name = draw(st.sampled_from([None, *SCOPES]))
            scope = {} if name is None else {"scope": {"name": name, "version": "1.0"}}
            scopes.append({**scope, "spans": draw(st.lists(spans(), max_size=3))})
        resource = {"resource": {"attributes": draw(attributes(max_size=3))}} if draw(st.booleans()) else {}
        request["resourceSpans"].append({**resource, "scopeSpans": scopes})
    if draw(st.booleans()):
        _plant_tree(
            draw,
            [span for group in request["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]],
        )
    return request


def _plant_tree(draw: Draw, flat: list[Json]) -> None:
    """Makes the spans one trace, each a child of an earlier one or of none."""
    for index, span in enumerate(flat):
        span.update(traceId="ab" * 16, spanId=f"{index + 1:016x}")
        span.pop("parentSpanId", None)
        if index and draw(st.booleans()):
            span["parentSpanId"] = f"{draw(st.integers(1, index)):016x}"


def dump(request: Json) -> bytes:
    return json.dumps(request, ensure_ascii=False).encode()
