"""What must not travel: blobs, vectors, secrets; and, in privacy mode, content."""

from __future__ import annotations

import re
import string
from typing import Any

from .values import parse_literal

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


def _is_byte(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


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
        if len(value) >= MIN_NUMBERS and all(k.isascii() and k.isdigit() and _is_byte(v) for k, v in value.items()):
            return _map_marker(len(value))
        return {k: scrub(v) for k, v in value.items()}
    return value


# Attributes and metadata that hold credentials, or tell about the account behind them. Keys are compared in lower case,
# with `_` for `-`.
SECRET = re.compile(
    r"(^|\.)(user_api_key|requester_|openrouter\.(entity_id|creator_user_id)\Z|hidden_params\Z)|"
    r"(^|[._])(api_key|authorization|cookie|password|(access|auth|refresh)_token|secret_key)\Z|"
    r"(^|[._])headers?(\.|\Z)"
)
# Text without one of these holds no secret member: it is not opened to look for one.
SECRET_HINT = re.compile(
    r"key|authorization|cookie|password|token|header|requester|hidden|entity|creator", re.IGNORECASE | re.ASCII
)
_FOLD = str.maketrans(string.ascii_uppercase + "-", string.ascii_lowercase + "_")


def is_secret(key: str) -> bool:
    return SECRET.search(key.translate(_FOLD)) is not None


def without_secrets(value: Any) -> Any:
    """The value without secret members, at whatever depth; JSON text or a Python literal that holds one is opened."""
    if isinstance(value, dict):
        return {k: without_secrets(v) for k, v in value.items() if not is_secret(k)}
    if isinstance(value, list):
        return [without_secrets(v) for v in value]
    if isinstance(value, str) and value[:1] in ("{", "[") and SECRET_HINT.search(value):
        found = parse_literal(value)
        cleaned = None if found is None else without_secrets(found)
        return value if cleaned == found else cleaned
    return value


def clean(value: Any) -> Any:
    """What may travel of a value that no rule has read."""
    return scrub(without_secrets(value))


# Attributes that repeat what an event already says, describe the exporter, or only make sense to it.
NOISE_KEYS = frozenset(
    "logfire.json_schema logfire.msg_template logfire.span_type logfire.level_num logfire.metrics "
    "langfuse.internal.is_app_root langfuse.internal.as_root mlflow.spanLogLevel mlflow.traceRequestId "
    "mlflow.message.format input.mime_type output.mime_type gen_ai.client.token.usage "
    "gen_ai.usage.total_tokens llm.usage.total_tokens llm.token_count.total span.level span.type "
    "code.filepath code.function code.lineno error.stack_trace pydantic_ai.new_message_index operation.name "
    "resource.name".split()
)
NOISE_PREFIXES = ("telemetry.sdk.", "mlflow.chunk.")

# Attributes that hold what was said: read by rules, never passed through raw, and gone in privacy mode.
CONTENT = re.compile(
    r"^(gen_ai\.(input|output|prompt|completion|system_instructions|content)(\.|\Z)|"
    r"gen_ai\.(tool\.(call\.(arguments|result)|args)|task\.(input|output))(\.|\Z)|"
    r"llm\.(input_messages|output_messages|prompts|completions|request\.functions|tools)(\.|\Z)|"
    r"llm\.prompt_template\.(template|variables)(\.|\Z)|"
    r"llm\.(?!usage|token_count|request|response|cost)[A-Za-z_]+\."
    r"(messages|choices|input|contents|candidates|system_instruction|tools|usage|usageMetadata|prompt|output)\Z|"
    r"(input|output)\.value\Z|inputs\Z|traceloop\.entity\.(input|output)\Z|langfuse\.(observation|trace)\.(input|output)\Z|"
    r"mlflow\.span(Inputs|Outputs)\Z|mlflow\.chat\.tools\Z|mlflow\.chunk\.|"
    r"pydantic_ai\.all_messages\Z|all_messages_events\Z|events\Z|final_result\Z|"
    r"request_data\Z|response_data\Z|model_request_parameters\Z|tool_arguments\Z|tool_response\Z|"
    r"instructions\Z|tools\Z|messages\Z|prompt\Z|input\Z|output\Z|"
    r"ai\.(prompt|value|values|embedding|embeddings|schema)(\.|\Z)|ai\.toolCall\.(args|result)(\.|\Z)|"
    r"ai\.response\.(text|object|reasoning|toolCalls|files|providerMetadata)(\.|\Z)|"
    r"embedding\.embeddings\.|retrieval\.documents\.|reranker\.|(span|trace)\.(input|output)\Z|"
    r"langwatch\.(input|output)\Z|anthropic\.tool_result\.content\Z|tool\.parameters\Z|"
    r"gcp\.vertex\.agent\.(llm_request|llm_response|tool_call_args|tool_response|data)\Z|"
    r"logfire\.msg\Z|metadata\.usage_object\Z|gen_ai\.usage\.raw\Z|lk\.)"
)
