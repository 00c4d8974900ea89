//! LangWatch: <https://docs.langwatch.ai/integration/opentelemetry/guide>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "langwatch",
    library: "opentelemetry/langwatch",
    source: "https://docs.langwatch.ai/integration/opentelemetry/guide",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "langwatch.input_tokens",
        Key::P_AI_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_INPUT_TOKENS),
            at(Key::LANGWATCH_METRICS, "value.promptTokens"),
            at(Key::LANGWATCH_METRICS, "promptTokens"),
        ],
        Shape::Count,
    ),
    rule(
        "langwatch.output_tokens",
        Key::P_AI_OUTPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_OUTPUT_TOKENS),
            at(Key::LANGWATCH_METRICS, "value.completionTokens"),
            at(Key::LANGWATCH_METRICS, "completionTokens"),
        ],
        Shape::Count,
    ),
    rule(
        "langwatch.total_cost",
        Key::P_AI_TOTAL_COST_USD,
        &[at(Key::LANGWATCH_METRICS, "value.cost"), at(Key::LANGWATCH_METRICS, "cost")],
        Shape::Number,
    ),
    rule("langwatch.input", Key::P_AI_INPUT_STATE, &[at(Key::LANGWATCH_INPUT, "value")], Shape::Whatever),
    rule("langwatch.output", Key::P_AI_OUTPUT_STATE, &[at(Key::LANGWATCH_OUTPUT, "value")], Shape::Whatever),
];
