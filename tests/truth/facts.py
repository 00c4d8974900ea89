"""What really happened in each captured scenario. README.md says where it comes from."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Json = Any

FACTS = Path(__file__).parent / "facts.json.gz"


@dataclass(frozen=True)
class Failure:
    """Why a call failed. The flags say which part of that is on the wire."""

    http_status: int | None
    message: str
    is_told: bool
    message_is_told: bool
    status_is_told: bool


@dataclass(frozen=True, eq=False)
class Call:
    """One request to a model.

    Attributes:
        told: Which of the facts are on the wire at all; only these are judged.
        spans: The ids of all spans that describe the call; several spans are still one call.
        input_tokens: All tokens of the prompt, cached ones included; where a provider counts in two ways, both.
        billed_input: What the provider counted, and likewise `billed_output`.
        distinct_id: The user that the call's trace or resource names, and likewise session and custom properties.
    """

    kind: str
    operation: str
    models: tuple[str, ...]
    provider: str | None
    input_tokens: tuple[int, ...]
    output_tokens: tuple[int, ...]
    billed_input: int | None
    billed_output: int | None
    cache_read_tokens: int | None
    cache_creation_tokens: int | None
    reasoning_tokens: int | None
    user_texts: tuple[str, ...]
    system_texts: tuple[str, ...]
    answer_texts: tuple[str, ...]
    tool_calls: tuple[tuple[str, Json], ...]
    tools_offered: tuple[str, ...]
    stop_classes: tuple[str, ...]
    failure: Failure | None
    spans: tuple[str, ...]
    seconds: tuple[float, ...]
    told: frozenset[str]
    distinct_id: str | None
    session_id: str | None
    custom: tuple[tuple[str, Json], ...]


@dataclass(frozen=True)
class ToolRun:
    """One execution of a tool that has a span of its own."""

    name: str
    arguments: Json
    result: str
    failed: bool
    failure_text: str | None
    span: str
    told: frozenset[str]


@dataclass(frozen=True, eq=False)
class Scenario:
    """One folder of the corpus.

    Attributes:
        calls: The calls that some span describes.
        containers: The names that some event should carry, of agents and workflows; `|` parts accepted spellings.
        hidden_texts: What the application asked its library to keep out of the spans.
        is_private: It did so, and the library obeyed.
        something_failed: A call, a tool or any other span of the scenario failed.
        has_blob: Vectors, base64 or byte maps are on the wire.
    """

    name: str
    library: str
    bodies: tuple[str, ...]
    calls: tuple[Call, ...]
    tools: tuple[ToolRun, ...]
    containers: tuple[str, ...]
    hidden_texts: tuple[str, ...]
    is_private: bool
    something_failed: bool
    has_blob: bool


@cache
def load() -> tuple[Scenario, ...]:
    with gzip.open(FACTS, "rt", encoding="utf-8") as file:
        return tuple(_scenario(row) for row in json.load(file)["scenarios"])


def _scenario(row: Json) -> Scenario:
    all_failed = [*(call["error"] for call in row["calls"]), *(tool["error"] for tool in row["tools"])]
    hidden = row["must_not_contain"]
    return Scenario(
        name=row["scenario"],
        library=f"{row['library']} {row['version']}",
        bodies=tuple(row["bodies"]),
        calls=tuple(_call(call, row["identity"] or {}) for call in row["calls"] if call["on_wire"]),
        tools=tuple(_tool(tool) for tool in row["tools"]),
        containers=tuple(agent["name"] for agent in row["agents"] if agent["available"]),
        # Texts of a few characters turn up by chance.
        hidden_texts=tuple(text for call in row["calls"] for kind in hidden for text in call[kind] if len(text) > 6),
        is_private=bool(hidden) and not row.get("leaks_on_wire"),
        something_failed=any(all_failed) or bool(row["error_spans"]),
        has_blob=bool(row["blob_on_wire"]),
    )


def _call(row: Json, identity: Json) -> Call:
    reachable = row.get("identity_available") or {}
    custom = reachable.get("custom") or {}
    return Call(
        kind=row["kind"],
        operation=row["operation"],
        models=tuple(name for name in (row["model_answered"], row["model_requested"]) if name),
        provider=row["provider"],
        input_tokens=tuple(row.get("input_tokens_accept") or [row["input_tokens_total"]]),
        output_tokens=tuple(row["output_tokens_accept"] or [row["output_tokens"]]),
        billed_input=row["input_tokens_total"],
        billed_output=row["output_tokens"],
        cache_read_tokens=row["cache_read_tokens"],
        cache_creation_tokens=row["cache_creation_tokens"],
        reasoning_tokens=row["reasoning_tokens"],
        user_texts=tuple(row["user_text"]),
        system_texts=tuple(row["system_text"]),
        answer_texts=tuple(row["assistant_text"]),
        tool_calls=tuple((call["name"], call["arguments"]) for call in row["tool_calls"]),
        tools_offered=tuple(row["tools_offered"]),
        stop_classes=tuple(row["finish_class"] or ()),
        failure=_failure(row),
        spans=tuple(row["spans"]),
        seconds=tuple(row["durations_s"]),
        told=frozenset(name for name, is_told in row["available"].items() if is_told),
        distinct_id=identity["distinct_id"] if reachable.get("distinct_id") else None,
        session_id=identity["session_id"] if reachable.get("session_id") else None,
        custom=tuple((name, identity["custom"][name]) for name, is_told in custom.items() if is_told),
    )


def _failure(row: Json) -> Failure | None:
    if not row["error"]:
        return None
    told = row["available"].get("error") or {}
    return Failure(
        http_status=row["error"]["http_status"],
        message=row["error"]["message_contains"],
        is_told=bool(told.get("is_error")),
        message_is_told=bool(told.get("message")),
        status_is_told=bool(told.get("http_status")),
    )


def _tool(row: Json) -> ToolRun:
    return ToolRun(
        name=row["name"],
        arguments=row["arguments"],
        result=row["result_contains"] or "",
        failed=bool(row["error"]),
        failure_text=row["error_contains"],
        span=row["span"],
        told=frozenset(name for name, is_told in row["available"].items() if is_told),
    )
