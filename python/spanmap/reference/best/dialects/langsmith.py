"""LangSmith, exported by OpenTelemetry: https://docs.langchain.com/langsmith/trace-with-opentelemetry"""

from __future__ import annotations

from .. import shapes
from ..values import count, text, whatever
from .rule import rule

RULES = (
    rule(
        "langsmith.cache_read",
        "$ai_cache_read_input_tokens",
        count,
        "gen_ai.usage.input_token_details#cache_read "
        "gen_ai.completion#generations.0.0.message.kwargs.usage_metadata.input_token_details.cache_read",
    ),
    rule(
        "langsmith.cache_creation",
        "$ai_cache_creation_input_tokens",
        count,
        "gen_ai.usage.input_token_details#cache_creation "
        "gen_ai.completion#generations.0.0.message.kwargs.usage_metadata.input_token_details.cache_creation",
    ),
    rule(
        "langsmith.reasoning",
        "$ai_reasoning_tokens",
        count,
        "gen_ai.usage.output_token_details#reasoning "
        "gen_ai.completion#generations.0.0.message.kwargs.usage_metadata.output_token_details.reasoning",
    ),
    rule(
        "langsmith.completion_id",
        "$ai_completion_id",
        text,
        "gen_ai.response.id gen_ai.completion#generations.0.0.message.kwargs.response_metadata.id gen_ai.completion#id",
    ),
    rule("langsmith.provider", "$ai_provider", shapes.provider, "gen_ai.system langsmith.metadata.ls_provider"),
    rule(
        "langsmith.model",
        "$ai_model",
        text,
        "gen_ai.response.model gen_ai.completion#generations.0.0.message.kwargs.response_metadata.model_name "
        "gen_ai.request.model langsmith.metadata.ls_model_name",
    ),
    rule("langsmith.input", "$ai_input_state", whatever, "gen_ai.prompt"),
    rule("langsmith.output", "$ai_output_state", whatever, "gen_ai.completion"),
)
