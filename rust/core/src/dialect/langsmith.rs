//! LangSmith, exported by OpenTelemetry: <https://docs.langchain.com/langsmith/trace-with-opentelemetry>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "langsmith",
    library: "opentelemetry/langsmith",
    source: "https://docs.langchain.com/langsmith/trace-with-opentelemetry",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "langsmith.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[
            at(Key::GEN_AI_USAGE_INPUT_TOKEN_DETAILS, "cache_read"),
            at(Key::GEN_AI_COMPLETION, "generations.0.0.message.kwargs.usage_metadata.input_token_details.cache_read"),
        ],
        Shape::Count,
    ),
    rule(
        "langsmith.cache_creation",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[
            at(Key::GEN_AI_USAGE_INPUT_TOKEN_DETAILS, "cache_creation"),
            at(
                Key::GEN_AI_COMPLETION,
                "generations.0.0.message.kwargs.usage_metadata.input_token_details.cache_creation",
            ),
        ],
        Shape::Count,
    ),
    rule(
        "langsmith.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[
            at(Key::GEN_AI_USAGE_OUTPUT_TOKEN_DETAILS, "reasoning"),
            at(Key::GEN_AI_COMPLETION, "generations.0.0.message.kwargs.usage_metadata.output_token_details.reasoning"),
        ],
        Shape::Count,
    ),
    rule(
        "langsmith.completion_id",
        Key::P_AI_COMPLETION_ID,
        &[
            key(Key::GEN_AI_RESPONSE_ID),
            at(Key::GEN_AI_COMPLETION, "generations.0.0.message.kwargs.response_metadata.id"),
            at(Key::GEN_AI_COMPLETION, "id"),
        ],
        Shape::Text,
    ),
    rule(
        "langsmith.provider",
        Key::P_AI_PROVIDER,
        &[key(Key::GEN_AI_SYSTEM), key(Key::LANGSMITH_METADATA_LS_PROVIDER)],
        Shape::Provider,
    ),
    rule(
        "langsmith.model",
        Key::P_AI_MODEL,
        &[
            key(Key::GEN_AI_RESPONSE_MODEL),
            at(Key::GEN_AI_COMPLETION, "generations.0.0.message.kwargs.response_metadata.model_name"),
            key(Key::GEN_AI_REQUEST_MODEL),
            key(Key::LANGSMITH_METADATA_LS_MODEL_NAME),
        ],
        Shape::Text,
    ),
    rule("langsmith.input", Key::P_AI_INPUT_STATE, &[key(Key::GEN_AI_PROMPT)], Shape::Whatever),
    rule("langsmith.output", Key::P_AI_OUTPUT_STATE, &[key(Key::GEN_AI_COMPLETION)], Shape::Whatever),
];
