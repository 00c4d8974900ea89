//! Spans of Anthropic's own SDK, around the generic mapping: its input tokens include cached ones, cache writes are split
//! by their time to live, and compaction is counted apart.

use std::collections::HashSet;

use crate::event::EventName;
use crate::keys::Key;
use crate::wire::Value;

use super::Draft;
use super::bag::Bag;
use super::javascript::Number;
use super::values::{self, Reader};

const RENAMED: [(Key, Key); 4] = [
    (Key::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, Key::P_AI_CACHE_CREATION_INPUT_TOKENS),
    (Key::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, Key::P_AI_REASONING_TOKENS),
    (Key::GEN_AI_REQUEST_MAX_TOKENS, Key::P_AI_MAX_TOKENS),
    (Key::GEN_AI_REQUEST_STREAM, Key::P_AI_STREAM),
];

pub(super) fn speaks(bag: &Bag) -> bool {
    bag.iter().any(|(name, _)| name.as_str().starts_with("anthropic."))
}

/// What the generic mapping removes and [`map`] needs.
pub(super) struct Prepared {
    is_tool_execution: bool,
}

pub(super) fn prepare(draft: &Draft) -> Prepared {
    let operation = draft.bag.text(Key::GEN_AI_OPERATION_NAME);
    Prepared { is_tool_execution: operation.is_some_and(|operation| operation == "execute_tool") }
}

pub(super) fn map(draft: &mut Draft, prepared: Prepared) {
    let (bag, reader) = (&mut *draft.bag, draft.reader);
    for (from, to) in RENAMED {
        bag.rename_if_absent(from, to);
    }
    if bag.has(Key::P_AI_INPUT_TOKENS) {
        bag.set_if_absent(Key::P_AI_CACHE_REPORTING_EXCLUSIVE, Value::Bool(false));
    }
    split_cache_writes(bag);
    add(bag, Key::ANTHROPIC_USAGE_COMPACTION_INPUT_TOKENS, Key::P_AI_INPUT_TOKENS);
    add(bag, Key::ANTHROPIC_USAGE_COMPACTION_OUTPUT_TOKENS, Key::P_AI_OUTPUT_TOKENS);
    let reasons =
        [Key::ANTHROPIC_MESSAGE_STOP_REASON, Key::ANTHROPIC_SESSION_TURN_STOP_REASON].map(|key| bag.remove(key));
    if let Some(reason) = reasons.iter().flatten().find_map(values::usable_reason) {
        bag.set_if_absent(Key::P_AI_STOP_REASON, Value::Str(reason.clone()));
    }
    if let Some(Value::Str(session)) = bag.remove(Key::ANTHROPIC_SESSION_ID)
        && !session.is_empty()
    {
        bag.set_if_absent(Key::P_AI_SESSION_ID, Value::Str(session));
    }
    if prepared.is_tool_execution {
        tool_execution(bag, reader);
    }
    if draft.name == EventName::Generation && !bag.has(Key::P_AI_WEB_SEARCH_COUNT) {
        count_web_searches(bag, reader);
    }
    bag.set(Key::P_AI_LIB, values::string("opentelemetry/anthropic"));
}

/// Cache writes by time to live, where the parts add up to the reported total, or make one that was not reported.
fn split_cache_writes(bag: &mut Bag) {
    let parts = [
        (Key::ANTHROPIC_USAGE_CACHE_CREATION_EPHEMERAL_5M_INPUT_TOKENS, Key::P_AI_CACHE_CREATION_5M_INPUT_TOKENS),
        (Key::ANTHROPIC_USAGE_CACHE_CREATION_EPHEMERAL_1H_INPUT_TOKENS, Key::P_AI_CACHE_CREATION_1H_INPUT_TOKENS),
    ];
    if parts.iter().any(|&(_, to)| bag.has(to)) {
        return;
    }
    let counts = parts.map(|(from, _)| bag.get(from).and_then(Number::of));
    if counts.iter().all(Option::is_none) {
        return;
    }
    // A part that is no number counts as none at all, and so does such a total.
    let [five_minutes, one_hour] = counts.map(|count| count.unwrap_or(Number::ZERO));
    let total = five_minutes.plus(one_hour);
    let reported = bag.get(Key::P_AI_CACHE_CREATION_INPUT_TOKENS).and_then(Number::of);
    if reported.is_some_and(|reported| !reported.equals(total)) {
        return;
    }
    bag.set(Key::P_AI_CACHE_CREATION_INPUT_TOKENS, total.into_value());
    for ((from, to), count) in parts.into_iter().zip([five_minutes, one_hour]) {
        bag.remove(from);
        bag.set(to, count.into_value());
    }
}

/// Adds tokens that are counted apart to those that were reported.
fn add(bag: &mut Bag, from: Key, to: Key) {
    let more = bag.get(from).and_then(Number::of).filter(|more| more.to_double() > 0.0);
    if let (Some(more), Some(reported)) = (more, bag.get(to).and_then(Number::of)) {
        bag.set(to, reported.plus(more).into_value());
    }
}

fn tool_execution(bag: &mut Bag, reader: Reader) {
    bag.rename(Key::GEN_AI_TOOL_NAME, Key::P_AI_SPAN_NAME);
    let states = [
        (Key::GEN_AI_TOOL_CALL_ARGUMENTS, Key::P_AI_INPUT_STATE),
        (Key::ANTHROPIC_TOOL_RESULT_CONTENT, Key::P_AI_OUTPUT_STATE),
    ];
    for (from, to) in states {
        if let Some(value) = bag.remove(from) {
            bag.set_if_absent(to, reader.parse_if_json(value));
        }
    }
}

/// Searches that the provider ran and bills: a call and a response that lists results, under one id of the server's.
fn count_web_searches(bag: &mut Bag, reader: Reader) {
    let messages = bag.get(Key::P_AI_OUTPUT_CHOICES).and_then(|choices| reader.elements(choices)).unwrap_or_default();
    let parts = messages.iter().filter_map(|message| match values::member(message, "parts") {
        Some(Value::Array(parts)) => Some(parts),
        _ => None,
    });
    let (mut called, mut answered) = (HashSet::new(), HashSet::new());
    for part in parts.flatten() {
        let Some(id) = values::member_text(part, "id") else { continue };
        let is_search = values::member_text(part, "name") == Some("web_search") && id.starts_with("srvtoolu_");
        let has_results = matches!(values::member(part, "response"), Some(Value::Array(_)));
        match values::member_text(part, "type") {
            Some("tool_call" | "server_tool_call") if is_search => called.insert(id),
            Some("tool_call_response" | "server_tool_call_response") if has_results => answered.insert(id),
            _ => continue,
        };
    }
    let count = called.intersection(&answered).count();
    if count > 0 {
        bag.set(Key::P_AI_WEB_SEARCH_COUNT, Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
    }
}
