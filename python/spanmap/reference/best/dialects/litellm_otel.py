"""LiteLLM, callback `otel`: https://docs.litellm.ai/docs/observability/opentelemetry_integration"""

from __future__ import annotations

from .. import shapes
from ..values import number, text
from .rule import rule

RULES = (
    rule("litellm.model", "$ai_model", text, "gen_ai.response.model gen_ai.request.model litellm.provider.model"),
    rule("litellm.input_cost", "$ai_input_cost_usd", number, "gen_ai.cost.input_cost litellm.cost.input"),
    rule("litellm.output_cost", "$ai_output_cost_usd", number, "gen_ai.cost.output_cost litellm.cost.output"),
    rule("litellm.total_cost", "$ai_total_cost_usd", number, "gen_ai.cost.total_cost litellm.cost.total"),
    rule(
        "litellm.provider",
        "$ai_provider",
        shapes.provider,
        "gen_ai.provider.name gen_ai.system error.llm_provider litellm.provider.error.llm_provider "
        "litellm.provider.model",
    ),
    rule("litellm.base_url", "$ai_base_url", text, "hidden_params#api_base"),
)
