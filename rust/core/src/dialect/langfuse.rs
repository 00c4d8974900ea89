//! Langfuse SDK 3 and 5: <https://langfuse.com/docs/opentelemetry/get-started>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "langfuse",
    library: "opentelemetry/langfuse",
    source: "https://langfuse.com/docs/opentelemetry/get-started",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule("langfuse.model", Key::P_AI_MODEL, &[key(Key::LANGFUSE_OBSERVATION_MODEL_NAME)], Shape::QuotedText),
    rule(
        "langfuse.input_tokens",
        Key::P_AI_INPUT_TOKENS,
        &[
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "input"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "prompt_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "input_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "langfuse.output_tokens",
        Key::P_AI_OUTPUT_TOKENS,
        &[
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "output"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "completion_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "output_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "langfuse.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "input_cache_read"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "cache_read_input_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "input_cached_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "prompt_tokens_details.cached_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "input_tokens_details.cached_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "langfuse.cache_creation",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "input_cache_creation"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "cache_creation_input_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "langfuse.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "output_reasoning"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "output_reasoning_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "completion_tokens_details.reasoning_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "output_tokens_details.reasoning_tokens"),
            at(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS, "reasoning_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "langfuse.input_cost",
        Key::P_AI_INPUT_COST_USD,
        &[at(Key::LANGFUSE_OBSERVATION_COST_DETAILS, "input")],
        Shape::Number,
    ),
    rule(
        "langfuse.output_cost",
        Key::P_AI_OUTPUT_COST_USD,
        &[at(Key::LANGFUSE_OBSERVATION_COST_DETAILS, "output")],
        Shape::Number,
    ),
    rule(
        "langfuse.total_cost",
        Key::P_AI_TOTAL_COST_USD,
        &[at(Key::LANGFUSE_OBSERVATION_COST_DETAILS, "total")],
        Shape::Number,
    ),
    rule(
        "langfuse.parameters",
        Key::P_AI_MODEL_PARAMETERS,
        &[key(Key::LANGFUSE_OBSERVATION_MODEL_PARAMETERS)],
        Shape::Parameters,
    ),
    rule("langfuse.prompt_name", Key::P_AI_PROMPT_NAME, &[key(Key::LANGFUSE_OBSERVATION_PROMPT_NAME)], Shape::Text),
    rule(
        "langfuse.prompt_version",
        Key::P_AI_PROMPT_VERSION,
        &[key(Key::LANGFUSE_OBSERVATION_PROMPT_VERSION)],
        Shape::Whatever,
    ),
    rule("langfuse.trace_name", Key::P_AI_TRACE_NAME, &[key(Key::LANGFUSE_TRACE_NAME)], Shape::Text),
    rule(
        "langfuse.provider",
        Key::P_AI_PROVIDER,
        &[key(Key::LANGFUSE_OBSERVATION_METADATA_LS_PROVIDER)],
        Shape::Provider,
    ),
    rule(
        "langfuse.stop_reason",
        Key::P_AI_STOP_REASON,
        &[key(Key::LANGFUSE_OBSERVATION_METADATA_FINISH_REASON)],
        Shape::StopReason,
    ),
];
