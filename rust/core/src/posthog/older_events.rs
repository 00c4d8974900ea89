//! Messages in an attribute called `events`, as Logfire wrote them before the conventions had message attributes: a JSON
//! list of objects with an `event.name`. The attribute is removed whatever it held.

use std::borrow::Cow;

use crate::keys::Key;
use crate::wire::Value;

use super::{Draft, values};

const MAX_LENGTH: usize = 500_000;

pub(super) fn map(draft: &mut Draft) {
    let Some(value) = draft.bag.remove(Key::EVENTS) else { return };
    let value = match value {
        Value::Str(text) if values::longer_than(&text, MAX_LENGTH) => return,
        value => draft.reader.parse_if_json(value),
    };
    let Some(items) = draft.reader.elements(&value) else { return };
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for item in &items {
        let Some(event_name) = values::member_text(item, "event.name") else { continue };
        if event_name == "gen_ai.choice" {
            outputs.extend(output(item));
        } else if let Some(default_role) = role_of(event_name) {
            inputs.extend(input(item, default_role));
        }
    }
    // Without an index on every message the order of the list stands.
    if inputs.iter().all(|(index, _)| index.is_some()) {
        inputs.sort_by(|(left, _), (right, _)| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal));
    }
    let inputs: Vec<_> = inputs.into_iter().map(|(_, message)| message).collect();
    for (key, messages) in [(Key::P_AI_INPUT, inputs), (Key::P_AI_OUTPUT_CHOICES, outputs)] {
        if !messages.is_empty() {
            draft.bag.set_if_absent(key, Value::Array(messages));
        }
    }
}

/// The role that an event's name stands for; `None` inside for a message without one.
fn role_of(event_name: &str) -> Option<Option<Value<'static>>> {
    Some(match event_name {
        "gen_ai.system.message" => Some(values::string("system")),
        "gen_ai.user.message" => Some(values::string("user")),
        "gen_ai.assistant.message" => Some(values::string("assistant")),
        "gen_ai.tool.message" => Some(values::string("tool")),
        // The worker asks JavaScript's `in` whether it knows the name, and every object has these inherited members. They
        // are functions, which vanish from JSON, except the last, which is an empty object.
        "constructor"
        | "hasOwnProperty"
        | "isPrototypeOf"
        | "propertyIsEnumerable"
        | "toLocaleString"
        | "toString"
        | "valueOf"
        | "__defineGetter__"
        | "__defineSetter__"
        | "__lookupGetter__"
        | "__lookupSetter__" => None,
        "__proto__" => Some(Value::Object(Vec::new())),
        _ => return None,
    })
}

/// An input message with its index; `None` if its role is an empty string.
fn input<'a>(item: &Value<'a>, default_role: Option<Value<'static>>) -> Option<(Option<f64>, Value<'a>)> {
    let role = match values::member(item, "role") {
        Some(Value::Str(role)) if role.is_empty() => return None,
        Some(Value::Str(role)) => Some(Value::Str(role.clone())),
        _ => default_role,
    };
    let mut message: Vec<_> = role.into_iter().map(|role| (Cow::Borrowed("role"), role)).collect();
    copy_members(item, &["content", "tool_calls", "tool_call_id"], &mut message);
    let index = values::member(item, "gen_ai.message.index").and_then(|index| match index {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        // An integer of more than 64 bits.
        Value::Json(text) => text.parse().ok(),
        _ => None,
    });
    let index = index.filter(|index| index.is_finite());
    Some((index, Value::Object(message)))
}

fn output<'a>(item: &Value<'a>) -> Option<Value<'a>> {
    let mut message = match values::member(item, "message") {
        Some(Value::Object(members)) => members.clone(),
        _ => {
            let mut members = Vec::new();
            copy_members(item, &["role", "content", "tool_calls"], &mut members);
            members
        }
    };
    if message.is_empty() && !matches!(values::member(item, "message"), Some(Value::Object(_))) {
        return None;
    }
    if let Some(reason) = values::member(item, "finish_reason").and_then(values::usable_reason)
        && !message.iter().any(|(name, _)| name == "finish_reason")
    {
        message.push((Cow::Borrowed("finish_reason"), Value::Str(reason.clone())));
    }
    Some(Value::Object(message))
}

fn copy_members<'a>(item: &Value<'a>, names: &[&'static str], into: &mut Vec<(Cow<'a, str>, Value<'a>)>) {
    for &name in names {
        if let Some(value) = values::member(item, name) {
            into.push((Cow::Borrowed(name), value.clone()));
        }
    }
}
