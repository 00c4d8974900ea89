"""Langfuse SDK 3 and 5: https://langfuse.com/docs/opentelemetry/get-started"""

from __future__ import annotations

from .. import shapes
from ..values import count, number, quoted_text, text, whatever
from .rule import rule

RULES = (
    rule("langfuse.model", "$ai_model", quoted_text, "langfuse.observation.model.name"),
    rule(
        "langfuse.input_tokens",
        "$ai_input_tokens",
        count,
        "langfuse.observation.usage_details#input langfuse.observation.usage_details#prompt_tokens "
        "langfuse.observation.usage_details#input_tokens",
    ),
    rule(
        "langfuse.output_tokens",
        "$ai_output_tokens",
        count,
        "langfuse.observation.usage_details#output langfuse.observation.usage_details#completion_tokens "
        "langfuse.observation.usage_details#output_tokens",
    ),
    rule(
        "langfuse.cache_read",
        "$ai_cache_read_input_tokens",
        count,
        "langfuse.observation.usage_details#input_cache_read "
        "langfuse.observation.usage_details#cache_read_input_tokens "
        "langfuse.observation.usage_details#input_cached_tokens "
        "langfuse.observation.usage_details#prompt_tokens_details.cached_tokens "
        "langfuse.observation.usage_details#input_tokens_details.cached_tokens",
    ),
    rule(
        "langfuse.cache_creation",
        "$ai_cache_creation_input_tokens",
        count,
        "langfuse.observation.usage_details#input_cache_creation "
        "langfuse.observation.usage_details#cache_creation_input_tokens",
    ),
    rule(
        "langfuse.reasoning",
        "$ai_reasoning_tokens",
        count,
        "langfuse.observation.usage_details#output_reasoning "
        "langfuse.observation.usage_details#output_reasoning_tokens "
        "langfuse.observation.usage_details#completion_tokens_details.reasoning_tokens "
        "langfuse.observation.usage_details#output_tokens_details.reasoning_tokens "
        "langfuse.observation.usage_details#reasoning_tokens",
    ),
    rule("langfuse.input_cost", "$ai_input_cost_usd", number, "langfuse.observation.cost_details#input"),
    rule("langfuse.output_cost", "$ai_output_cost_usd", number, "langfuse.observation.cost_details#output"),
    rule("langfuse.total_cost", "$ai_total_cost_usd", number, "langfuse.observation.cost_details#total"),
    rule("langfuse.parameters", "$ai_model_parameters", shapes.parameters, "langfuse.observation.model.parameters"),
    rule("langfuse.prompt_name", "$ai_prompt_name", text, "langfuse.observation.prompt.name"),
    rule("langfuse.prompt_version", "$ai_prompt_version", whatever, "langfuse.observation.prompt.version"),
    rule("langfuse.trace_name", "$ai_trace_name", text, "langfuse.trace.name"),
    rule("langfuse.provider", "$ai_provider", shapes.provider, "langfuse.observation.metadata.ls_provider"),
    rule(
        "langfuse.stop_reason",
        "$ai_stop_reason",
        shapes.stop_reason,
        "langfuse.observation.metadata.finish_reason",
    ),
)
