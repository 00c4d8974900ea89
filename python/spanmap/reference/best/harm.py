"""What must not travel: blobs, vectors, secrets; and, in privacy mode, content."""

from __future__ import annotations

import re
from typing import Any

MIN_BASE64 = 1024
MIN_NUMBERS = 64

_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{MIN_BASE64},}}={{0,2}}")
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_PAIR = r'"\d+"\s*:\s*\d+'
_VECTOR = re.compile(rf"\[\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{{MIN_NUMBERS - 1},}}\s*\]", re.ASCII)
_BYTE_MAP = re.compile(rf"\{{\s*{_PAIR}(?:\s*,\s*{_PAIR}){{{MIN_NUMBERS - 1},}}\s*\}}", re.ASCII)


def _base64_marker(match: re.Match[str]) -> str:
    return f"[base64 removed: {len(match.group().rstrip('=')) * 3 // 4} bytes]"


def _vector_marker(count: int) -> str:
    return f"[vector removed: {count} numbers]"


def _map_marker(count: int) -> str:
    return f"[bytes removed: {count} bytes]"


def scrub(value: Any) -> Any:
    """The value with base64 of over 1 KiB, vectors and byte maps replaced by a marker that says kind and size."""
    if isinstance(value, str):
        if len(value) < 2 * MIN_NUMBERS:
            return value
        value = _BASE64.sub(_base64_marker, value)
        value = _VECTOR.sub(lambda m: _vector_marker(m.group().count(",") + 1), value)
        return _BYTE_MAP.sub(lambda m: _map_marker(m.group().count(":")), value)
    if isinstance(value, list):
        if len(value) >= MIN_NUMBERS and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
            return _vector_marker(len(value))
        return [scrub(v) for v in value]
    if isinstance(value, dict):
        if len(value) >= MIN_NUMBERS and all(k.isascii() and k.isdigit() for k in value):
            return _map_marker(len(value))
        return {k: scrub(v) for k, v in value.items()}
    return value


# Attributes and metadata that hold credentials, or tell about the account behind them.
SECRET = re.compile(
    r"(^|\.)(user_api_key|requester_|x_api_key|authorization|api_key$|openrouter\.(entity_id|creator_user_id))|"
    r"^ai\.request\.headers\.|(^|\.)headers(\.|$)|^llm\.headers$|\.request\.headers?\.",
)

# Attributes that repeat what an event already says, describe the exporter, or only make sense to it.
NOISE_KEYS = frozenset(
    "logfire.json_schema logfire.msg_template logfire.span_type logfire.level_num logfire.metrics "
    "langfuse.internal.is_app_root langfuse.internal.as_root mlflow.spanLogLevel mlflow.traceRequestId "
    "mlflow.message.format input.mime_type output.mime_type gen_ai.client.token.usage hidden_params "
    "gen_ai.usage.total_tokens llm.usage.total_tokens llm.token_count.total span.level span.type "
    "code.filepath code.function code.lineno error.stack_trace pydantic_ai.new_message_index operation.name resource.name".split()
)
NOISE_PREFIXES = ("telemetry.sdk.", "mlflow.chunk.")

# Attributes that hold what was said: read by rules, never passed through raw, and gone in privacy mode.
CONTENT = re.compile(
    r"^(gen_ai\.(input|output|prompt|completion|system_instructions|content)(\.|$)|"
    r"gen_ai\.(tool\.(call\.(arguments|result)|args)|task\.(input|output))(\.|$)|"
    r"llm\.(input_messages|output_messages|prompts|completions|request\.functions|tools)(\.|$)|"
    r"llm\.prompt_template\.(template|variables)(\.|$)|"
    r"llm\.(?!usage|token_count|request|response|cost)[A-Za-z_]+\."
    r"(messages|choices|input|contents|candidates|system_instruction|tools|usage|usageMetadata|prompt|output)$|"
    r"(input|output)\.value$|inputs$|traceloop\.entity\.(input|output)$|langfuse\.(observation|trace)\.(input|output)$|"
    r"mlflow\.span(Inputs|Outputs)$|mlflow\.chat\.tools$|mlflow\.chunk\.|"
    r"pydantic_ai\.all_messages$|all_messages_events$|events$|final_result$|"
    r"request_data$|response_data$|model_request_parameters$|tool_arguments$|tool_response$|"
    r"instructions$|tools$|messages$|prompt$|input$|output$|"
    r"ai\.(prompt|value|values|embedding|embeddings|schema)(\.|$)|ai\.toolCall\.(args|result)(\.|$)|"
    r"ai\.response\.(text|object|reasoning|toolCalls|files|providerMetadata)(\.|$)|"
    r"embedding\.embeddings\.|retrieval\.documents\.|reranker\.|(span|trace)\.(input|output)$|"
    r"langwatch\.(input|output)$|anthropic\.tool_result\.content$|tool\.parameters$|"
    r"gcp\.vertex\.agent\.(llm_request|llm_response|tool_call_args|tool_response|data)$|"
    r"logfire\.msg$|metadata\.usage_object$|gen_ai\.usage\.raw$|lk\.)"
)
