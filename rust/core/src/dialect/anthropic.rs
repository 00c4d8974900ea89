//! The Anthropic SDK's own spans: <https://github.com/anthropics/anthropic-sdk-python>.

use super::rule::{Rule, Shape, Table, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "anthropic",
    library: "opentelemetry/anthropic",
    source: "https://github.com/anthropics/anthropic-sdk-python",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "anthropic.cache_write",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS), key(Key::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS)],
        Shape::Count,
    ),
    rule(
        "anthropic.cache_5m",
        Key::P_AI_CACHE_CREATION_5M_INPUT_TOKENS,
        &[key(Key::ANTHROPIC_USAGE_CACHE_CREATION_EPHEMERAL_5M_INPUT_TOKENS)],
        Shape::Count,
    ),
    rule(
        "anthropic.cache_1h",
        Key::P_AI_CACHE_CREATION_1H_INPUT_TOKENS,
        &[key(Key::ANTHROPIC_USAGE_CACHE_CREATION_EPHEMERAL_1H_INPUT_TOKENS)],
        Shape::Count,
    ),
    rule(
        "anthropic.stop_reason",
        Key::P_AI_STOP_REASON,
        &[key(Key::ANTHROPIC_MESSAGE_STOP_REASON), key(Key::ANTHROPIC_SESSION_TURN_STOP_REASON)],
        Shape::StopReason,
    ),
    rule("anthropic.tool_output", Key::P_AI_OUTPUT_STATE, &[key(Key::ANTHROPIC_TOOL_RESULT_CONTENT)], Shape::Whatever),
    rule("anthropic.service_tier", Key::P_AI_SERVICE_TIER, &[key(Key::ANTHROPIC_RESPONSE_SERVICE_TIER)], Shape::Text),
];
