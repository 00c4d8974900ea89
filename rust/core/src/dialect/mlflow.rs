//! MLflow tracing, its own attributes and its GenAI export: <https://mlflow.org/docs/latest/genai/tracing/>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "mlflow",
    library: "opentelemetry/mlflow",
    source: "https://mlflow.org/docs/latest/genai/tracing/",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "mlflow.model",
        Key::P_AI_MODEL,
        &[key(Key::GEN_AI_RESPONSE_MODEL), key(Key::MLFLOW_LLM_MODEL), key(Key::GEN_AI_REQUEST_MODEL), key(Key::MODEL)],
        Shape::QuotedText,
    ),
    rule(
        "mlflow.provider",
        Key::P_AI_PROVIDER,
        &[key(Key::GEN_AI_PROVIDER_NAME), key(Key::MLFLOW_LLM_PROVIDER)],
        Shape::Provider,
    ),
    rule(
        "mlflow.input_tokens",
        Key::P_AI_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_INPUT_TOKENS),
            at(Key::MLFLOW_CHAT_TOKEN_USAGE, "input_tokens"),
            at(Key::MLFLOW_SPAN_OUTPUTS, "usage.prompt_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "mlflow.output_tokens",
        Key::P_AI_OUTPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_OUTPUT_TOKENS), at(Key::MLFLOW_CHAT_TOKEN_USAGE, "output_tokens")],
        Shape::Count,
    ),
    rule(
        "mlflow.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS), at(Key::MLFLOW_CHAT_TOKEN_USAGE, "cache_read_input_tokens")],
        Shape::Count,
    ),
    rule(
        "mlflow.cache_creation",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS),
            at(Key::MLFLOW_CHAT_TOKEN_USAGE, "cache_creation_input_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "mlflow.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[
            at(Key::MLFLOW_CHAT_TOKEN_USAGE, "reasoning_tokens"),
            at(Key::MLFLOW_SPAN_OUTPUTS, "usage.completion_tokens_details.reasoning_tokens"),
            at(Key::MLFLOW_SPAN_OUTPUTS, "usage.output_tokens_details.reasoning_tokens"),
        ],
        Shape::Count,
    ),
    rule(
        "mlflow.stop_reason",
        Key::P_AI_STOP_REASON,
        &[
            key(Key::GEN_AI_RESPONSE_FINISH_REASONS),
            at(Key::MLFLOW_SPAN_OUTPUTS, "choices.0.finish_reason"),
            at(Key::MLFLOW_SPAN_OUTPUTS, "stop_reason"),
            at(Key::MLFLOW_SPAN_OUTPUTS, "candidates.0.finish_reason"),
            at(Key::MLFLOW_SPAN_OUTPUTS, "status"),
        ],
        Shape::StopReason,
    ),
    rule(
        "mlflow.tools",
        Key::P_AI_TOOLS,
        &[key(Key::GEN_AI_TOOL_DEFINITIONS), key(Key::MLFLOW_CHAT_TOOLS), key(Key::TOOLS)],
        Shape::Tools,
    ),
    rule("mlflow.input", Key::P_AI_INPUT_STATE, &[key(Key::MLFLOW_SPAN_INPUTS)], Shape::Whatever),
    rule("mlflow.output", Key::P_AI_OUTPUT_STATE, &[key(Key::MLFLOW_SPAN_OUTPUTS)], Shape::Whatever),
    rule(
        "mlflow.completion_id",
        Key::P_AI_COMPLETION_ID,
        &[key(Key::GEN_AI_RESPONSE_ID), at(Key::MLFLOW_SPAN_OUTPUTS, "id")],
        Shape::Text,
    ),
];
