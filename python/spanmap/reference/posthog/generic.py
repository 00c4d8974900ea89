"""The generic mapping: `gen_ai.*` to `$ai_*`. "Set" means that the property exists, even as null."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .capture import REQUEST_TYPES, SPAN
from .javascript import Parse, is_truthy, json_text, parsed_or_text, utf16_length
from .older_events import map_older_events

if TYPE_CHECKING:
    from ..event import Event, Properties

TRACE = "$ai_trace"

# Each overwrites its target. The ones that end in True hold JSON in a string.
PRIMARY: tuple[tuple[str, str, bool], ...] = (
    ("gen_ai.input.messages", "$ai_input", True),
    ("gen_ai.output.messages", "$ai_output_choices", True),
    ("gen_ai.tool.definitions", "$ai_tools", True),
    ("gen_ai.usage.input_tokens", "$ai_input_tokens", False),
    ("gen_ai.usage.output_tokens", "$ai_output_tokens", False),
    ("gen_ai.usage.cache_read.input_tokens", "$ai_cache_read_input_tokens", False),
    ("gen_ai.usage.cache_creation.input_tokens", "$ai_cache_creation_input_tokens", False),
    ("gen_ai.response.model", "$ai_model", False),
    ("gen_ai.provider.name", "$ai_provider", False),
    ("server.address", "$ai_base_url", False),
    ("telemetry.sdk.name", "$ai_lib", False),
    ("telemetry.sdk.version", "$ai_lib_version", False),
    ("$otel_span_name", "$ai_span_name", False),
)
FALLBACK: tuple[tuple[str, str], ...] = (
    ("gen_ai.system", "$ai_provider"),
    ("gen_ai.request.model", "$ai_model"),
    ("gen_ai.usage.prompt_tokens", "$ai_input_tokens"),
    ("gen_ai.usage.completion_tokens", "$ai_output_tokens"),
)
REMOVED = (
    "telemetry.sdk.language",
    "gen_ai.operation.name",
    "posthog.ai.debug",
    "user.id",
    "posthog.distinct_id",
    "llm.request.type",
)
MAX_INSTRUCTIONS = 500_000
MAX_GROUPS = 10_000
INTEGER = re.compile(r"[+-]?[0-9]+\Z")


def map_generic(event: Event, parse: Parse) -> None:
    """Maps in place. The steps depend on one another and run in PostHog's order."""
    properties = event.properties
    request_type = properties.get("llm.request.type")
    if event.name == SPAN and isinstance(request_type, str):
        event.name = REQUEST_TYPES.get(request_type, SPAN)
    for source, target, is_json in PRIMARY:
        if source in properties:
            value = properties.pop(source)
            properties[target] = parsed_or_text(value, parse) if is_json else value
    for source, target in FALLBACK:
        rename_if_unset(properties, source, target)
    map_older_events(properties, parse)
    _map_system_instructions(properties, parse)
    _map_groups(properties, parse)
    _map_latency(properties)
    if event.name == SPAN and not is_truthy(properties.get("$ai_parent_id")):
        event.name = TRACE
    remove(properties, *REMOVED)


def rename_if_unset(properties: Properties, source: str, target: str) -> None:
    """Moves a property unless its new name is taken; the old name is gone either way."""
    if source in properties:
        value = properties.pop(source)
        properties.setdefault(target, value)


def remove(properties: Properties, *names: str) -> None:
    """Drops the properties that are there."""
    for name in names:
        properties.pop(name, None)


def _map_system_instructions(properties: Properties, parse: Parse) -> None:
    """Puts the instructions in front of the input, unless a system message stands there already."""
    value = properties.pop("gen_ai.system_instructions", None)
    if value is None or (isinstance(value, str) and utf16_length(value) > MAX_INSTRUCTIONS):
        return
    text = _instructions_text(parsed_or_text(value, parse))
    if not text:
        return
    message = {"role": "system", "content": text}
    if "$ai_input" not in properties:
        properties["$ai_input"] = [message]
        return
    messages = properties["$ai_input"]
    if isinstance(messages, list):
        first = messages[0] if messages else None
        if not (isinstance(first, dict) and first.get("role") == "system"):
            properties["$ai_input"] = [message, *messages]


def _instructions_text(value: Any) -> str:
    """Text as it is, the text parts of a list joined by blank lines, anything else, null too, as its JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [part.get("content") for part in value if isinstance(part, dict) and part.get("type") == "text"]
        return "\n\n".join(part for part in parts if isinstance(part, str) and part)
    return json_text(value)


def _map_groups(properties: Properties, parse: Parse) -> None:
    groups = properties.get("$groups")
    if not isinstance(groups, str):
        return
    if utf16_length(groups) > MAX_GROUPS:
        del properties["$groups"]
        return
    parsed = parsed_or_text(groups, parse)
    if isinstance(parsed, dict):
        properties["$groups"] = parsed


def _map_latency(properties: Properties) -> None:
    """Seconds from start to end; a start of 0 gives the absolute end time, as it does in PostHog."""
    start = properties.pop("$otel_start_time_unix_nano", None)
    end = properties.pop("$otel_end_time_unix_nano", None)
    both = isinstance(start, str) and isinstance(end, str) and INTEGER.match(start) and INTEGER.match(end)
    if both and int(end) > int(start):
        # The difference becomes a double first, as it does upstream: Python would divide the exact integers.
        properties["$ai_latency"] = float(int(end) - int(start)) / 1_000_000_000
