"""OpenRouter Broadcast to an OTLP collector: https://openrouter.ai/docs/guides/features/broadcast"""

from __future__ import annotations

from .. import shapes
from ..values import count, text, whatever
from .rule import rule

RULES = (
    rule("openrouter.input_tokens", "$ai_input_tokens", count, "gen_ai.usage.input_tokens"),
    rule("openrouter.cache_read", "$ai_cache_read_input_tokens", count, "gen_ai.usage.input_tokens.cached"),
    rule("openrouter.cache_write", "$ai_cache_creation_input_tokens", count, "gen_ai.usage.input_tokens.cache_write"),
    rule(
        "openrouter.cache_write_5m",
        "$ai_cache_creation_5m_input_tokens",
        count,
        "gen_ai.usage.input_tokens.cache_write_5m",
    ),
    rule(
        "openrouter.cache_write_1h",
        "$ai_cache_creation_1h_input_tokens",
        count,
        "gen_ai.usage.input_tokens.cache_write_1h",
    ),
    rule("openrouter.reasoning", "$ai_reasoning_tokens", count, "gen_ai.usage.output_tokens.reasoning"),
    rule("openrouter.audio_in", "$ai_audio_input_tokens", count, "gen_ai.usage.input_tokens.audio"),
    rule("openrouter.video_in", "$ai_video_input_tokens", count, "gen_ai.usage.input_tokens.video"),
    rule("openrouter.image_out", "$ai_image_output_tokens", count, "gen_ai.usage.output_tokens.image"),
    rule(
        "openrouter.ttft",
        "$ai_time_to_first_token",
        shapes.milliseconds,
        "trace.metadata.openrouter.first_token_ms openrouter.first_token_ms",
    ),
    rule("openrouter.tools", "$ai_tools", whatever, "gen_ai.completion#tools gen_ai.completion#rawRequest.tools"),
    rule("openrouter.parameters", "$ai_model_parameters", shapes.parameters, "gen_ai.completion#rawRequest"),
    rule("openrouter.trace_name", "$ai_trace_name", text, "trace.name"),
)
