"""What was said: the messages of a call, and the input and output of everything else."""

from __future__ import annotations

from typing import Any

from . import indexed
from .classify import Kind, Span
from .messages import (
    Message,
    conversation,
    is_empty,
    is_messages,
    one_message,
    request_messages,
    response_messages,
    tool_call,
    with_system,
)
from .values import parse_container, parse_json, parse_literal, text

Attributes = dict[str, Any]

EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
# Homes of a whole request or answer, tried after those that only ever hold messages.
INPUT_HOMES = (
    "gen_ai.prompt",
    "langwatch.input",
    "gcp.vertex.agent.llm_request",
    "llm.prompts",
    "input.value",
    "llm.prompt",
    "prompt",
)
OUTPUT_HOMES = (
    "gen_ai.completion",
    "langwatch.output",
    "gcp.vertex.agent.llm_response",
    "output.value",
    "llm.completion",
    "llm.response",
    "completion",
)
DETAILS = "gen_ai.client.inference.operation.details"


def event_content(value: Any) -> Any:
    """Content of a span event: text, JSON of parts, or Bedrock blocks `{text}`, `{toolUse}`, `{toolResult}`."""
    found = parse_container(value)
    if not isinstance(found, list):
        return value if found is None else found
    parts: list[Any] = []
    for block in found:
        if isinstance(block, dict) and isinstance(block.get("text"), str):
            parts.append({"type": "text", "text": block["text"]})
        elif isinstance(block, dict) and isinstance(block.get("toolUse"), dict):
            use = block["toolUse"]
            parts.append(
                {
                    "type": "tool_use",
                    "id": use.get("toolUseId"),
                    "name": use.get("name"),
                    "input": use.get("input"),
                }
            )
        elif isinstance(block, dict) and isinstance(block.get("toolResult"), dict):
            result = block["toolResult"]
            parts.append(
                {
                    "type": "tool_result",
                    "tool_use_id": result.get("toolUseId"),
                    "content": result.get("content"),
                }
            )
        else:
            parts.append(block)
    return parts


def event_message(name: str, a: Attributes) -> Message | None:
    """One `gen_ai.*.message` or `gen_ai.choice`, as a span event or an entry of the `events` attribute."""
    role = text(a.get("role")) or EVENT_ROLES.get(name) or "assistant"
    body: Any = a
    if name == "gen_ai.choice":
        inner = a.get("message")
        if isinstance(inner, dict):
            body, role = inner, text(inner.get("role")) or "assistant"
        elif not is_empty(inner):
            body, role = {"content": inner}, "assistant"
    message: Message = {"role": role}
    if not is_empty(body.get("content")):
        message["content"] = event_content(body["content"])
    calls = body.get("tool_calls")
    if not is_empty(calls):
        found = parse_container(calls)
        message["tool_calls"] = calls if found is None else found
    call_id = text(a.get("tool_call_id")) or (text(a.get("id")) if role == "tool" else None)
    if call_id:
        message["tool_call_id"] = call_id
    reason = text(a.get("finish_reason"))
    if reason and name == "gen_ai.choice":
        message["finish_reason"] = reason
    return message if len(message) > 1 else None


def span_event_messages(span: Span) -> tuple[list[Message], list[Message]]:
    """Input and output of the span events that older conventions, and some newer ones, put content in."""
    inputs: list[Message] = []
    outputs: list[Message] = []
    instructions: Any = None
    for name, _, a in span.events:
        if name in EVENT_ROLES:
            message = event_message(name, a)
            if message is not None:
                inputs.append(message)
        elif name == "gen_ai.choice":
            message = event_message(name, a)
            if message is not None:
                outputs.append(message)
        elif name == DETAILS:
            instructions = a.get("gen_ai.system_instructions", instructions)
            inputs += conversation(parse_container(a.get("gen_ai.input.messages")), "user") or []
            outputs += conversation(parse_container(a.get("gen_ai.output.messages")), "assistant") or []
        elif name == "gen_ai.content.prompt":
            inputs += request_messages(_loose(a.get("gen_ai.prompt"))) or []
        elif name == "gen_ai.content.completion":
            outputs += response_messages(_loose(a.get("gen_ai.completion"))) or []
    return with_system(inputs, instructions), outputs


