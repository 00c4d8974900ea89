//! LiteLLM, callback `otel`: <https://docs.litellm.ai/docs/observability/opentelemetry_integration>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "litellm",
    library: "opentelemetry/litellm",
    source: "https://docs.litellm.ai/docs/observability/opentelemetry_integration",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "litellm.model",
        Key::P_AI_MODEL,
        &[key(Key::GEN_AI_RESPONSE_MODEL), key(Key::GEN_AI_REQUEST_MODEL), key(Key::LITELLM_PROVIDER_MODEL)],
        Shape::Text,
    ),
    rule(
        "litellm.input_cost",
        Key::P_AI_INPUT_COST_USD,
        &[key(Key::GEN_AI_COST_INPUT_COST), key(Key::LITELLM_COST_INPUT)],
        Shape::Number,
    ),
    rule(
        "litellm.output_cost",
        Key::P_AI_OUTPUT_COST_USD,
        &[key(Key::GEN_AI_COST_OUTPUT_COST), key(Key::LITELLM_COST_OUTPUT)],
        Shape::Number,
    ),
    rule(
        "litellm.total_cost",
        Key::P_AI_TOTAL_COST_USD,
        &[key(Key::GEN_AI_COST_TOTAL_COST), key(Key::LITELLM_COST_TOTAL)],
        Shape::Number,
    ),
    rule(
        "litellm.provider",
        Key::P_AI_PROVIDER,
        &[
            key(Key::GEN_AI_PROVIDER_NAME),
            key(Key::GEN_AI_SYSTEM),
            key(Key::ERROR_LLM_PROVIDER),
            key(Key::LITELLM_PROVIDER_ERROR_LLM_PROVIDER),
            key(Key::LITELLM_PROVIDER_MODEL),
        ],
        Shape::Provider,
    ),
    rule("litellm.base_url", Key::P_AI_BASE_URL, &[at(Key::HIDDEN_PARAMS, "api_base")], Shape::Text),
];
