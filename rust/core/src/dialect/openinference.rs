//! OpenInference: <https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "openinference",
    library: "opentelemetry/openinference",
    source: "https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "openinference.model",
        Key::P_AI_MODEL,
        &[
            key(Key::LLM_RESPONSE_MODEL_NAME),
            key(Key::LLM_MODEL_NAME),
            key(Key::EMBEDDING_MODEL_NAME),
            key(Key::LLM_REQUEST_MODEL_NAME),
            at(Key::LLM_INVOCATION_PARAMETERS, "model"),
            at(Key::INPUT_VALUE, "model"),
        ],
        Shape::Text,
    ),
    rule(
        "openinference.provider",
        Key::P_AI_PROVIDER,
        &[key(Key::LLM_PROVIDER), key(Key::LLM_SYSTEM), at(Key::METADATA, "ls_provider")],
        Shape::Provider,
    ),
    rule("openinference.input_tokens", Key::P_AI_INPUT_TOKENS, &[key(Key::LLM_TOKEN_COUNT_PROMPT)], Shape::Count),
    rule("openinference.output_tokens", Key::P_AI_OUTPUT_TOKENS, &[key(Key::LLM_TOKEN_COUNT_COMPLETION)], Shape::Count),
    rule(
        "openinference.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[key(Key::LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ)],
        Shape::Count,
    ),
    rule(
        "openinference.cache_write",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[key(Key::LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE)],
        Shape::Count,
    ),
    rule(
        "openinference.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[key(Key::LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING)],
        Shape::Count,
    ),
    rule(
        "openinference.audio_in",
        Key::P_AI_AUDIO_INPUT_TOKENS,
        &[key(Key::LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO)],
        Shape::Count,
    ),
    rule(
        "openinference.audio_out",
        Key::P_AI_AUDIO_OUTPUT_TOKENS,
        &[key(Key::LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO)],
        Shape::Count,
    ),
    rule("openinference.input_cost", Key::P_AI_INPUT_COST_USD, &[key(Key::LLM_COST_PROMPT)], Shape::Number),
    rule("openinference.output_cost", Key::P_AI_OUTPUT_COST_USD, &[key(Key::LLM_COST_COMPLETION)], Shape::Number),
    rule("openinference.total_cost", Key::P_AI_TOTAL_COST_USD, &[key(Key::LLM_COST_TOTAL)], Shape::Number),
    rule(
        "openinference.stop_reason",
        Key::P_AI_STOP_REASON,
        &[
            key(Key::LLM_FINISH_REASON),
            at(Key::OUTPUT_VALUE, "choices.0.finish_reason"),
            at(Key::OUTPUT_VALUE, "stop_reason"),
            at(Key::OUTPUT_VALUE, "status"),
        ],
        Shape::StopReason,
    ),
    rule(
        "openinference.parameters",
        Key::P_AI_MODEL_PARAMETERS,
        &[key(Key::LLM_INVOCATION_PARAMETERS), key(Key::EMBEDDING_INVOCATION_PARAMETERS)],
        Shape::Parameters,
    ),
    rule("openinference.tools", Key::P_AI_TOOLS, &[at(Key::LLM_INVOCATION_PARAMETERS, "tools")], Shape::Tools),
    rule("openinference.tool_name", Key::P_AI_TOOL_NAME, &[key(Key::TOOL_NAME)], Shape::Text),
    rule("openinference.agent_name", Key::P_AI_AGENT_NAME, &[key(Key::AGENT_NAME)], Shape::Text),
    rule("openinference.input", Key::P_AI_INPUT_STATE, &[key(Key::INPUT_VALUE)], Shape::Whatever),
    rule("openinference.output", Key::P_AI_OUTPUT_STATE, &[key(Key::OUTPUT_VALUE)], Shape::Whatever),
    rule(
        "openinference.prompt_version",
        Key::P_AI_PROMPT_VERSION,
        &[key(Key::LLM_PROMPT_TEMPLATE_VERSION)],
        Shape::Whatever,
    ),
    rule(
        "openinference.completion_id",
        Key::P_AI_COMPLETION_ID,
        &[at(Key::OUTPUT_VALUE, "id"), at(Key::OUTPUT_VALUE, "generations.0.0.message.kwargs.response_metadata.id")],
        Shape::Text,
    ),
];
