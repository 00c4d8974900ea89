"""Anthropic's own SDKs and agents: `anthropic.*` attributes beside `gen_ai.*` ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .capture import GENERATION
from .generic import map_generic, remove, rename_if_unset
from .javascript import Parse, number_of, parsed_or_text
from .older_events import is_finish_reason

if TYPE_CHECKING:
    from ..event import Event, Properties

RENAMES = (
    ("gen_ai.usage.cache_write.input_tokens", "$ai_cache_creation_input_tokens"),
    ("gen_ai.usage.reasoning.output_tokens", "$ai_reasoning_tokens"),
    ("gen_ai.request.max_tokens", "$ai_max_tokens"),
    ("gen_ai.request.stream", "$ai_stream"),
)
TOTAL = "$ai_cache_creation_input_tokens"
LIFETIMES = (
    ("anthropic.usage.cache_creation.ephemeral_5m_input_tokens", "$ai_cache_creation_5m_input_tokens"),
    ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens", "$ai_cache_creation_1h_input_tokens"),
)
COMPACTION = (
    ("anthropic.usage.compaction.input_tokens", "$ai_input_tokens"),
    ("anthropic.usage.compaction.output_tokens", "$ai_output_tokens"),
)
STOP_REASONS = ("anthropic.message.stop_reason", "anthropic.session.turn.stop_reason")
SERVER_TOOL_ID = "srvtoolu_"


def is_marked(properties: Properties) -> bool:
    """Whether an attribute of the `anthropic.` namespace is there."""
    return any(name.startswith("anthropic.") for name in properties)


def convert(event: Event, parse: Parse) -> None:
    """Converts in place; the generic mapping runs first."""
    properties = event.properties
    is_tool_run = properties.get("gen_ai.operation.name") == "execute_tool"
    map_generic(event, parse)
    for source, target in RENAMES:
        rename_if_unset(properties, source, target)
    if "$ai_input_tokens" in properties:
        properties.setdefault("$ai_cache_reporting_exclusive", False)
    _split_cache_lifetimes(properties)
    _add_compaction(properties)
    for key in STOP_REASONS:
        reason = properties.pop(key, None)
        if is_finish_reason(reason):
            properties.setdefault("$ai_stop_reason", reason)
    session = properties.pop("anthropic.session.id", None)
    if isinstance(session, str) and session:
        properties.setdefault("$ai_session_id", session)
    if is_tool_run:
        _map_tool_run(properties, parse)
    if event.name == GENERATION and "$ai_web_search_count" not in properties:
        count = _web_searches(properties.get("$ai_output_choices"))
        if count:
            properties["$ai_web_search_count"] = count
    properties["$ai_lib"] = "opentelemetry/anthropic"


def _split_cache_lifetimes(properties: Properties) -> None:
    """Splits the cache writes by lifetime, only where the parts add up to the total, or make it."""
    parts = [number_of(properties.get(source)) for source, _ in LIFETIMES]
    if any(target in properties for _, target in LIFETIMES) or parts == [None, None]:
        return
    sum_of_parts = sum(part or 0 for part in parts)
    if number_of(properties.get(TOTAL)) not in (None, sum_of_parts):
        return
    properties[TOTAL] = sum_of_parts
    for (source, target), part in zip(LIFETIMES, parts, strict=True):
        properties[target] = part or 0
        remove(properties, source)


def _add_compaction(properties: Properties) -> None:
    """Adds the tokens of compaction, which are billed too; they also stay under their own name."""
    for source, target in COMPACTION:
        compaction, reported = number_of(properties.get(source)), number_of(properties.get(target))
        if compaction is not None and compaction > 0 and reported is not None:
            properties[target] = reported + compaction


def _map_tool_run(properties: Properties, parse: Parse) -> None:
    if "gen_ai.tool.name" in properties:
        properties["$ai_span_name"] = properties.pop("gen_ai.tool.name")
    states = (
        ("gen_ai.tool.call.arguments", "$ai_input_state"),
        ("anthropic.tool_result.content", "$ai_output_state"),
    )
    for source, target in states:
        if source in properties:
            value = parsed_or_text(properties.pop(source), parse)
            properties.setdefault(target, value)


def _web_searches(choices: Any) -> int:
    """How many searches the server ran: ids with both the call and a list of results."""
    called, answered = set(), set()
    for part in _parts(choices):
        part_id = part.get("id")
        if not isinstance(part_id, str) or not part_id.startswith(SERVER_TOOL_ID):
            continue
        kind = part.get("type")
        if kind in ("tool_call", "server_tool_call") and part.get("name") == "web_search":
            called.add(part_id)
        if kind in ("tool_call_response", "server_tool_call_response") and isinstance(part.get("response"), list):
            answered.add(part_id)
    return len(called & answered)


def _parts(choices: Any) -> list[dict[str, Any]]:
    found = []
    for choice in choices if isinstance(choices, list) else []:
        parts = choice.get("parts") if isinstance(choice, dict) else None
        found += [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return found
