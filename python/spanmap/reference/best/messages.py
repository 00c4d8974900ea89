"""The shapes that messages, parts, tool calls and choices take, and how each becomes a list of messages.

A list whose items already are messages (objects with a role) is handed on as it came. Everything else is brought to
`{"role", "content", "tool_calls", ...}`, the shape of OpenAI's chat messages, which PostHog renders.
"""

from __future__ import annotations

from typing import Any

from .values import parse_container, text

Message = dict[str, Any]

LANGCHAIN_ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "developer": "developer",
    "HumanMessage": "user",
    "HumanMessageChunk": "user",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "SystemMessage": "system",
    "ToolMessage": "tool",
    "user": "user",
    "assistant": "assistant",
}


def is_messages(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(m, dict) and isinstance(m.get("role"), str) for m in value)
    )


def is_empty(value: Any) -> bool:
    """No content at all: null, an empty text, list or object. False and 0 are content."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def tool_call(name: Any, arguments: Any, call_id: Any = None) -> dict[str, Any]:
    call: dict[str, Any] = {}
    if text(call_id):
        call["id"] = call_id
    call["type"] = "function"
    call["function"] = {"name": name, "arguments": arguments}
    return call


def system_text(instructions: Any) -> str | None:
    """The text of system instructions: a text, or a list of parts with `content` or `text`, or JSON of either."""
    found = parse_container(instructions)
    if found is None:
        return text(instructions)
    if isinstance(found, dict):
        found = [found]
    texts: list[str] = []
    for part in found:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            inner = part.get("content", part.get("text"))
            if isinstance(inner, list):
                inner = system_text(inner)
            if isinstance(inner, str):
                texts.append(inner)
    texts = [t for t in texts if t]
    return "\n\n".join(texts) if texts else None


def with_system(messages: list[Any], instructions: Any) -> list[Any]:
    """Puts the system instructions in front, unless a system message already says them."""
    instruction = system_text(instructions)
    if instruction is None:
        return messages
    for message in messages:
        if isinstance(message, dict) and message.get("role") in ("system", "developer"):
            said = message.get("content", message.get("parts"))
            if system_text(said) == instruction:
                return messages
    return [{"role": "system", "content": instruction}, *messages]


def langchain_message(item: Message) -> Message | None:
    """A LangChain message in any of its three forms: constructor, `{type, data}`, or flat `{type, content}`."""
    kind: Any = item.get("type")
    body: Any = item
    if kind == "constructor" and isinstance(item.get("kwargs"), dict):
        body = item["kwargs"]
        names = item.get("id")
        kind = body.get("type") or (names[-1] if isinstance(names, list) and names else None)
    elif isinstance(item.get("data"), dict) and isinstance(kind, str) and kind in LANGCHAIN_ROLES:
        body = item["data"]
    role = LANGCHAIN_ROLES.get(kind) if isinstance(kind, str) else None
    if role is None or "content" not in body:
        return None
    message: Message = {"role": role, "content": body["content"]}
    calls = body.get("tool_calls")
    if isinstance(calls, list) and calls:
        message["tool_calls"] = [
            tool_call(c.get("name"), c.get("args"), c.get("id")) for c in calls if isinstance(c, dict)
        ]
    if text(body.get("tool_call_id")):
        message["tool_call_id"] = body["tool_call_id"]
    if text(body.get("name")):
        message["name"] = body["name"]
    return message


def gemini_message(item: Message, default_role: str) -> Message:
    """`{role, parts: [{text} | {functionCall} | ...]}`; the role `model` is the assistant."""
    role = item.get("role")
    role = {"model": "assistant"}.get(role, role) if isinstance(role, str) and role else default_role
    return {"role": role, "content": item.get("parts")}


def one_message(item: Any, default_role: str) -> Message | None:
    """One item of a conversation, whatever its shape, as a message; nothing when it is none."""
    if isinstance(item, str):
        return {"role": default_role, "content": item} if item else None
    if not isinstance(item, dict):
        return None
    if item.get("role") == "model" or ("parts" in item and "role" not in item):
        return gemini_message(item, default_role)
    if isinstance(item.get("role"), str):
        return item
    if isinstance(item.get("message"), dict):
        return one_message(item["message"], default_role)
    found = langchain_message(item)
    if found is not None:
        return found
    kind = item.get("type")
    if kind == "function_call":
        return {
            "role": "assistant",
            "tool_calls": [tool_call(item.get("name"), item.get("arguments"), item.get("call_id"))],
        }
    if kind == "function_call_output":
        message = {"role": "tool", "content": item.get("output")}
        if text(item.get("call_id")):
            message["tool_call_id"] = item["call_id"]
        return message
    if kind == "reasoning":
        summary = item.get("summary")
        parts = [p.get("text") for p in summary if isinstance(p, dict)] if isinstance(summary, list) else []
        thought = "\n\n".join(p for p in parts if isinstance(p, str) and p)
        return {"role": "assistant", "content": [{"type": "reasoning", "text": thought}]} if thought else None
    if "content" in item:
        return {"role": default_role, **item}
    return None


def conversation(value: Any, default_role: str) -> list[Message] | None:
    """A list of messages out of any list, text or single message."""
    if isinstance(value, str):
        return [{"role": default_role, "content": value}] if value else None
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return None
    if is_messages(value) and not any(m["role"] == "model" for m in value):
        return value
    if len(value) == 1 and isinstance(value[0], list):
        return conversation(value[0], default_role)
    found = [m for m in (one_message(item, default_role) for item in value) if m is not None]
    return found or None


def request_messages(value: Any) -> list[Message] | None:
    """The messages of a request: a list of messages, or a provider's request body as an object.

    OpenAI chat and Anthropic (`messages`, `system`), OpenAI Responses (`input`, `instructions`), Gemini (`contents`,
    `system_instruction`), text completion (`prompt`).
    """
    if not isinstance(value, dict):
        return conversation(value, "user")
    if isinstance(value.get("role"), str):
        return conversation(value, "user")
    if "value" in value and value.get("type") in ("chat_messages", "text", "json", "raw", "list"):
        return request_messages(value["value"])  # LangWatch wraps its values.
    found: list[Message] | None = None
    for key in ("messages", "input", "contents", "prompt"):
        if not is_empty(value.get(key)):
            found = conversation(value[key], "user")
            if found:
                break
    config = value.get("config")
    holders = (value, config) if isinstance(config, dict) else (value,)
    instructions = next(
        (h[k] for h in holders for k in ("system", "instructions", "system_instruction") if not is_empty(h.get(k))),
        None,
    )
    if isinstance(instructions, dict) and isinstance(instructions.get("parts"), list):
        instructions = instructions["parts"]
    if found is None:
        return with_system([], instructions) or None
    return with_system(found, instructions)


def choice_message(choice: Any) -> Message | None:
    """One choice of a completion: `{message, finish_reason}`, or `{text, finish_reason}` of a text completion."""
    if not isinstance(choice, dict):
        return None
    inner = choice.get("message")
    if isinstance(inner, dict):
        message = one_message(inner, "assistant")
    elif isinstance(choice.get("text"), str):
        message = {"role": "assistant", "content": choice["text"]}
    else:
        message = one_message(choice.get("content"), "assistant") if isinstance(choice.get("content"), dict) else None
    reason = text(choice.get("finish_reason")) or text(choice.get("finishReason"))
    if message is not None and reason and "finish_reason" not in message:
        message = {**message, "finish_reason": reason}
    return message


def openrouter_answer(value: Message) -> list[Message] | None:
    """OpenRouter's `{completion, reasoning, toolCalls}`."""
    message: Message = {"role": "assistant"}
    if isinstance(value.get("completion"), str):
        message["content"] = value["completion"]
    if text(value.get("reasoning")):
        message["reasoning"] = value["reasoning"]
    calls = value.get("toolCalls")
    if isinstance(calls, list) and calls:
        message["tool_calls"] = calls
    return [message] if len(message) > 1 else None


