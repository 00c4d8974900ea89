"""Ways to write a request differently: the same in another spelling, or wounded."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from hypothesis import strategies as st
from strategies import ODD

Json = Any
Draw = Any


@st.composite
def respelled(draw: Draw, request: Json) -> bytes:
    """The same request in other JSON spellings that mean the same: every choice is drawn member by member."""
    text = json.dumps(
        _respell(draw, request), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))
    )
    before: str = draw(st.sampled_from(["", "\ufeff", " \n"]))
    after: str = draw(st.sampled_from(["", "\n "]))
    return f"{before}{text}{after}".encode()


ENUMS = {
    "kind": ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"],
    "code": ["UNSET", "OK", "ERROR"],
}


def _respell(draw: Draw, value: Json, member: str = "") -> Json:
    if isinstance(value, list):
        return [_respell(draw, item) for item in value]
    if isinstance(value, dict):
        respelt = {}
        for key, item in value.items():
            spelling = key
            if key in (
                "attributes",
                "stringValue",
                "resourceSpans",
                "startTimeUnixNano",
                "spanId",
                "arrayValue",
                "intValue",
            ):
                spelling = draw(st.sampled_from([key, re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), key)]))
            respelt[spelling] = _respell(draw, item, key)
        if draw(st.integers(0, 9)) == 0 and respelt:
            respelt[draw(st.sampled_from(["unknownMember", "droppedAttributesCount"]))] = draw(
                st.sampled_from([None, 0])
            )
        return respelt
    choices = [value]
    if member in ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue") and isinstance(value, str):
        choices.append(int(value))
    elif member in ENUMS:
        names = ENUMS[member]
        choices.append(str(value))
        if 0 <= value < len(names):
            choices.append(("SPAN_KIND_" if member == "kind" else "STATUS_CODE_") + names[value])
    elif member in ("traceId", "spanId", "parentSpanId"):
        choices.append(value.upper())
        if len(value) in (16, 32):
            choices.append(base64.b64encode(bytes.fromhex(value)).decode())
        elif not value:
            choices.append(None)
    elif member == "boolValue":
        choices.append("true" if value else "false")
    elif member == "bytesValue":
        choices += [value.rstrip("="), value.replace("+", "-").replace("/", "_")]
    elif member == "doubleValue" and isinstance(value, float):
        choices.append(repr(value))
    return draw(st.sampled_from(choices))


@st.composite
def broken(draw: Draw, body: bytes) -> bytes:
    """The body with one to three wounds: bytes changed, cut, doubled or spliced in."""
    data = bytearray(body)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        piece = bytes(data[start:end])
        match draw(st.sampled_from(["change", "flip", "cut", "truncate", "insert", "double", "move"])):
            case "change":
                data[start:end] = draw(st.binary(min_size=end - start, max_size=end - start))
            case "flip" if start < len(data):
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[start:end]
            case "truncate":
                del data[start:]
            case "insert":
                data[start:start] = draw(
                    st.one_of(st.binary(max_size=6), st.sampled_from([b"\xff" * 11, b"\x0a\x00", b"\x80", b"\x0b"]))
                )
            case "double":
                data[start:start] = piece
            case "move":
                del data[start:end]
                data[draw(st.integers(0, len(data))) :][:0] = piece
    return bytes(data)


@st.composite
def broken_json(draw: Draw, request: Json) -> bytes:
    """OTLP/JSON text in which one to three tokens were replaced: mostly sound JSON, mostly of a wrong type."""
    tokens = re.findall(
        r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', json.dumps(request, ensure_ascii=draw(st.booleans()))
    )
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["replace", "replace", "replace", "drop", "double"])):
            case "replace":
                tokens[index] = draw(st.sampled_from(ODD["json_tokens"]))
            case "drop" if len(tokens) > 1:
                del tokens[index]
            case "double":
                tokens.insert(index, tokens[index])
    return "".join(tokens).encode()
