"""The Anthropic SDK's own spans: https://github.com/anthropics/anthropic-sdk-python"""

from __future__ import annotations

from .. import shapes
from ..values import count, text, whatever
from .rule import rule

RULES = (
    rule(
        "anthropic.cache_write",
        "$ai_cache_creation_input_tokens",
        count,
        "gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_write.input_tokens",
    ),
    rule(
        "anthropic.cache_5m",
        "$ai_cache_creation_5m_input_tokens",
        count,
        "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
    ),
    rule(
        "anthropic.cache_1h",
        "$ai_cache_creation_1h_input_tokens",
        count,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
    ),
    rule(
        "anthropic.stop_reason",
        "$ai_stop_reason",
        shapes.stop_reason,
        "anthropic.message.stop_reason anthropic.session.turn.stop_reason",
    ),
    rule("anthropic.tool_output", "$ai_output_state", whatever, "anthropic.tool_result.content"),
    rule("anthropic.service_tier", "$ai_service_tier", text, "anthropic.response.service_tier"),
)
