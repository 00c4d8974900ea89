"""A dialect that nobody has seen: the names that its authors would pick."""

from __future__ import annotations

from .. import shapes
from ..values import count, quoted_text
from .rule import rule

RULES = (
    rule("fallback.model", "$ai_model", quoted_text, "llm.model gen_ai.model llm.model_name model_name model"),
    rule("fallback.provider", "$ai_provider", shapes.provider, "llm.provider llm.vendor llm.system"),
    rule(
        "fallback.input_tokens",
        "$ai_input_tokens",
        count,
        "llm.usage.input_tokens input_tokens prompt_tokens",
    ),
    rule(
        "fallback.output_tokens",
        "$ai_output_tokens",
        count,
        "llm.usage.output_tokens output_tokens completion_tokens",
    ),
)
