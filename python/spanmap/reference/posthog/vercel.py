"""The Vercel AI SDK, and Eve on top of it: what is done before the generic mapping, and after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .capture import GENERATION
from .generic import TRACE, map_generic, remove, rename_if_unset
from .javascript import Parse, is_number, number_of, parsed_or_text

if TYPE_CHECKING:
    from ..event import Event, Properties

METADATA, CONTEXT = "ai.telemetry.metadata.", "ai.settings.context."
EVE_KEYS = ("eve.version", "eve.session.id")
EVE_TURN = "ai.eve.turn"
MARKERS = ("ai.operationId", "ai.telemetry.functionId", *EVE_KEYS, *(CONTEXT + key for key in EVE_KEYS))
CACHE_KEYS = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "ai.usage.inputTokenDetails.noCacheTokens",
)
TOP_LEVEL = ("ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject")
# The models whose reasoning tokens PostHog bills on top of the text.
SPLIT_MODELS = re.compile(r"gemini-2\.5-|gemini-3(\.[0-9]+)?-")
REMOVED_PREFIXES = (METADATA, CONTEXT, "ai.request.headers.")
REMOVED = (
    "ai.operationId",
    "ai.telemetry.functionId",
    "ai.model.id",
    "ai.model.provider",
    "ai.settings.maxRetries",
    "ai.settings.maxOutputTokens",
    "ai.settings.output",
    "ai.usage.promptTokens",
    "ai.usage.completionTokens",
    "ai.usage.tokens",
    "ai.usage.inputTokenDetails.noCacheTokens",
    "ai.usage.outputTokenDetails.textTokens",
    "ai.response.id",
    "ai.response.model",
    "ai.response.timestamp",
    "ai.response.providerMetadata",
    "ai.response.avgCompletionTokensPerSecond",
    "ai.response.msToFirstChunk",
    "ai.response.msToFinish",
    "ai.response.reasoning",
    "ai.response.object",
    "ai.response.toolCalls",
    "ai.prompt",
    "ai.prompt.tools",
    "ai.prompt.toolChoice",
    "ai.value",
    "ai.embedding",
    "ai.values",
    "ai.embeddings",
    "ai.schema",
    "ai.schema.name",
    "ai.schema.description",
    "operation.name",
    "resource.name",
    "eve.session.id",
    "gen_ai.request.max_tokens",
    "gen_ai.response.id",
)


def is_marked(properties: Properties) -> bool:
    """Whether one of the markers is there, whatever its value."""
    return any(marker in properties for marker in MARKERS)


def convert(event: Event, parse: Parse) -> None:
    """Converts in place; the generic mapping runs in between."""
    properties = event.properties
    _normalise_eve_context(properties)
    is_eve = any(key in properties for key in EVE_KEYS)
    if is_eve and EVE_TURN in (properties.get("$otel_span_name"), properties.get("$ai_span_name")):
        properties.pop("$ai_parent_id", None)
    if any(key in properties for key in CACHE_KEYS):
        properties.setdefault("$ai_cache_reporting_exclusive", False)
    _prepare_messages(properties, parse)
    _prepare_tools(properties, parse)
    _promote_text(properties, "$groups")

    map_generic(event, parse)

    operation = properties.get("ai.operationId")
    is_top_level = event.name == TRACE or operation in TOP_LEVEL
    if is_top_level and event.name != GENERATION:
        _map_states(properties)
    if operation == "ai.toolCall":
        _map_tool_call(properties, parse)
    _map_function_id(properties, is_top_level)
    _promote_metadata(event, is_top_level)
    _map_stop_reason(properties)
    if is_eve:
        session = properties.get("eve.session.id")
        if isinstance(session, str) and session:
            properties.setdefault("$ai_session_id", session)
    properties["$ai_lib"] = "opentelemetry/vercel-ai"
    if properties.get("$ai_framework") is None:
        properties["$ai_framework"] = "eve" if is_eve else "vercel"
    _split_output_tokens(properties)
    remove(properties, *REMOVED, *[name for name in properties if name.startswith(REMOVED_PREFIXES)])


def _normalise_eve_context(properties: Properties) -> None:
    prefix = CONTEXT + "eve."
    for key in [name for name in properties if name.startswith(prefix)]:
        value = properties.pop(key)
        target = key.removeprefix(CONTEXT)
        if properties.get(target) is None:
            properties[target] = value


def _prepare_messages(properties: Properties, parse: Parse) -> None:
    if "gen_ai.input.messages" not in properties:
        if "ai.prompt.messages" in properties:
            properties["gen_ai.input.messages"] = properties["ai.prompt.messages"]
        else:
            messages = _prompt_messages(parsed_or_text(properties.get("ai.prompt"), parse))
            if messages is not None:
                properties["gen_ai.input.messages"] = messages
    properties.pop("ai.prompt.messages", None)
    if "ai.response.text" in properties:
        text = properties.pop("ai.response.text")
        properties.setdefault("gen_ai.output.messages", [{"role": "assistant", "content": text}])


def _prompt_messages(prompt: Any) -> list[Any] | None:
    """The messages of `ai.prompt`: a list, a question, or an object with system, messages and prompt."""
    if isinstance(prompt, list):
        return prompt
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    if not isinstance(prompt, dict):
        return None
    messages: list[Any] = []
    if isinstance(prompt.get("system"), str) and prompt["system"]:
        messages.append({"role": "system", "content": prompt["system"]})
    if isinstance(prompt.get("messages"), list):
        messages += prompt["messages"]
    elif isinstance(prompt.get("prompt"), str) and prompt["prompt"]:
        messages.append({"role": "user", "content": prompt["prompt"]})
    return messages or None


def _prepare_tools(properties: Properties, parse: Parse) -> None:
    tools = properties.get("ai.prompt.tools")
    if isinstance(tools, list):
        properties.setdefault("gen_ai.tool.definitions", [parsed_or_text(tool, parse) for tool in tools])


def _metadata(properties: Properties, name: str) -> Any:
    """The value from telemetry metadata, else from the context. An empty first one hides the second."""
    key = METADATA + name
    return properties[key] if key in properties else properties.get(CONTEXT + name)


def _metadata_text(properties: Properties, name: str) -> str | None:
    value = _metadata(properties, name)
    return value if isinstance(value, str) and value else None


def _promote_text(properties: Properties, name: str) -> None:
    value = _metadata_text(properties, name)
    if value is not None:
        properties.setdefault(name, value)


def _map_states(properties: Properties) -> None:
    """The LAST user message and the last answer of a whole run."""
    messages, choices = properties.get("$ai_input"), properties.get("$ai_output_choices")
    if isinstance(messages, list):
        users = [item for item in messages if isinstance(item, dict) and item.get("role") == "user"]
        if users:
            properties.setdefault("$ai_input_state", users[-1])
    if isinstance(choices, list) and choices:
        properties.setdefault("$ai_output_state", choices[-1])


def _map_tool_call(properties: Properties, parse: Parse) -> None:
    sources = (
        ("$ai_span_name", "ai.toolCall.name", False),
        ("$ai_input_state", "ai.toolCall.args", True),
        ("$ai_output_state", "ai.toolCall.result", True),
    )
    for target, source, is_json in sources:
        if source in properties:
            value = properties.pop(source)
            properties[target] = parsed_or_text(value, parse) if is_json else value
    properties.pop("ai.toolCall.id", None)


def _map_function_id(properties: Properties, is_top_level: bool) -> None:
    function_id = properties.get("ai.telemetry.functionId")
    if isinstance(function_id, str) and function_id:
        properties.setdefault("functionId", function_id)
        if is_top_level:
            properties["$ai_span_name"] = function_id


def _promote_metadata(event: Event, is_top_level: bool) -> None:
    properties = event.properties
    distinct_id = _metadata_text(properties, "posthog_distinct_id")
    if distinct_id is not None:
        properties.setdefault("posthog_distinct_id", distinct_id)
        event.distinct_id = distinct_id
    _promote_text(properties, "$ai_session_id")
    _promote_text(properties, "$ai_prompt_name")
    version = _metadata(properties, "$ai_prompt_version")
    if (isinstance(version, str) and version) or (is_number(version) and version > 0 and version == int(version)):
        properties.setdefault("$ai_prompt_version", version)
    span_name = _metadata_text(properties, "$ai_span_name")
    if is_top_level and span_name is not None:
        properties["$ai_span_name"] = span_name
    for prefix in (METADATA + "posthog_", CONTEXT + "posthog_"):
        for key in [name for name in properties if name.startswith(prefix)]:
            name = key.removeprefix(prefix)
            if name and not name.startswith("$") and name not in ("distinct_id", "__proto__"):
                properties.setdefault(name, properties[key])


def _map_stop_reason(properties: Properties) -> None:
    reasons = properties.pop("gen_ai.response.finish_reasons", None)
    if "ai.response.finishReason" in properties:
        rename_if_unset(properties, "ai.response.finishReason", "$ai_stop_reason")
    elif isinstance(reasons, list) and reasons:
        properties.setdefault("$ai_stop_reason", reasons[0])


def _split_output_tokens(properties: Properties) -> None:
    """Reasoning tokens stay under their old name too; the split of text tokens is for Gemini 2.5 and 3."""
    details = "ai.usage.outputTokenDetails."
    reasoning_key = details + "reasoningTokens"
    if reasoning_key in properties:
        properties.setdefault("$ai_reasoning_tokens", properties[reasoning_key])
    model = properties.get("$ai_model")
    if not isinstance(model, str) or not SPLIT_MODELS.match(model.lower()):
        return
    names = (details + "textTokens", "$ai_output_tokens", "$ai_reasoning_tokens")
    text, output, reasoning = (number_of(properties.get(name), blank=0) for name in names)
    if text is None and reasoning_key in properties and output is not None and reasoning is not None:
        text = max(0, output - reasoning)
    if text is not None:
        properties.setdefault("$ai_text_output_tokens", text)
