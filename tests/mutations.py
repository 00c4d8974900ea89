"""Ways to write a request differently: the same in another spelling, or wounded."""

from __future__ import annotations

import base64
import copy
import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from strategies import ODD

if TYPE_CHECKING:
    from collections.abc import Iterator

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
def misshapen(draw: Draw, request: Json) -> bytes:
    """OTLP/JSON in which one to three members were given another value or another name: mostly sound JSON.

    The replacements are texts of tokens, some of them no JSON at all; so they go in after serialising.
    """
    altered = copy.deepcopy(request)
    texts: dict[str, str] = {}
    for number in range(draw(st.integers(1, 3))):
        places = list(_places(altered))
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        mark = f"@@{number}@@"
        action = draw(st.sampled_from(["value", "value", "value", "name", "twice", "drop"]))
        if action == "value":
            container[key] = mark
            texts[f'"{mark}"'] = draw(st.sampled_from(ODD["json_values"] * 4 + ODD["not_json"]))
        elif action == "drop":
            del container[key]
        elif isinstance(container, dict):
            if action == "name":
                container[draw(st.sampled_from(ODD["member_names"]))] = container.pop(key)
            else:
                # The same member once more, with another value: the last one counts.
                container[mark] = draw(st.sampled_from([container[key], None, "1", 2, {}, []]))
                texts[f'"{mark}"'] = json.dumps(key)
    text = json.dumps(altered, ensure_ascii=draw(st.booleans()))
    for mark, token in texts.items():
        text = text.replace(mark, token)
    return text.encode()


def _places(value: Json) -> Iterator[tuple[Json, Json]]:
    """Every member and element, as its container and its name or index."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])
