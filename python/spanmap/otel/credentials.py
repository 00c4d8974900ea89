"""Credentials in tool definitions: what a model needs to reach a remote MCP server, and what must not leave with it.

Instrumentations write tool definitions as they were passed to the model, tokens included. What counts as a credential
is as in `posthog.ai.otel` (posthog-python 7.91, `posthog/ai/utils.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from spanmap.otel.context import with_replaced

REDACTED = "[REDACTED]"
_DEFINITIONS = ("gen_ai.tool.definitions", "ai.prompt.tools")
# One attribute a tool, counted from 0.
_NUMBERED = "llm.tools.{}.tool.json_schema"
_CREDENTIALS = ("headers", "authorization")
# Tools of the Vercel AI SDK that stand for a remote MCP server, by their `id`.
_PROVIDER_TOOLS = ("openai.mcp", "xai.mcp", "google.mcp_server")


def without_credentials(span: ReadableSpan) -> ReadableSpan:
    """The span, or a copy in which the credentials of remote MCP servers are masked."""
    try:
        # A copy is a dict; the SDK's own mapping takes longer for each key that it does not have.
        own = (span.attributes or {}).copy()  # type: ignore[attr-defined]
    except AttributeError:
        return span
    keys = [key for key in _DEFINITIONS if key in own]
    number = 0
    while (key := _NUMBERED.format(number)) in own:
        keys.append(key)
        number += 1
    masked = {key: masked for key in keys if (masked := _masked_value(own[key])) != own[key]}
    return with_replaced(span, own | masked) if masked else span


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return _masked_text(value)
    if isinstance(value, list | tuple):
        return type(value)(_masked_text(item) if isinstance(item, str) else item for item in value)
    return value


def _masked_text(text: str) -> str:
    if "mcp" not in text:
        return text
    try:
        tools = json.loads(text)
    except (ValueError, RecursionError):
        return text
    masked = [_masked_tool(tool) for tool in tools] if isinstance(tools, list) else _masked_tool(tools)
    return text if masked == tools else json.dumps(masked, ensure_ascii=False, separators=(",", ":"))


def _masked_tool(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    if tool.get("type") == "mcp":
        return _masked_members(tool)
    is_provider_tool = tool.get("type") in ("provider", "provider-defined") and tool.get("id") in _PROVIDER_TOOLS
    if is_provider_tool and isinstance(tool.get("args"), dict):
        return {**tool, "args": _masked_members(tool["args"])}
    return tool


def _masked_members(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: REDACTED if name in _CREDENTIALS and value is not None else value for name, value in members.items()}
