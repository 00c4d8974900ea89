"""Pydantic AI, through Logfire's instrumentation or its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .capture import SPAN
from .generic import TRACE, map_generic, remove, rename_if_unset
from .javascript import Parse, json_text, parsed_container, parsed_or_text
from .older_events import is_finish_reason

if TYPE_CHECKING:
    from ..event import Event, Properties

MARKERS = ("pydantic_ai.all_messages", "logfire.msg", "logfire.json_schema", "model_request_parameters")
REMOVED = (
    "logfire.json_schema",
    "logfire.msg",
    "operation.cost",
    "model_request_parameters",
    "model_name",
    "gen_ai.usage.details.input_tokens",
    "gen_ai.usage.details.output_tokens",
)


def is_marked(properties: Properties) -> bool:
    """Whether one of the markers is there, whatever its value."""
    return any(marker in properties for marker in MARKERS)


def convert(event: Event, parse: Parse) -> None:
    """Converts in place; the generic mapping runs first."""
    map_generic(event, parse)
    properties = event.properties
    if "logfire.msg" in properties:
        properties.setdefault("$ai_span_name", properties["logfire.msg"])
    _lift_stop_reason(properties)
    if event.name == TRACE or "pydantic_ai.all_messages" in properties:
        _map_agent_run(properties, parse)
    if event.name == SPAN:
        _map_tool_run(properties, parse)
    properties["$ai_lib"] = "opentelemetry/pydantic-ai"
    remove(properties, *REMOVED)


def _lift_stop_reason(properties: Properties) -> None:
    choices = properties.get("$ai_output_choices")
    for choice in choices if isinstance(choices, list) else []:
        if isinstance(choice, dict) and is_finish_reason(choice.get("finish_reason")):
            properties.setdefault("$ai_stop_reason", choice["finish_reason"])
            return


def _map_agent_run(properties: Properties, parse: Parse) -> None:
    """The state of an agent run. The FIRST user message is its input, and overwrites what was set before."""
    messages = _messages(properties.pop("pydantic_ai.all_messages", None), parse)
    question = next((message for message in messages if message.get("role") == "user"), None)
    answer = next((message for message in reversed(messages) if message.get("role") not in ("user", "system")), None)
    if question is not None:
        properties["$ai_input_state"] = question
    if "final_result" in properties:
        properties["$ai_output_state"] = parsed_container(properties.pop("final_result"), parse)
    elif answer is not None:
        properties["$ai_output_state"] = answer
    source = "gen_ai.agent.name" if properties.get("gen_ai.agent.name") is not None else "agent_name"
    if source in properties:
        properties["$ai_span_name"] = properties[source]
    remove(properties, "gen_ai.agent.name", "agent_name")
    rename_if_unset(properties, "model_name", "$ai_model")


def _messages(value: Any, parse: Parse) -> list[dict[str, Any]]:
    """The objects of a JSON array in a string; a structured value is not looked at."""
    parsed = parsed_or_text(value, parse) if isinstance(value, str) else None
    return [item for item in parsed if isinstance(item, dict)] if isinstance(parsed, list) else []


def _map_tool_run(properties: Properties, parse: Parse) -> None:
    """The state of a tool run, from the current names before the older ones."""
    states = (
        ("$ai_input_state", "gen_ai.tool.call.arguments", "tool_arguments"),
        ("$ai_output_state", "gen_ai.tool.call.result", "tool_response"),
    )
    for target, current, older in states:
        source = current if current in properties else older
        if source in properties:
            properties[target] = _readable(properties[source], parse)
        remove(properties, current, older)
    if "gen_ai.tool.name" in properties:
        properties["$ai_span_name"] = properties.pop("gen_ai.tool.name")
    remove(properties, "gen_ai.tool.call.id")


def _readable(value: Any, parse: Parse) -> Any:
    """Containers, also out of a string; any other scalar as text."""
    value = parsed_container(value, parse)
    return value if isinstance(value, (str, list, dict)) else json_text(value)
