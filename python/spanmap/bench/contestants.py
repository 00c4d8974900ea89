"""What is timed: spanmap, and what one would use in its place. Each contestant maps all requests of a load."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from spanmap import Mapper

JSON_BYTES = "spanmap, JSON"
DICTS = "spanmap, dicts"
REFERENCE = "reference, dicts"
PLAIN_JSON = "plain Python, JSON"
PLAIN_DICTS = "plain Python, dicts"
COPY = "copying the bodies"

Function = Callable[[], object]
Compat = Literal["best", "posthog"]


def spanmap_contestants(bodies: Sequence[bytes], compat: Compat) -> dict[str, Function]:
    """Both outputs of the mapper."""
    mapper = Mapper(compat=compat)
    return {
        JSON_BYTES: lambda: [mapper.map_traces_json(body) for body in bodies],
        DICTS: lambda: [mapper.map_traces(body) for body in bodies],
    }


def yardsticks(bodies: Sequence[bytes], events_json: Sequence[bytes]) -> dict[str, Function]:
    """What no mapper can beat by much: making the events from their finished JSON, and copying the bodies."""
    loads, name = _json_loads()
    return {
        f"{name} of the events": lambda: [loads(events) for events in events_json],
        COPY: lambda: [bytearray(body) for body in bodies],
    }


def _json_loads() -> tuple[Callable[[bytes], Any], str]:
    try:
        return importlib.import_module("orjson").loads, "orjson.loads"
    except ModuleNotFoundError:
        return json.loads, "json.loads"


def rivals(bodies: Sequence[bytes]) -> tuple[dict[str, Function], dict[str, str]]:
    """The rivals that are installed and can read the bodies; and why the others cannot take part, by name."""
    is_json = any(body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") for body in bodies)
    left_out = dict.fromkeys((PLAIN_JSON, PLAIN_DICTS), "reads protobuf, and a request here is JSON")
    if is_json:
        return {}, left_out
    try:
        plain = importlib.import_module("spanmap.bench.plain_python")
    except ModuleNotFoundError as missing:
        return {}, dict.fromkeys(left_out, _needs(missing))
    return {
        PLAIN_JSON: lambda: [plain.map_traces_json(body) for body in bodies],
        PLAIN_DICTS: lambda: [plain.map_traces(body) for body in bodies],
    }, {}


def reference(bodies: Sequence[bytes], compat: Compat) -> tuple[Function | None, str]:
    """The reference mapper, or why it cannot take part."""
    try:
        module = importlib.import_module("spanmap.reference")
        mapper = module.Mapper(compat=compat)
    except ModuleNotFoundError as missing:
        return None, _needs(missing)
    return lambda: [mapper.map_traces(body) for body in bodies], ""


def _needs(missing: ModuleNotFoundError) -> str:
    return f"needs the module {missing.name}: pip install 'spanmap[bench]'"
