"""OpenLLMetry and the Traceloop SDK: https://www.traceloop.com/docs/openllmetry/contributing/semantic-conventions"""

from __future__ import annotations

from .. import shapes
from ..values import count, text, whatever
from .rule import rule

RULES = (
    rule(
        "traceloop.input_tokens",
        "$ai_input_tokens",
        count,
        "gen_ai.usage.input_tokens gen_ai.usage.prompt_tokens llm.usage.prompt_tokens",
    ),
    rule(
        "traceloop.output_tokens",
        "$ai_output_tokens",
        count,
        "gen_ai.usage.output_tokens gen_ai.usage.completion_tokens llm.usage.completion_tokens",
    ),
    rule(
        "traceloop.model",
        "$ai_model",
        text,
        "gen_ai.response.model llm.response.model gen_ai.request.model llm.request.model",
    ),
    rule(
        "traceloop.provider",
        "$ai_provider",
        shapes.provider,
        "gen_ai.provider.name gen_ai.system llm.vendor traceloop.association.properties.ls_provider",
    ),
    rule(
        "traceloop.stop_reason",
        "$ai_stop_reason",
        shapes.stop_reason,
        "gen_ai.response.finish_reasons llm.response.stop_reason llm.response.finish_reason "
        "gen_ai.completion.0.finish_reason",
    ),
    rule("traceloop.tool_name", "$ai_tool_name", text, "gen_ai.tool.name traceloop.entity.name"),
    rule("traceloop.input", "$ai_input_state", whatever, "traceloop.entity.input gen_ai.task.input"),
    rule("traceloop.output", "$ai_output_state", whatever, "traceloop.entity.output gen_ai.task.output"),
    rule("traceloop.base_url", "$ai_base_url", text, "gen_ai.openai.api_base"),
    rule("traceloop.prompt_name", "$ai_prompt_name", text, "traceloop.prompt.key"),
    rule("traceloop.prompt_version", "$ai_prompt_version", whatever, "traceloop.prompt.version"),
)
