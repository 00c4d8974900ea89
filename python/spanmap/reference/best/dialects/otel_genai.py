"""The GenAI semantic conventions, 1.26 to the current ones: https://opentelemetry.io/docs/specs/semconv/gen-ai/"""

from __future__ import annotations

from .. import shapes
from ..values import count, number, text, whatever
from .rule import rule

RULES = (
    rule("genai.model", "$ai_model", text, "gen_ai.response.model gen_ai.request.model"),
    rule("genai.provider", "$ai_provider", shapes.provider, "gen_ai.provider.name gen_ai.system"),
    rule("genai.input_tokens", "$ai_input_tokens", count, "gen_ai.usage.input_tokens gen_ai.usage.prompt_tokens"),
    rule(
        "genai.output_tokens",
        "$ai_output_tokens",
        count,
        "gen_ai.usage.output_tokens gen_ai.usage.completion_tokens",
    ),
    rule(
        "genai.cache_read",
        "$ai_cache_read_input_tokens",
        count,
        "gen_ai.usage.cache_read.input_tokens gen_ai.usage.cache_read_input_tokens",
    ),
    rule(
        "genai.cache_creation",
        "$ai_cache_creation_input_tokens",
        count,
        "gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_creation_input_tokens "
        "gen_ai.usage.cache_write.input_tokens gen_ai.usage.cache_write_input_tokens",
    ),
    rule(
        "genai.reasoning",
        "$ai_reasoning_tokens",
        count,
        "gen_ai.usage.reasoning.output_tokens gen_ai.usage.reasoning_tokens "
        "gen_ai.usage.raw#completion_tokens_details.reasoning_tokens "
        "gen_ai.usage.raw#output_tokens_details.reasoning_tokens",
    ),
    rule("genai.audio_in", "$ai_audio_input_tokens", count, "gen_ai.usage.audio.input_tokens"),
    rule("genai.audio_out", "$ai_audio_output_tokens", count, "gen_ai.usage.audio.output_tokens"),
    rule("genai.input_cost", "$ai_input_cost_usd", number, "gen_ai.usage.input_cost gen_ai.cost.input_cost"),
    rule("genai.output_cost", "$ai_output_cost_usd", number, "gen_ai.usage.output_cost gen_ai.cost.output_cost"),
    rule(
        "genai.total_cost",
        "$ai_total_cost_usd",
        number,
        "gen_ai.usage.total_cost gen_ai.usage.cost gen_ai.cost.total_cost operation.cost",
    ),
    rule(
        "genai.stop_reason",
        "$ai_stop_reason",
        shapes.stop_reason,
        "gen_ai.response.finish_reasons gen_ai.response.finish_reason",
    ),
    rule(
        "genai.ttft",
        "$ai_time_to_first_token",
        number,
        "gen_ai.response.time_to_first_chunk gen_ai.client.operation.time_to_first_chunk "
        "gen_ai.server.time_to_first_token",
    ),
    rule("genai.base_url", "$ai_base_url", text, "server.address"),
    rule("genai.tools", "$ai_tools", shapes.tools, "gen_ai.tool.definitions gen_ai.request.tools gen_ai.agent.tools"),
    rule("genai.tool_name", "$ai_tool_name", text, "gen_ai.tool.name"),
    rule("genai.tool_input", "$ai_input_state", whatever, "gen_ai.tool.call.arguments gen_ai.tool.args"),
    rule("genai.tool_output", "$ai_output_state", whatever, "gen_ai.tool.call.result"),
    rule("genai.agent_name", "$ai_agent_name", text, "gen_ai.agent.name"),
    rule("genai.completion_id", "$ai_completion_id", text, "gen_ai.response.id"),
    rule(
        "genai.service_tier",
        "$ai_service_tier",
        text,
        "openai.response.service_tier gen_ai.openai.response.service_tier",
    ),
    rule("genai.prompt_name", "$ai_prompt_name", text, "gen_ai.prompt.name"),
)
