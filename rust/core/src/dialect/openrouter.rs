//! OpenRouter Broadcast to an OTLP collector: <https://openrouter.ai/docs/guides/features/broadcast>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "openrouter",
    library: "opentelemetry/openrouter",
    source: "https://openrouter.ai/docs/guides/features/broadcast",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule("openrouter.input_tokens", Key::P_AI_INPUT_TOKENS, &[key(Key::GEN_AI_USAGE_INPUT_TOKENS)], Shape::Count),
    rule(
        "openrouter.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS_CACHED)],
        Shape::Count,
    ),
    rule(
        "openrouter.cache_write",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS_CACHE_WRITE)],
        Shape::Count,
    ),
    rule(
        "openrouter.cache_write_5m",
        Key::P_AI_CACHE_CREATION_5M_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS_CACHE_WRITE_5M)],
        Shape::Count,
    ),
    rule(
        "openrouter.cache_write_1h",
        Key::P_AI_CACHE_CREATION_1H_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS_CACHE_WRITE_1H)],
        Shape::Count,
    ),
    rule(
        "openrouter.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[key(Key::GEN_AI_USAGE_OUTPUT_TOKENS_REASONING)],
        Shape::Count,
    ),
    rule(
        "openrouter.audio_in",
        Key::P_AI_AUDIO_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS_AUDIO)],
        Shape::Count,
    ),
    rule(
        "openrouter.video_in",
        Key::P_AI_VIDEO_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS_VIDEO)],
        Shape::Count,
    ),
    rule(
        "openrouter.image_out",
        Key::P_AI_IMAGE_OUTPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_OUTPUT_TOKENS_IMAGE)],
        Shape::Count,
    ),
    rule(
        "openrouter.ttft",
        Key::P_AI_TIME_TO_FIRST_TOKEN,
        &[key(Key::TRACE_METADATA_OPENROUTER_FIRST_TOKEN_MS), key(Key::OPENROUTER_FIRST_TOKEN_MS)],
        Shape::Milliseconds,
    ),
    rule(
        "openrouter.tools",
        Key::P_AI_TOOLS,
        &[at(Key::GEN_AI_COMPLETION, "tools"), at(Key::GEN_AI_COMPLETION, "rawRequest.tools")],
        Shape::Whatever,
    ),
    rule(
        "openrouter.parameters",
        Key::P_AI_MODEL_PARAMETERS,
        &[at(Key::GEN_AI_COMPLETION, "rawRequest")],
        Shape::Parameters,
    ),
    rule("openrouter.trace_name", Key::P_AI_TRACE_NAME, &[key(Key::TRACE_NAME)], Shape::Text),
];
