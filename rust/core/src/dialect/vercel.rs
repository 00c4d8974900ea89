//! Vercel AI SDK 4 to 7, with both of its OpenTelemetry integrations: <https://ai-sdk.dev/docs/ai-sdk-core/telemetry>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "vercel",
    library: "opentelemetry/vercel-ai",
    source: "https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "vercel.model",
        Key::P_AI_MODEL,
        &[
            key(Key::GEN_AI_RESPONSE_MODEL),
            key(Key::AI_RESPONSE_MODEL),
            key(Key::GEN_AI_REQUEST_MODEL),
            key(Key::AI_MODEL_ID),
        ],
        Shape::Text,
    ),
    rule(
        "vercel.provider",
        Key::P_AI_PROVIDER,
        &[key(Key::GEN_AI_PROVIDER_NAME), key(Key::GEN_AI_SYSTEM), key(Key::AI_MODEL_PROVIDER)],
        Shape::Provider,
    ),
    rule(
        "vercel.input_tokens",
        Key::P_AI_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_INPUT_TOKENS),
            key(Key::AI_USAGE_INPUT_TOKENS),
            key(Key::AI_USAGE_PROMPT_TOKENS),
            key(Key::AI_USAGE_TOKENS),
        ],
        Shape::Count,
    ),
    rule(
        "vercel.output_tokens",
        Key::P_AI_OUTPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_OUTPUT_TOKENS), key(Key::AI_USAGE_OUTPUT_TOKENS), key(Key::AI_USAGE_COMPLETION_TOKENS)],
        Shape::Count,
    ),
    rule(
        "vercel.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
            key(Key::AI_USAGE_INPUT_TOKEN_DETAILS_CACHE_READ_TOKENS),
            key(Key::AI_USAGE_CACHED_INPUT_TOKENS),
            at(Key::AI_RESPONSE_PROVIDER_METADATA, "anthropic.usage.cache_read_input_tokens"),
            at(Key::AI_RESPONSE_PROVIDER_METADATA, "anthropic.cacheReadInputTokens"),
            at(Key::AI_RESPONSE_PROVIDER_METADATA, "openai.cachedPromptTokens"),
        ],
        Shape::Count,
    ),
    rule(
        "vercel.cache_creation",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS),
            key(Key::AI_USAGE_INPUT_TOKEN_DETAILS_CACHE_WRITE_TOKENS),
            at(Key::AI_RESPONSE_PROVIDER_METADATA, "anthropic.cacheCreationInputTokens"),
            at(Key::AI_RESPONSE_PROVIDER_METADATA, "anthropic.usage.cache_creation_input_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "vercel.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[
            key(Key::AI_USAGE_OUTPUT_TOKEN_DETAILS_REASONING_TOKENS),
            key(Key::AI_USAGE_REASONING_TOKENS),
            at(Key::AI_RESPONSE_PROVIDER_METADATA, "openai.reasoningTokens"),
        ],
        Shape::Count,
    ),
    rule("vercel.stop_reason", Key::P_AI_STOP_REASON, &[key(Key::AI_RESPONSE_FINISH_REASON)], Shape::StopReason),
    rule(
        "vercel.ttft",
        Key::P_AI_TIME_TO_FIRST_TOKEN,
        &[
            key(Key::AI_RESPONSE_MS_TO_FIRST_CHUNK),
            key(Key::AI_STREAM_MS_TO_FIRST_CHUNK),
            key(Key::METADATA_AI_RESPONSE_MS_TO_FIRST_CHUNK),
        ],
        Shape::Milliseconds,
    ),
    rule("vercel.tools", Key::P_AI_TOOLS, &[key(Key::AI_PROMPT_TOOLS)], Shape::Tools),
    rule(
        "vercel.completion_id",
        Key::P_AI_COMPLETION_ID,
        &[key(Key::GEN_AI_RESPONSE_ID), key(Key::AI_RESPONSE_ID)],
        Shape::Text,
    ),
    rule(
        "vercel.prompt_name",
        Key::P_AI_PROMPT_NAME,
        &[key(Key::AI_TELEMETRY_METADATA_P_AI_PROMPT_NAME), key(Key::AI_SETTINGS_CONTEXT_P_AI_PROMPT_NAME)],
        Shape::Text,
    ),
    rule(
        "vercel.prompt_version",
        Key::P_AI_PROMPT_VERSION,
        &[key(Key::AI_TELEMETRY_METADATA_P_AI_PROMPT_VERSION), key(Key::AI_SETTINGS_CONTEXT_P_AI_PROMPT_VERSION)],
        Shape::Whatever,
    ),
    rule(
        "vercel.agent_name",
        Key::P_AI_AGENT_NAME,
        &[key(Key::GEN_AI_AGENT_NAME), key(Key::AI_TELEMETRY_FUNCTION_ID)],
        Shape::Text,
    ),
    rule("vercel.tool_name", Key::P_AI_TOOL_NAME, &[key(Key::AI_TOOL_CALL_NAME)], Shape::Text),
    rule("vercel.tool_input", Key::P_AI_INPUT_STATE, &[key(Key::AI_TOOL_CALL_ARGS)], Shape::Whatever),
    rule("vercel.tool_output", Key::P_AI_OUTPUT_STATE, &[key(Key::AI_TOOL_CALL_RESULT)], Shape::Whatever),
];
