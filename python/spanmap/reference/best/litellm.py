"""LiteLLM's raw request: `llm.<provider>.*`, the provider's own request and answer, as Python literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import shapes
from .classify import RAW_REQUEST
from .messages import request_messages, response_messages
from .values import count, parse_literal, text

if TYPE_CHECKING:
    from .facts import Draft

# The usage object of OpenAI's API and of Gemini's.
USAGE = (
    ("$ai_input_tokens", ("prompt_tokens", "input_tokens", "promptTokenCount")),
    ("$ai_cache_read_input_tokens", ("prompt_tokens_details.cached_tokens", "cachedContentTokenCount")),
    ("$ai_reasoning_tokens", ("completion_tokens_details.reasoning_tokens", "thoughtsTokenCount")),
    ("$ai_output_tokens", ("completion_tokens", "output_tokens", "candidatesTokenCount")),
)


def raw_request(draft: Draft) -> None:
    """Reads what the keys `llm.<provider>.<member>` hold; the provider may be the text None."""
    a = draft.span.attributes
    name = next((m[1] for m in map(RAW_REQUEST.match, a) if m), None)
    if name is None:
        return
    body = {key[len(f"llm.{name}.") :]: value for key, value in a.items() if key.startswith(f"llm.{name}.")}
    literals = {key: parse_literal(value) for key, value in body.items()}
    draft.consumed.update(f"llm.{name}.{key}" for key in body)
    draft.set("$ai_model", text(body.get("model")) or text(body.get("modelVersion")))
    draft.set("$ai_provider", shapes.provider(name) if name != "None" else None)
    draft.set("$ai_completion_id", text(body.get("id")) or text(body.get("responseId")))
    usage: Any = literals.get("usage") or literals.get("usageMetadata")
    for to, paths in USAGE:
        for path in paths:
            draft.set(to, count(at(usage, path)))
    choices = literals.get("choices") or literals.get("candidates")
    draft.set("$ai_stop_reason", shapes.stop_reason(at(choices, "0.finish_reason") or at(choices, "0.finishReason")))
    draft.set("$ai_tools", shapes.tools(literals.get("tools")))
    draft.set("$ai_input", request_messages({k: v for k, v in literals.items() if v is not None}))
    key = "choices" if literals.get("choices") else "candidates"
    draft.set("$ai_output_choices", response_messages({key: choices}) if choices else None)


def at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value
