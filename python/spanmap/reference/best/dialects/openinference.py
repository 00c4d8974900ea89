"""OpenInference: https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md"""

from __future__ import annotations

from .. import shapes
from ..values import count, number, text, whatever
from .rule import rule

RULES = (
    rule(
        "openinference.model",
        "$ai_model",
        text,
        "llm.response.model_name llm.model_name embedding.model_name llm.request.model_name "
        "llm.invocation_parameters#model input.value#model",
    ),
    rule("openinference.provider", "$ai_provider", shapes.provider, "llm.provider llm.system metadata#ls_provider"),
    rule("openinference.input_tokens", "$ai_input_tokens", count, "llm.token_count.prompt"),
    rule("openinference.output_tokens", "$ai_output_tokens", count, "llm.token_count.completion"),
    rule(
        "openinference.cache_read",
        "$ai_cache_read_input_tokens",
        count,
        "llm.token_count.prompt_details.cache_read",
    ),
    rule(
        "openinference.cache_write",
        "$ai_cache_creation_input_tokens",
        count,
        "llm.token_count.prompt_details.cache_write",
    ),
    rule("openinference.reasoning", "$ai_reasoning_tokens", count, "llm.token_count.completion_details.reasoning"),
    rule("openinference.audio_in", "$ai_audio_input_tokens", count, "llm.token_count.prompt_details.audio"),
    rule("openinference.audio_out", "$ai_audio_output_tokens", count, "llm.token_count.completion_details.audio"),
    rule("openinference.input_cost", "$ai_input_cost_usd", number, "llm.cost.prompt"),
    rule("openinference.output_cost", "$ai_output_cost_usd", number, "llm.cost.completion"),
    rule("openinference.total_cost", "$ai_total_cost_usd", number, "llm.cost.total"),
    rule(
        "openinference.stop_reason",
        "$ai_stop_reason",
        shapes.stop_reason,
        "llm.finish_reason output.value#choices.0.finish_reason output.value#stop_reason output.value#status",
    ),
    rule(
        "openinference.parameters",
        "$ai_model_parameters",
        shapes.parameters,
        "llm.invocation_parameters embedding.invocation_parameters",
    ),
    rule("openinference.tools", "$ai_tools", shapes.tools, "llm.invocation_parameters#tools"),
    rule("openinference.tool_name", "$ai_tool_name", text, "tool.name"),
    rule("openinference.agent_name", "$ai_agent_name", text, "agent.name"),
    rule("openinference.input", "$ai_input_state", whatever, "input.value"),
    rule("openinference.output", "$ai_output_state", whatever, "output.value"),
    rule("openinference.prompt_version", "$ai_prompt_version", whatever, "llm.prompt_template.version"),
    rule(
        "openinference.completion_id",
        "$ai_completion_id",
        text,
        "output.value#id output.value#generations.0.0.message.kwargs.response_metadata.id",
    ),
)