def events_attribute(value: Any) -> tuple[list[Message], list[Message]]:
    """The `events` attribute of Pydantic AI's first format: JSON of a list of message events."""
    inputs: list[Message] = []
    outputs: list[Message] = []
    found = parse_container(value)
    for item in found if isinstance(found, list) else []:
        name = item.get("event.name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        if name in EVENT_ROLES or name == "gen_ai.choice":
            message = event_message(name, item)
            if message is not None:
                (outputs if name == "gen_ai.choice" else inputs).append(message)
    return inputs, outputs


def _loose(value: Any) -> Any:
    """JSON or a Python literal where the text is one, else the text."""
    found = parse_literal(value)
    return value if found is None else found


def input_messages(span: Span) -> list[Any] | None:
    """The conversation that a generation was asked to continue, from the first home that has one."""
    a = span.attributes
    found: list[Any] | None = None
    for key in ("gen_ai.input.messages", "ai.prompt.messages"):
        value = parse_container(a.get(key))
        if not is_empty(value):
            found = request_messages(value)
            break
    if found is None and not is_empty(a.get("ai.prompt")):
        found = request_messages(_loose(a["ai.prompt"]))
    if found is None:
        found = indexed.traceloop_messages(a, "gen_ai.prompt.", "user")
    if found is None:
        found = indexed.openinference_messages(a, "llm.input_messages.", "user")
    if found is None:
        found = next(
            (
                m
                for m in (
                    request_messages(_loose(a.get(k))) for k in ("langfuse.observation.input", "mlflow.spanInputs")
                )
                if m
            ),
            None,
        )
    if found is None:
        found = events_attribute(a.get("events"))[0] or None
    if found is None:
        found = span_event_messages(span)[0] or None
    if found is None:
        found = next(
            (m for m in (request_messages(_loose(a.get(k))) for k in INPUT_HOMES) if m),
            None,
        )
    if "gen_ai.system_instructions" in a:
        found = with_system(found or [], a["gen_ai.system_instructions"]) or None
    elif found is not None or "model_request_parameters" in a:
        found = with_system(found or [], pydantic_instructions(a)) or None
    return found


def pydantic_instructions(a: Attributes) -> list[Any] | None:
    """Pydantic AI keeps the instructions of a failed call only in `model_request_parameters`."""
    found = parse_container(a.get("model_request_parameters"))
    parts = found.get("instruction_parts") if isinstance(found, dict) else None
    return parts if isinstance(parts, list) else None


def vercel_answer(a: Attributes) -> list[Message] | None:
    """`ai.response.text|reasoning|toolCalls|object` as one assistant message."""
    parts: list[Any] = []
    if text(a.get("ai.response.reasoning")):
        parts.append({"type": "reasoning", "text": a["ai.response.reasoning"]})
    if text(a.get("ai.response.text")):
        parts.append({"type": "text", "text": a["ai.response.text"]})
    elif text(a.get("ai.response.object")):
        parts.append({"type": "text", "text": a["ai.response.object"]})
    message: Message = {"role": "assistant"}
    if len(parts) == 1 and parts[0]["type"] == "text":
        message["content"] = parts[0]["text"]
    elif parts:
        message["content"] = parts
    calls = parse_container(a.get("ai.response.toolCalls"))
    if isinstance(calls, list) and calls:
        message["tool_calls"] = [
            tool_call(c.get("toolName"), c.get("args", c.get("input")), c.get("toolCallId"))
            for c in calls
            if isinstance(c, dict)
        ]
    if len(message) == 1:
        if "ai.response.text" not in a:
            return None
        message["content"] = ""
    return [message]


def output_messages(span: Span) -> list[Any] | None:
    """What the model answered, from the first home that has something."""
    a = span.attributes
    value = parse_container(a.get("gen_ai.output.messages"))
    if not is_empty(value):
        found = response_messages(value)
        # LiteLLM leaves the tool calls out of its messages and writes them as indexed attributes.
        if "gen_ai.completion.0.function_call.name" in a:
            return (found or []) + (indexed.traceloop_messages(a, "gen_ai.completion.", "assistant") or []) or None
        return found
    found = vercel_answer(a)
    if found is None:
        found = indexed.traceloop_messages(a, "gen_ai.completion.", "assistant")
    if found is None:
        found = indexed.openinference_messages(a, "llm.output_messages.", "assistant")
    if found is None:
        found = next(
            (
                m
                for m in (
                    response_messages(_loose(a.get(k))) for k in ("langfuse.observation.output", "mlflow.spanOutputs")
                )
                if m
            ),
            None,
        )
    if found is None:
        found = events_attribute(a.get("events"))[1] or None
    if found is None:
        found = span_event_messages(span)[1] or None
    if found is None:
        found = next(
            (m for m in (response_messages(_loose(a.get(k))) for k in OUTPUT_HOMES) if m),
            None,
        )
    return found


def _texts(value: Any) -> Any:
    """One text or a list of texts: items may be JSON texts."""
    if isinstance(value, list):
        items = [parse_json(v) if isinstance(v, str) and v[:1] == '"' else v for v in value]
        return items if all(isinstance(v, str) for v in items) and items else None
    if isinstance(value, str) and value[:1] in ('"', "["):
        inner = parse_json(value)
        if isinstance(inner, (str, list)):
            return _texts(inner) if isinstance(inner, list) else inner or None
    return value if isinstance(value, str) and value else None


def embedding_input(span: Span) -> Any:
    """What was embedded: one text, a list of texts, or messages where the source wrote messages."""
    a = span.attributes
    found: Any = indexed.embedding_texts(a)
    for key in ("ai.values", "ai.value", "inputs"):
        if found is None:
            found = _texts(a.get(key))
    for key in ("langfuse.observation.input", "mlflow.spanInputs", "input.value"):
        value = parse_literal(a.get(key))
        if found is None and isinstance(value, dict):
            found = _texts(value.get("input"))
        elif found is None and isinstance(value, list):
            found = _texts(value)
        elif found is None:
            found = text(a.get(key))
    if found is None:
        found = input_messages(span)
    return found


def last_of(messages: Any, *roles: str) -> Any:
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") in roles:
            return message
    return None


def span_input(span: Span) -> Any:
    """The input of a span that is no call: its own state first, else the conversation it carries."""
    a = span.attributes
    for key in ("gen_ai.input.messages", "pydantic_ai.all_messages", "langfuse.observation.input"):
        value = parse_container(a.get(key))
        if not is_empty(value):
            return value
    return text(a.get("langfuse.observation.input")) or input_messages(span)


def span_output(span: Span) -> Any:
    a = span.attributes
    if not is_empty(a.get("final_result")):
        value = parse_container(a["final_result"])
        return a["final_result"] if value is None else value
    found = output_messages(span)
    if found is not None:
        return found
    stated = text(a.get("langfuse.observation.output"))
    if stated is not None:
        return stated
    return last_of(parse_container(a.get("pydantic_ai.all_messages")), "assistant")


def tool_input(span: Span) -> Any:
    """The arguments of a tool run that no attribute names: Strands puts them in a span event."""
    for name, _, a in span.events:
        if name == "gen_ai.tool.message" and not is_empty(a.get("content")):
            return _loose(a["content"])
    return _state(span, "langfuse.observation.input")


def tool_output(span: Span) -> Any:
    for name, _, a in span.events:
        if name == "gen_ai.choice" and not is_empty(a.get("message")):
            return _loose(a["message"])
    return _state(span, "langfuse.observation.output")


def _state(span: Span, key: str) -> Any:
    value = span.attributes.get(key)
    return None if is_empty(value) else _loose(value)


__all__ = [
    "Kind",
    "embedding_input",
    "input_messages",
    "is_messages",
    "one_message",
    "output_messages",
    "span_input",
    "span_output",
    "tool_input",
    "tool_output",
]
