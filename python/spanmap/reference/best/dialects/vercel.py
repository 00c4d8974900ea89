"""Vercel AI SDK 4 to 7, with both of its OpenTelemetry integrations: https://ai-sdk.dev/docs/ai-sdk-core/telemetry"""

from __future__ import annotations

from .. import shapes
from ..values import count, text, whatever
from .rule import rule

RULES = (
    rule(
        "vercel.model",
        "$ai_model",
        text,
        "gen_ai.response.model ai.response.model gen_ai.request.model ai.model.id",
    ),
    rule("vercel.provider", "$ai_provider", shapes.provider, "gen_ai.provider.name gen_ai.system ai.model.provider"),
    rule(
        "vercel.input_tokens",
        "$ai_input_tokens",
        count,
        "gen_ai.usage.input_tokens ai.usage.inputTokens ai.usage.promptTokens ai.usage.tokens",
    ),
    rule(
        "vercel.output_tokens",
        "$ai_output_tokens",
        count,
        "gen_ai.usage.output_tokens ai.usage.outputTokens ai.usage.completionTokens",
    ),
    rule(
        "vercel.cache_read",
        "$ai_cache_read_input_tokens",
        count,
        "gen_ai.usage.cache_read.input_tokens ai.usage.inputTokenDetails.cacheReadTokens ai.usage.cachedInputTokens "
        "ai.response.providerMetadata#anthropic.usage.cache_read_input_tokens "
        "ai.response.providerMetadata#anthropic.cacheReadInputTokens "
        "ai.response.providerMetadata#openai.cachedPromptTokens",
    ),
    rule(
        "vercel.cache_creation",
        "$ai_cache_creation_input_tokens",
        count,
        "gen_ai.usage.cache_creation.input_tokens ai.usage.inputTokenDetails.cacheWriteTokens "
        "ai.response.providerMetadata#anthropic.cacheCreationInputTokens "
        "ai.response.providerMetadata#anthropic.usage.cache_creation_input_tokens",
    ),
    rule(
        "vercel.reasoning",
        "$ai_reasoning_tokens",
        count,
        "ai.usage.outputTokenDetails.reasoningTokens ai.usage.reasoningTokens "
        "ai.response.providerMetadata#openai.reasoningTokens",
    ),
    rule("vercel.stop_reason", "$ai_stop_reason", shapes.stop_reason, "ai.response.finishReason"),
    rule(
        "vercel.ttft",
        "$ai_time_to_first_token",
        shapes.milliseconds,
        "ai.response.msToFirstChunk ai.stream.msToFirstChunk metadata.ai.response.msToFirstChunk",
    ),
    rule("vercel.tools", "$ai_tools", shapes.tools, "ai.prompt.tools"),
    rule("vercel.completion_id", "$ai_completion_id", text, "gen_ai.response.id ai.response.id"),
    rule(
        "vercel.prompt_name",
        "$ai_prompt_name",
        text,
        "ai.telemetry.metadata.$ai_prompt_name ai.settings.context.$ai_prompt_name",
    ),
    rule(
        "vercel.prompt_version",
        "$ai_prompt_version",
        whatever,
        "ai.telemetry.metadata.$ai_prompt_version ai.settings.context.$ai_prompt_version",
    ),
    rule("vercel.agent_name", "$ai_agent_name", text, "gen_ai.agent.name ai.telemetry.functionId"),
    rule("vercel.tool_name", "$ai_tool_name", text, "ai.toolCall.name"),
    rule("vercel.tool_input", "$ai_input_state", whatever, "ai.toolCall.args"),
    rule("vercel.tool_output", "$ai_output_state", whatever, "ai.toolCall.result"),
)
