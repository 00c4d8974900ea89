"""Messages spread over indexed attributes: `gen_ai.prompt.0.role`, `llm.input_messages.0.message.content`, ..."""

from __future__ import annotations

from typing import Any

from .messages import Message, tool_call
from .values import parse_container, parse_json, text

Attributes = dict[str, Any]
Tree = dict[str, Any]


def tree(attributes: Attributes, prefix: str) -> dict[int, Tree]:
    """The attributes below a prefix, by index: `prefix<i>.<rest>`; the rest stays a dotted name. Order of indexes."""
    found: dict[int, Tree] = {}
    for key, value in attributes.items():
        if not key.startswith(prefix):
            continue
        index, dot, rest = key[len(prefix) :].partition(".")
        if dot and rest and index.isascii() and index.isdigit() and len(index) <= 6:
            found.setdefault(int(index), {})[rest] = value
    return dict(sorted(found.items()))


def _calls(fields: Tree, prefix: str, name: str, arguments: str, call_id: str) -> list[dict[str, Any]]:
    calls = []
    for call in tree(fields, prefix).values():
        if text(call.get(name)):
            given = call.get(arguments)
            if isinstance(given, str) and given[:1] == '"':
                inner = parse_json(given)
                given = inner if isinstance(inner, str) else given
            calls.append(tool_call(call[name], given, call.get(call_id)))
    return calls


def _content(value: Any) -> Any:
    """Content as written; a list of parts or a text may come as JSON text."""
    if isinstance(value, str) and value == '""':
        return ""
    found = parse_container(value) if isinstance(value, str) and value[:1] == "[" else None
    return value if found is None else found


def traceloop_messages(attributes: Attributes, prefix: str, default_role: str) -> list[Message] | None:
    """OpenLLMetry up to 0.5x: `gen_ai.prompt.N.role|content|tool_calls.M.name|...`, `.user` for text completions."""
    found: list[Message] = []
    for fields in tree(attributes, prefix).values():
        message: Message = {"role": text(fields.get("role")) or default_role}
        if "content" in fields:
            message["content"] = _content(fields["content"])
        elif text(fields.get("user")):
            message["content"] = fields["user"]
        calls = _calls(fields, "tool_calls.", "name", "arguments", "id")
        if not calls and text(fields.get("function_call.name")):
            calls = [tool_call(fields["function_call.name"], fields.get("function_call.arguments"))]
        if calls:
            message["tool_calls"] = calls
        if text(fields.get("tool_call_id")):
            message["tool_call_id"] = fields["tool_call_id"]
        if text(fields.get("finish_reason")):
            message["finish_reason"] = fields["finish_reason"]
        if len(message) > 1:
            found.append(message)
    return found or None


def _openinference_parts(fields: Tree) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for part in tree(fields, "message.contents.").values():
        kind = text(part.get("message_content.type")) or "text"
        image = part.get("message_content.image.image.url", part.get("message_content.image"))
        if text(part.get("message_content.text")):
            parts.append({"type": kind, "text": part["message_content.text"]})
        elif text(image):
            parts.append({"type": "image_url", "image_url": {"url": image}})
    return parts


def openinference_messages(attributes: Attributes, prefix: str, default_role: str) -> list[Message] | None:
    """OpenInference: `llm.input_messages.N.message.role|content|contents.M.*|tool_calls.M.tool_call.*`."""
    found: list[Message] = []
    for fields in tree(attributes, prefix).values():
        message: Message = {"role": text(fields.get("message.role")) or default_role}
        if text(fields.get("message.content")):
            message["content"] = fields["message.content"]
        else:
            parts = _openinference_parts(fields)
            if parts:
                message["content"] = parts
        calls = _calls(
            fields,
            "message.tool_calls.",
            "tool_call.function.name",
            "tool_call.function.arguments",
            "tool_call.id",
        ) or _calls(
            fields,
            "message.contents.",
            "tool_call.function.name",
            "tool_call.function.arguments",
            "tool_call.id",
        )
        if calls:
            message["tool_calls"] = calls
        for key in ("tool_call_id", "name"):
            if text(fields.get("message." + key)):
                message[key] = fields["message." + key]
        if len(message) > 1:
            found.append(message)
    return found or None


def traceloop_tools(attributes: Attributes) -> list[Any] | None:
    """`llm.request.functions.N.name|description|parameters`."""
    found: list[Any] = []
    for fields in tree(attributes, "llm.request.functions.").values():
        if text(fields.get("name")):
            function: dict[str, Any] = {"name": fields["name"]}
            if text(fields.get("description")):
                function["description"] = fields["description"]
            parameters = parse_container(fields.get("parameters"))
            if parameters is not None:
                function["parameters"] = parameters
            found.append({"type": "function", "function": function})
    return found or None


def openinference_tools(attributes: Attributes) -> list[Any] | None:
    """`llm.tools.N.tool.json_schema`, JSON text of one tool each."""
    found = [parse_container(fields.get("tool.json_schema")) for fields in tree(attributes, "llm.tools.").values()]
    return [tool for tool in found if tool is not None] or None


def embedding_texts(attributes: Attributes) -> list[str] | None:
    """`embedding.embeddings.N.embedding.text`."""
    found = [f.get("embedding.text") for f in tree(attributes, "embedding.embeddings.").values()]
    return [t for t in found if isinstance(t, str)] or None
