//! A dialect that nobody has seen: the names that its authors would pick.

use super::rule::{Rule, Shape, Table, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table { name: "fallback", library: "opentelemetry/fallback", source: "", rules: RULES };

const RULES: &[Rule] = &[
    rule(
        "fallback.model",
        Key::P_AI_MODEL,
        &[key(Key::LLM_MODEL), key(Key::GEN_AI_MODEL), key(Key::LLM_MODEL_NAME), key(Key::MODEL_NAME), key(Key::MODEL)],
        Shape::QuotedText,
    ),
    rule(
        "fallback.provider",
        Key::P_AI_PROVIDER,
        &[key(Key::LLM_PROVIDER), key(Key::LLM_VENDOR), key(Key::LLM_SYSTEM)],
        Shape::Provider,
    ),
    rule(
        "fallback.input_tokens",
        Key::P_AI_INPUT_TOKENS,
        &[key(Key::LLM_USAGE_INPUT_TOKENS), key(Key::INPUT_TOKENS), key(Key::PROMPT_TOKENS)],
        Shape::Count,
    ),
    rule(
        "fallback.output_tokens",
        Key::P_AI_OUTPUT_TOKENS,
        &[key(Key::LLM_USAGE_OUTPUT_TOKENS), key(Key::OUTPUT_TOKENS), key(Key::COMPLETION_TOKENS)],
        Shape::Count,
    ),
];