def response_messages(value: Any) -> list[Message] | None:
    """The messages of an answer: a list of messages, or a provider's response body as an object.

    OpenAI chat and text completion (`choices`), OpenAI Responses (`output`), Anthropic (`content`), Gemini
    (`candidates`), LangChain (`generations`), OpenRouter (`completion`).
    """
    if not isinstance(value, dict):
        return conversation(value, "assistant")
    for key in ("choices", "candidates"):
        if isinstance(value.get(key), list):
            found = [m for m in map(choice_message, value[key]) if m is not None]
            return found or None
    if isinstance(value.get("generations"), list):
        flat = [g for group in value["generations"] for g in (group if isinstance(group, list) else [group])]
        found = [m for m in map(generation_message, flat) if m is not None]
        return found or None
    if "value" in value and value.get("type") in ("chat_messages", "text", "json", "raw", "list"):
        return response_messages(value["value"])
    if isinstance(value.get("output"), list):
        return conversation(value["output"], "assistant")
    if isinstance(value.get("content"), dict) and "parts" in value["content"]:
        return [gemini_message(value["content"], "assistant")]
    if "completion" in value:
        return openrouter_answer(value)
    if isinstance(value.get("messages"), list):
        return conversation(value["messages"], "assistant")
    found_one = one_message(value, "assistant")
    return [found_one] if found_one is not None else None


def generation_message(generation: Any) -> Message | None:
    """One of LangChain's generations: its message if it has one, else its text."""
    if not isinstance(generation, dict):
        return None
    inner = generation.get("message")
    message = one_message(inner, "assistant") if isinstance(inner, dict) else None
    if message is None:
        plain = generation.get("text")
        message = {"role": "assistant", "content": plain} if isinstance(plain, str) else None
    info = generation.get("generation_info")
    reason = text(info.get("finish_reason")) if isinstance(info, dict) else None
    if message is not None and reason and "finish_reason" not in message:
        message = {**message, "finish_reason": reason}
    return message


def finish_reason_of(messages: Any) -> str | None:
    """The first finish reason that a message carries; a message of OpenAI's Responses API has a status instead."""
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, dict):
            continue
        reason = text(message.get("finish_reason"))
        if reason is None and message.get("type") == "message":
            reason = text(message.get("status"))
        if reason is not None:
            return reason
    return None
