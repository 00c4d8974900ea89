"""Blobs and vectors of over 1 KiB become a marker in every property; shorter ones and ordinary texts stay."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from builders import chat, map_spans, span
from truth import reading

Json = Any

BYTES = bytes(range(256)) * 8
BASE64 = base64.b64encode(BYTES).decode()
NUMBERS = [number / 7 for number in range(300)]
BYTE_MAP = {str(index): byte for index, byte in enumerate(BYTES[:300])}

TOO_LONG = {
    "base64": (BASE64, "base64"),
    "url-safe base64": (base64.urlsafe_b64encode(BYTES).decode(), "base64"),
    "data URL": (f"data:image/png;base64,{BASE64}", "base64"),
    "vector": (NUMBERS, "vector"),
    "vector as text": (json.dumps(NUMBERS), "vector"),
    "byte map": (BYTE_MAP, "bytes"),
    "byte map as text": (json.dumps(BYTE_MAP), "bytes"),
}
SHORT = {
    "base64": BASE64[:600],
    "vector": NUMBERS[:20],
    "byte map": dict(list(BYTE_MAP.items())[:20]),
    "prose": "It was the best of times, it was the worst of times. " * 60,
    "many texts": [f"word {number}" for number in range(300)],
}


def _message(role: str, content: Json) -> str:
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": "look"}, {"type": "blob", "content": content}]}]
    )


def _chat_message(content: Json) -> str:
    return json.dumps([{"role": "user", "content": [{"type": "image", "data": content}]}])


def _tool(**others: Json) -> dict[str, Json]:
    return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "draw"} | {
        f"gen_ai.tool.call.{name}": item for name, item in others.items()
    }


def _step(**others: Json) -> dict[str, Json]:
    return {"traceloop.span.kind": "task", **{f"traceloop.entity.{name}": item for name, item in others.items()}}


# Where a blob can stand on the wire, and the property that it ends up in.
PLACES: dict[str, tuple[str, Callable[[Json], dict[str, Json]]]] = {
    "input messages": ("$ai_input", lambda blob: chat(gen_ai__input__messages=_message("user", blob))),
    "chat messages": ("$ai_input", lambda blob: chat(gen_ai__input__messages=_chat_message(blob))),
    "output messages": (
        "$ai_output_choices",
        lambda blob: chat(gen_ai__output__messages=_message("assistant", blob)),
    ),
    "tool arguments": ("$ai_input_state", lambda blob: _tool(arguments=json.dumps({"image": blob}))),
    "tool result": ("$ai_output_state", lambda blob: _tool(result=json.dumps({"image": blob}))),
    "input of a step": ("$ai_input_state", lambda blob: _step(input=json.dumps({"image": blob}))),
    "output of a step": ("$ai_output_state", lambda blob: _step(output=json.dumps({"image": blob}))),
    "custom data": ("image", lambda blob: chat() | {"traceloop.association.properties.image": blob}),
    "an attribute of nobody's": ("app.image", lambda blob: chat() | {"app.image": blob}),
    "a property of PostHog's own": ("$ai_image", lambda blob: chat() | {"$ai_image": blob}),
    "tools": (
        "$ai_tools",
        lambda blob: chat(gen_ai__tool__definitions=json.dumps([{"type": "function", "name": "f", "icon": blob}])),
    ),
    "metadata": ("image", lambda blob: chat() | {"metadata": json.dumps({"image": blob})}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", TOO_LONG)
def test_a_long_one_is_replaced_by_a_marker(mapper: str, place: str, kind: str) -> None:
    blob, marker = TOO_LONG[kind]
    name, write = PLACES[place]
    (event,) = map_spans(mapper, span(1, write(blob)))
    properties = event["properties"]
    assert [name for name, found in properties.items() if reading.holds_blob(found)] == []
    assert any(f"[{marker} removed: " in text for text in reading.texts(properties[name]))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", SHORT)
def test_a_short_one_stays(mapper: str, place: str, kind: str) -> None:
    name, write = PLACES[place]
    (event,) = map_spans(mapper, span(1, write(SHORT[kind])))
    kept = list(_values(event["properties"][name]))
    assert SHORT[kind] in kept


def test_an_error_that_repeats_the_request_carries_none(mapper: str) -> None:
    failed = span(1, chat(), error=f"Invalid image: data:image/png;base64,{BASE64}")
    (event,) = map_spans(mapper, failed)
    assert event["properties"]["$ai_error"] == "Invalid image: data:image/png;base64,[base64 removed: 2048 bytes]"


@pytest.mark.parametrize("kind", TOO_LONG)
def test_a_resource_carries_no_blob_either(mapper: str, kind: str) -> None:
    (event,) = map_spans(mapper, span(1, chat(), resource={"app.logo": TOO_LONG[kind][0]}))
    assert not reading.holds_blob(event["properties"]["app.logo"])


def test_a_marker_tells_kind_and_size(mapper: str) -> None:
    told = {"app.image": BASE64, "app.vector": NUMBERS, "app.bytes": BYTE_MAP}
    (event,) = map_spans(mapper, span(1, chat() | told))
    assert {name: event["properties"][name] for name in told} == {
        "app.image": "[base64 removed: 2048 bytes]",
        "app.vector": "[vector removed: 300 numbers]",
        "app.bytes": "[bytes removed: 300 bytes]",
    }


def test_bytes_of_the_wire_are_no_exception(mapper: str) -> None:
    long = span(1, chat())
    told = [{"key": "app.raw", "value": {"bytesValue": BASE64}}, {"key": "app.id", "value": {"bytesValue": "q80="}}]
    long["scopeSpans"][0]["spans"][0]["attributes"] += told
    (event,) = map_spans(mapper, long)
    assert event["properties"]["app.id"] == "abcd"
    assert not reading.holds_blob(event["properties"]["app.raw"])


def test_the_text_around_a_blob_stays(mapper: str) -> None:
    told = chat(gen_ai__input__messages=json.dumps([{"role": "user", "content": f"See {BASE64} there"}]))
    (event,) = map_spans(mapper, span(1, told))
    (text,) = [text for text in reading.texts(event["properties"]["$ai_input"]) if "See" in text]
    assert text == "See [base64 removed: 2048 bytes] there"


@pytest.mark.parametrize("digits", [200, 400, 4000])
def test_a_number_of_many_digits_is_no_blob(mapper: str, digits: int) -> None:
    told = chat(gen_ai__input__messages=json.dumps([{"role": "user", "content": int("1" * digits)}]))
    (event,) = map_spans(mapper, span(1, told | {"app.number": "1" * digits, "app.numbers": f"[{'1' * digits}]"}))
    assert event["properties"]["$ai_input"] == [{"role": "user", "content": int("1" * digits)}]


def _values(found: Json) -> Iterator[Json]:
    """Every value inside, JSON text opened."""
    yield found
    inner = reading.opened(found)
    if isinstance(inner, dict | list):
        for item in inner.values() if isinstance(inner, dict) else inner:
            yield from _values(item)
