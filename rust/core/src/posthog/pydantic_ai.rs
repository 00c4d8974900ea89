//! Spans of Pydantic AI and Logfire (<https://ai.pydantic.dev/logfire/>), after the generic mapping: an agent's run gets its
//! states from the messages of the whole run, a tool's from its arguments and its result.

use crate::event::EventName;
use crate::keys::Key;
use crate::wire::Value;

use super::Draft;
use super::bag::Bag;
use super::javascript::stringify;
use super::values::{self, Reader};

const MARKERS: [Key; 4] =
    [Key::PYDANTIC_AI_ALL_MESSAGES, Key::LOGFIRE_MSG, Key::LOGFIRE_JSON_SCHEMA, Key::MODEL_REQUEST_PARAMETERS];

const REMOVED: [Key; 7] = [
    Key::LOGFIRE_JSON_SCHEMA,
    Key::LOGFIRE_MSG,
    Key::OPERATION_COST,
    Key::MODEL_REQUEST_PARAMETERS,
    Key::MODEL_NAME,
    Key::GEN_AI_USAGE_DETAILS_INPUT_TOKENS,
    Key::GEN_AI_USAGE_DETAILS_OUTPUT_TOKENS,
];

pub(super) fn speaks(bag: &Bag) -> bool {
    MARKERS.iter().any(|&key| bag.has(key))
}

pub(super) fn map(draft: &mut Draft) {
    draft.bag.rename_if_absent(Key::LOGFIRE_MSG, Key::P_AI_SPAN_NAME);
    lift_stop_reason(draft.bag, draft.reader);
    if draft.name == EventName::Trace || draft.bag.has(Key::PYDANTIC_AI_ALL_MESSAGES) {
        agent_run(draft.bag, draft.reader);
    }
    // An agent's run below another span is both: what the tool attributes say is written last.
    if draft.name == EventName::Span {
        tool_run(draft.bag, draft.reader);
    }
    draft.bag.set(Key::P_AI_LIB, values::string("opentelemetry/pydantic-ai"));
    draft.bag.remove_all(&REMOVED);
}

/// The stop reason of the first output message that has a usable one.
fn lift_stop_reason(bag: &mut Bag, reader: Reader) {
    if bag.has(Key::P_AI_STOP_REASON) {
        return;
    }
    let messages = bag.get(Key::P_AI_OUTPUT_CHOICES).and_then(|choices| reader.elements(choices)).unwrap_or_default();
    let mut reasons = messages.iter().filter_map(|message| values::member(message, "finish_reason"));
    if let Some(reason) = reasons.find_map(values::usable_reason) {
        bag.set(Key::P_AI_STOP_REASON, Value::Str(reason.clone()));
    }
}

fn agent_run(bag: &mut Bag, reader: Reader) {
    let messages = match bag.remove(Key::PYDANTIC_AI_ALL_MESSAGES) {
        Some(Value::Str(text)) => reader.parse(text).ok().and_then(|parsed| reader.elements(&parsed)),
        _ => None,
    };
    let messages = messages.unwrap_or_default();
    let messages = || messages.iter().filter(|message| matches!(message, Value::Object(_)));
    let role = |message: &&Value| values::member_text(message, "role").map(str::to_owned);
    if let Some(message) = messages().find(|message| role(message).as_deref() == Some("user")) {
        bag.set(Key::P_AI_INPUT_STATE, message.clone());
    }
    if let Some(result) = bag.remove(Key::FINAL_RESULT) {
        bag.set(Key::P_AI_OUTPUT_STATE, reader.parse_if_container(result));
    } else if let Some(message) =
        messages().rfind(|message| !matches!(role(message).as_deref(), Some("user" | "system")))
    {
        bag.set(Key::P_AI_OUTPUT_STATE, message.clone());
    }
    let [newer, older] = [Key::GEN_AI_AGENT_NAME, Key::PLAIN_AGENT_NAME].map(|key| bag.remove(key));
    if let Some(name) = newer.filter(|name| *name != Value::Null).or(older) {
        bag.set(Key::P_AI_SPAN_NAME, name);
    }
    bag.rename_if_absent(Key::MODEL_NAME, Key::P_AI_MODEL);
}

fn tool_run(bag: &mut Bag, reader: Reader) {
    let states = [
        (Key::P_AI_INPUT_STATE, Key::GEN_AI_TOOL_CALL_ARGUMENTS, Key::TOOL_ARGUMENTS),
        (Key::P_AI_OUTPUT_STATE, Key::GEN_AI_TOOL_CALL_RESULT, Key::TOOL_RESPONSE),
    ];
    for (state, newer, older) in states {
        let (newer, older) = (bag.remove(newer), bag.remove(older));
        if let Some(value) = newer.or(older) {
            bag.set(state, readable(value, reader));
        }
    }
    bag.rename(Key::GEN_AI_TOOL_NAME, Key::P_AI_SPAN_NAME);
    bag.remove(Key::GEN_AI_TOOL_CALL_ID);
}

/// Containers as they are, also out of strings; scalars as text.
fn readable<'a>(value: Value<'a>, reader: Reader) -> Value<'a> {
    match reader.parse_if_container(value) {
        scalar @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_)) => {
            Value::Str(stringify(&scalar).into())
        }
        other => other,
    }
}
