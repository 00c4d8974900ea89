//! Pydantic AI, formats 1 to 6, and Logfire: <https://ai.pydantic.dev/logfire/>.

use super::rule::{Rule, Shape, Table, at, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "pydantic_ai",
    library: "opentelemetry/pydantic-ai",
    source: "https://ai.pydantic.dev/logfire/",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "pydantic_ai.agent_name",
        Key::P_AI_AGENT_NAME,
        &[key(Key::GEN_AI_AGENT_NAME), key(Key::PLAIN_AGENT_NAME)],
        Shape::Text,
    ),
    rule(
        "pydantic_ai.model",
        Key::P_AI_MODEL,
        &[key(Key::GEN_AI_RESPONSE_MODEL), key(Key::GEN_AI_REQUEST_MODEL), key(Key::MODEL_NAME)],
        Shape::Text,
    ),
    rule(
        "pydantic_ai.cache_read",
        Key::P_AI_CACHE_READ_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
            key(Key::GEN_AI_USAGE_DETAILS_CACHE_READ_INPUT_TOKENS),
            key(Key::GEN_AI_USAGE_DETAILS_CACHED_TOKENS),
        ],
        Shape::Count,
    ),
    rule(
        "pydantic_ai.cache_creation",
        Key::P_AI_CACHE_CREATION_INPUT_TOKENS,
        &[
            key(Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS),
            key(Key::GEN_AI_USAGE_DETAILS_CACHE_CREATION_INPUT_TOKENS),
        ],
        Shape::Count,
    ),
    rule(
        "pydantic_ai.reasoning",
        Key::P_AI_REASONING_TOKENS,
        &[key(Key::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS), key(Key::GEN_AI_USAGE_DETAILS_REASONING_TOKENS)],
        Shape::Count,
    ),
    rule("pydantic_ai.total_cost", Key::P_AI_TOTAL_COST_USD, &[key(Key::OPERATION_COST)], Shape::Number),
    rule(
        "pydantic_ai.tool_input",
        Key::P_AI_INPUT_STATE,
        &[key(Key::GEN_AI_TOOL_CALL_ARGUMENTS), key(Key::TOOL_ARGUMENTS)],
        Shape::Whatever,
    ),
    rule(
        "pydantic_ai.tool_output",
        Key::P_AI_OUTPUT_STATE,
        &[key(Key::GEN_AI_TOOL_CALL_RESULT), key(Key::TOOL_RESPONSE)],
        Shape::Whatever,
    ),
    rule(
        "pydantic_ai.tools",
        Key::P_AI_TOOLS,
        &[key(Key::GEN_AI_TOOL_DEFINITIONS), at(Key::MODEL_REQUEST_PARAMETERS, "function_tools")],
        Shape::Tools,
    ),
];
