//! OpenLLMetry and the Traceloop SDK: <https://www.traceloop.com/docs/openllmetry/contributing/semantic-conventions>.

use super::rule::{Rule, Shape, Table, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "traceloop",
    library: "opentelemetry/traceloop",
    source: "https://www.traceloop.com/docs/openllmetry/contributing/semantic-conventions",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "traceloop.input_tokens",
        Key::P_AI_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS), key(Key::GEN_AI_USAGE_PROMPT_TOKENS), key(Key::LLM_USAGE_PROMPT_TOKENS)],
        Shape::Count,
    ),
    rule(
        "traceloop.output_tokens",
        Key::P_AI_OUTPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_OUTPUT_TOKENS),
            key(Key::GEN_AI_USAGE_COMPLETION_TOKENS),
            key(Key::LLM_USAGE_COMPLETION_TOKENS),
        ],
        Shape::Count,
    ),
    rule(
        "traceloop.model",
        Key::P_AI_MODEL,
        &[
            key(Key::GEN_AI_RESPONSE_MODEL),
            key(Key::LLM_RESPONSE_MODEL),
            key(Key::GEN_AI_REQUEST_MODEL),
            key(Key::LLM_REQUEST_MODEL),
        ],
        Shape::Text,
    ),
    rule(
        "traceloop.provider",
        Key::P_AI_PROVIDER,
        &[
            key(Key::GEN_AI_PROVIDER_NAME),
            key(Key::GEN_AI_SYSTEM),
            key(Key::LLM_VENDOR),
            key(Key::TRACELOOP_ASSOCIATION_PROPERTIES_LS_PROVIDER),
        ],
        Shape::Provider,
    ),
    rule(
        "traceloop.stop_reason",
        Key::P_AI_STOP_REASON,
        &[
            key(Key::GEN_AI_RESPONSE_FINISH_REASONS),
            key(Key::LLM_RESPONSE_STOP_REASON),
            key(Key::LLM_RESPONSE_FINISH_REASON),
            key(Key::GEN_AI_COMPLETION_0_FINISH_REASON),
        ],
        Shape::StopReason,
    ),
    rule(
        "traceloop.tool_name",
        Key::P_AI_TOOL_NAME,
        &[key(Key::GEN_AI_TOOL_NAME), key(Key::TRACELOOP_ENTITY_NAME)],
        Shape::Text,
    ),
    rule(
        "traceloop.input",
        Key::P_AI_INPUT_STATE,
        &[key(Key::TRACELOOP_ENTITY_INPUT), key(Key::GEN_AI_TASK_INPUT)],
        Shape::Whatever,
    ),
    rule(
        "traceloop.output",
        Key::P_AI_OUTPUT_STATE,
        &[key(Key::TRACELOOP_ENTITY_OUTPUT), key(Key::GEN_AI_TASK_OUTPUT)],
        Shape::Whatever,
    ),
    rule("traceloop.base_url", Key::P_AI_BASE_URL, &[key(Key::GEN_AI_OPENAI_API_BASE)], Shape::Text),
    rule("traceloop.prompt_name", Key::P_AI_PROMPT_NAME, &[key(Key::TRACELOOP_PROMPT_KEY)], Shape::Text),
    rule("traceloop.prompt_version", Key::P_AI_PROMPT_VERSION, &[key(Key::TRACELOOP_PROMPT_VERSION)], Shape::Whatever),
];
