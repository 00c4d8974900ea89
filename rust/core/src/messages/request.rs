//! The messages of a request: a list of messages, or a provider's request body as an object. OpenAI chat and Anthropic
//! (`messages`, `system`), OpenAI Responses (`input`, `instructions`), Gemini (`contents`, `system_instruction`), text
//! completion (`prompt`).

use super::{conversation, filled, get, is_empty, member_text, members, take, unread, with_system};
use crate::shape;
use crate::wire::Value;

/// Whether an object wraps a value as LangWatch does: `{type, value}`.
pub(super) fn is_wrapper(value: &Value<'_>) -> bool {
    let members = members(value);
    let kind = member_text(members, "type").map(AsRef::as_ref);
    get(members, "value").is_some() && matches!(kind, Some("chat_messages" | "text" | "json" | "raw" | "list"))
}

/// The messages that an attribute's text or value holds. JSON text that is a list of messages stays unread.
pub fn from_attribute<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    unread(value).or_else(|| messages(shape::loose(value)))
}

pub fn messages(value: Value<'_>) -> Option<Value<'_>> {
    if is_wrapper(&value) && member_text(members(&value), "role").is_none() {
        let Value::Object(mut wrapper) = value else { return None };
        return messages(take(&mut wrapper, "value"));
    }
    let Value::Object(mut body) = value else { return conversation(value, "user") };
    if member_text(&body, "role").is_some() {
        return conversation(Value::Object(body), "user");
    }
    let found = ["messages", "input", "contents", "prompt"].into_iter().find_map(|name| {
        let value = take(&mut body, name);
        if is_empty(&value) { None } else { conversation(value, "user") }
    });
    let config = get(&body, "config").map(members).unwrap_or_default();
    let instructions = [body.as_slice(), config].into_iter().find_map(|holder| {
        ["system", "instructions", "system_instruction"].into_iter().find_map(|name| filled(get(holder, name)))
    });
    let Some(instructions) = instructions else { return found };
    match get(members(instructions), "parts") {
        Some(parts @ Value::Array(_)) => with_system(found, parts),
        _ => with_system(found, instructions),
    }
}
