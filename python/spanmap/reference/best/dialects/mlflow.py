"""MLflow tracing, its own attributes and its GenAI export: https://mlflow.org/docs/latest/genai/tracing/"""

from __future__ import annotations

from .. import shapes
from ..values import count, quoted_text, text, whatever
from .rule import rule

RULES = (
    rule(
        "mlflow.model",
        "$ai_model",
        quoted_text,
        "gen_ai.response.model mlflow.llm.model gen_ai.request.model model",
    ),
    rule("mlflow.provider", "$ai_provider", shapes.provider, "gen_ai.provider.name mlflow.llm.provider"),
    rule(
        "mlflow.input_tokens",
        "$ai_input_tokens",
        count,
        "gen_ai.usage.input_tokens mlflow.chat.tokenUsage#input_tokens mlflow.spanOutputs#usage.prompt_tokens",
    ),
    rule(
        "mlflow.output_tokens",
        "$ai_output_tokens",
        count,
        "gen_ai.usage.output_tokens mlflow.chat.tokenUsage#output_tokens",
    ),
    rule(
        "mlflow.cache_read",
        "$ai_cache_read_input_tokens",
        count,
        "gen_ai.usage.cache_read.input_tokens mlflow.chat.tokenUsage#cache_read_input_tokens",
    ),
    rule(
        "mlflow.cache_creation",
        "$ai_cache_creation_input_tokens",
        count,
        "gen_ai.usage.cache_creation.input_tokens mlflow.chat.tokenUsage#cache_creation_input_tokens",
    ),
    rule(
        "mlflow.reasoning",
        "$ai_reasoning_tokens",
        count,
        "mlflow.chat.tokenUsage#reasoning_tokens mlflow.spanOutputs#usage.completion_tokens_details.reasoning_tokens "
        "mlflow.spanOutputs#usage.output_tokens_details.reasoning_tokens",
    ),
    rule(
        "mlflow.stop_reason",
        "$ai_stop_reason",
        shapes.stop_reason,
        "gen_ai.response.finish_reasons mlflow.spanOutputs#choices.0.finish_reason mlflow.spanOutputs#stop_reason "
        "mlflow.spanOutputs#candidates.0.finish_reason mlflow.spanOutputs#status",
    ),
    rule("mlflow.tools", "$ai_tools", shapes.tools, "gen_ai.tool.definitions mlflow.chat.tools tools"),
    rule("mlflow.input", "$ai_input_state", whatever, "mlflow.spanInputs"),
    rule("mlflow.output", "$ai_output_state", whatever, "mlflow.spanOutputs"),
    rule("mlflow.completion_id", "$ai_completion_id", text, "gen_ai.response.id mlflow.spanOutputs#id"),
)
