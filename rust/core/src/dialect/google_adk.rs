//! Google ADK: <https://google.github.io/adk-docs/observability/>.

use super::rule::{Rule, Shape, Table, key, rule};
use crate::keys::Key;

pub(super) const TABLE: Table = Table {
    name: "google_adk",
    library: "opentelemetry/google_adk",
    source: "https://google.github.io/adk-docs/observability/",
    rules: RULES,
};

const RULES: &[Rule] = &[
    rule(
        "google_adk.tool_input",
        Key::P_AI_INPUT_STATE,
        &[key(Key::GEN_AI_TOOL_CALL_ARGUMENTS), key(Key::GCP_VERTEX_AGENT_TOOL_CALL_ARGS)],
        Shape::Content,
    ),
    rule(
        "google_adk.tool_output",
        Key::P_AI_OUTPUT_STATE,
        &[key(Key::GEN_AI_TOOL_CALL_RESULT), key(Key::GCP_VERTEX_AGENT_TOOL_RESPONSE)],
        Shape::Content,
    ),
];
