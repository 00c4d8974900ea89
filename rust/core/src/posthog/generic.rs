//! The mapping that all spans go through: attributes of the GenAI conventions
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>) get PostHog's names. A property is "set" when it exists, be it
//! null or empty, and everything that is not named here keeps its own name.

use crate::event::EventName;
use crate::keys::Key;
use crate::wire::Value;

use super::{Draft, filter, older_events, system_instructions, values};

/// Message attributes: a string is read as JSON where it is JSON.
const PARSED: [(Key, Key); 3] = [
    (Key::GEN_AI_INPUT_MESSAGES, Key::P_AI_INPUT),
    (Key::GEN_AI_OUTPUT_MESSAGES, Key::P_AI_OUTPUT_CHOICES),
    (Key::GEN_AI_TOOL_DEFINITIONS, Key::P_AI_TOOLS),
];

/// Renamed over whatever stood under the new name.
const RENAMED: [(Key, Key); 10] = [
    (Key::GEN_AI_USAGE_INPUT_TOKENS, Key::P_AI_INPUT_TOKENS),
    (Key::GEN_AI_USAGE_OUTPUT_TOKENS, Key::P_AI_OUTPUT_TOKENS),
    (Key::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Key::P_AI_CACHE_READ_INPUT_TOKENS),
    (Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS, Key::P_AI_CACHE_CREATION_INPUT_TOKENS),
    (Key::GEN_AI_RESPONSE_MODEL, Key::P_AI_MODEL),
    (Key::GEN_AI_PROVIDER_NAME, Key::P_AI_PROVIDER),
    (Key::SERVER_ADDRESS, Key::P_AI_BASE_URL),
    (Key::TELEMETRY_SDK_NAME, Key::P_AI_LIB),
    (Key::TELEMETRY_SDK_VERSION, Key::P_AI_LIB_VERSION),
    (Key::P_OTEL_SPAN_NAME, Key::P_AI_SPAN_NAME),
];

/// Older names: used where the newer ones said nothing, removed either way.
const FALLBACKS: [(Key, Key); 4] = [
    (Key::GEN_AI_SYSTEM, Key::P_AI_PROVIDER),
    (Key::GEN_AI_REQUEST_MODEL, Key::P_AI_MODEL),
    (Key::GEN_AI_USAGE_PROMPT_TOKENS, Key::P_AI_INPUT_TOKENS),
    (Key::GEN_AI_USAGE_COMPLETION_TOKENS, Key::P_AI_OUTPUT_TOKENS),
];

const REMOVED: [Key; 6] = [
    Key::TELEMETRY_SDK_LANGUAGE,
    Key::GEN_AI_OPERATION_NAME,
    Key::POSTHOG_AI_DEBUG,
    Key::USER_ID,
    Key::POSTHOG_DISTINCT_ID,
    Key::LLM_REQUEST_TYPE,
];

const MAX_GROUPS_LENGTH: usize = 10_000;

pub(super) fn map(draft: &mut Draft) {
    if draft.name == EventName::Span
        && let Some(name) = draft.bag.text(Key::LLM_REQUEST_TYPE).and_then(|text| filter::by_request_type(text))
    {
        draft.name = name;
    }
    for (from, to) in PARSED {
        if let Some(value) = draft.bag.remove(from) {
            draft.bag.set(to, draft.reader.parse_if_json(value));
        }
    }
    for (from, to) in RENAMED {
        draft.bag.rename(from, to);
    }
    for (from, to) in FALLBACKS {
        draft.bag.rename_if_absent(from, to);
    }
    older_events::map(draft);
    system_instructions::map(draft);
    groups(draft);
    if let Some(nanos) = draft.end_unix_nano.checked_sub(draft.start_unix_nano).filter(|&nanos| nanos > 0) {
        draft.bag.set(Key::P_AI_LATENCY, Value::Double(nanos as f64 / 1e9));
    }
    if draft.name == EventName::Span && !draft.bag.get(Key::P_AI_PARENT_ID).is_some_and(values::is_truthy) {
        draft.name = EventName::Trace;
    }
    draft.bag.remove_all(&REMOVED);
}

/// Groups may come as the JSON text of an object; text that is too long goes, other text stays.
fn groups(draft: &mut Draft) {
    let Some(text) = draft.bag.text(Key::P_GROUPS) else { return };
    if values::longer_than(text, MAX_GROUPS_LENGTH) {
        draft.bag.remove(Key::P_GROUPS);
    } else if text.trim_ascii_start().starts_with('{')
        && let Ok(groups) = draft.reader.parse(text.clone())
    {
        draft.bag.set(Key::P_GROUPS, groups);
    }
}
