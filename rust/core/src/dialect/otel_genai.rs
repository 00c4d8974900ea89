//! The GenAI semantic conventions, 1.26 to the current ones: <https://opentelemetry.io/docs/specs/semconv/gen-ai/>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "otel_genai",
    library: "opentelemetry/genai",
    source: "https://opentelemetry.io/docs/specs/semconv/gen-ai/",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "genai.model",
        Key::P_AI_MODEL,
        &[key(Key::GEN_AI_RESPONSE_MODEL), key(Key::GEN_AI_REQUEST_MODEL)],
        Shape::Text,
    ),
    rule(
        "genai.provider",
        Key::P_AI_PROVIDER,
        &[key(Key::GEN_AI_PROVIDER_NAME), key(Key::GEN_AI_SYSTEM)],
        Shape::Provider,
    ),
    rule(
        "genai.input_tokens",
        Key::P_AI_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_INPUT_TOKENS), key(Key::GEN_AI_USAGE_PROMPT_TOKENS)],
        Shape::Count,
    ),
    rule(
        "genai.output_tokens",
        Key::P_AI_OUTPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_OUTPUT_TOKENS), key(Key::GEN_AI_USAGE_COMPLETION_TOKENS)],
        Shape::Count,
    ),
    rule(
        "genai.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[key(Key::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS), key(Key::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS_FLAT)],
        Shape::Count,
    ),
    rule(
        "genai.cache_creation",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS),
            key(Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS_FLAT),
            key(Key::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
            key(Key::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS_FLAT),
        ],
        Shape::Count,
    ),
    rule(
        "genai.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
            key(Key::GEN_AI_USAGE_REASONING_TOKENS),
            at(Key::GEN_AI_USAGE_RAW, "completion_tokens_details.reasoning_tokens"),
            at(Key::GEN_AI_USAGE_RAW, "output_tokens_details.reasoning_tokens"),
        ],
        Shape::Count,
    ),
    rule("genai.audio_in", Key::P_AI_AUDIO_INPUT_TOKENS, &[key(Key::GEN_AI_USAGE_AUDIO_INPUT_TOKENS)], Shape::Count),
    rule("genai.audio_out", Key::P_AI_AUDIO_OUTPUT_TOKENS, &[key(Key::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS)], Shape::Count),
    rule(
        "genai.input_cost",
        Key::P_AI_INPUT_COST_USD,
        &[key(Key::GEN_AI_USAGE_INPUT_COST), key(Key::GEN_AI_COST_INPUT_COST)],
        Shape::Number,
    ),
    rule(
        "genai.output_cost",
        Key::P_AI_OUTPUT_COST_USD,
        &[key(Key::GEN_AI_USAGE_OUTPUT_COST), key(Key::GEN_AI_COST_OUTPUT_COST)],
        Shape::Number,
    ),
    rule(
        "genai.total_cost",
        Key::P_AI_TOTAL_COST_USD,
        &[
            key(Key::GEN_AI_USAGE_TOTAL_COST),
            key(Key::GEN_AI_USAGE_COST),
            key(Key::GEN_AI_COST_TOTAL_COST),
            key(Key::OPERATION_COST),
        ],
        Shape::Number,
    ),
    rule(
        "genai.stop_reason",
        Key::P_AI_STOP_REASON,
        &[key(Key::GEN_AI_RESPONSE_FINISH_REASONS), key(Key::GEN_AI_RESPONSE_FINISH_REASON)],
        Shape::StopReason,
    ),
    rule(
        "genai.ttft",
        Key::P_AI_TIME_TO_FIRST_TOKEN,
        &[
            key(Key::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK),
            key(Key::GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK),
            key(Key::GEN_AI_SERVER_TIME_TO_FIRST_TOKEN),
        ],
        Shape::Number,
    ),
    rule("genai.base_url", Key::P_AI_BASE_URL, &[key(Key::SERVER_ADDRESS)], Shape::Text),
    rule(
        "genai.tools",
        Key::P_AI_TOOLS,
        &[key(Key::GEN_AI_TOOL_DEFINITIONS), key(Key::GEN_AI_REQUEST_TOOLS), key(Key::GEN_AI_AGENT_TOOLS)],
        Shape::Tools,
    ),
    rule("genai.tool_name", Key::P_AI_TOOL_NAME, &[key(Key::GEN_AI_TOOL_NAME)], Shape::Text),
    rule(
        "genai.tool_input",
        Key::P_AI_INPUT_STATE,
        &[key(Key::GEN_AI_TOOL_CALL_ARGUMENTS), key(Key::GEN_AI_TOOL_ARGS)],
        Shape::Whatever,
    ),
    rule("genai.tool_output", Key::P_AI_OUTPUT_STATE, &[key(Key::GEN_AI_TOOL_CALL_RESULT)], Shape::Whatever),
    rule("genai.agent_name", Key::P_AI_AGENT_NAME, &[key(Key::GEN_AI_AGENT_NAME)], Shape::Text),
    rule("genai.completion_id", Key::P_AI_COMPLETION_ID, &[key(Key::GEN_AI_RESPONSE_ID)], Shape::Text),
    rule(
        "genai.service_tier",
        Key::P_AI_SERVICE_TIER,
        &[key(Key::OPENAI_RESPONSE_SERVICE_TIER), key(Key::GEN_AI_OPENAI_RESPONSE_SERVICE_TIER)],
        Shape::Text,
    ),
    rule("genai.prompt_name", Key::P_AI_PROMPT_NAME, &[key(Key::GEN_AI_PROMPT_NAME)], Shape::Text),
];
