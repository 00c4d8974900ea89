"""LangWatch: https://docs.langwatch.ai/integration/opentelemetry/guide"""

from __future__ import annotations

from ..values import count, number, whatever
from .rule import rule

RULES = (
    rule(
        "langwatch.input_tokens",
        "$ai_input_tokens",
        count,
        "gen_ai.usage.input_tokens langwatch.metrics#value.promptTokens langwatch.metrics#promptTokens",
    ),
    rule(
        "langwatch.output_tokens",
        "$ai_output_tokens",
        count,
        "gen_ai.usage.output_tokens langwatch.metrics#value.completionTokens langwatch.metrics#completionTokens",
    ),
    rule("langwatch.total_cost", "$ai_total_cost_usd", number, "langwatch.metrics#value.cost langwatch.metrics#cost"),
    rule("langwatch.input", "$ai_input_state", whatever, "langwatch.input#value"),
    rule("langwatch.output", "$ai_output_state", whatever, "langwatch.output#value"),
)
