"""Pydantic AI, formats 1 to 6, and Logfire: https://ai.pydantic.dev/logfire/"""

from __future__ import annotations

from .. import shapes
from ..values import count, number, text, whatever
from .rule import rule

RULES = (
    rule("pydantic_ai.agent_name", "$ai_agent_name", text, "gen_ai.agent.name agent_name"),
    rule("pydantic_ai.model", "$ai_model", text, "gen_ai.response.model gen_ai.request.model model_name"),
    rule(
        "pydantic_ai.cache_read",
        "$ai_cache_read_input_tokens",
        count,
        "gen_ai.usage.cache_read.input_tokens gen_ai.usage.details.cache_read_input_tokens "
        "gen_ai.usage.details.cached_tokens",
    ),
    rule(
        "pydantic_ai.cache_creation",
        "$ai_cache_creation_input_tokens",
        count,
        "gen_ai.usage.cache_creation.input_tokens gen_ai.usage.details.cache_creation_input_tokens",
    ),
    rule(
        "pydantic_ai.reasoning",
        "$ai_reasoning_tokens",
        count,
        "gen_ai.usage.reasoning.output_tokens gen_ai.usage.details.reasoning_tokens",
    ),
    rule("pydantic_ai.total_cost", "$ai_total_cost_usd", number, "operation.cost"),
    rule("pydantic_ai.tool_input", "$ai_input_state", whatever, "gen_ai.tool.call.arguments tool_arguments"),
    rule("pydantic_ai.tool_output", "$ai_output_state", whatever, "gen_ai.tool.call.result tool_response"),
    rule(
        "pydantic_ai.tools",
        "$ai_tools",
        shapes.tools,
        "gen_ai.tool.definitions model_request_parameters#function_tools",
    ),
)
