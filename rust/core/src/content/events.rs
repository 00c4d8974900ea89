//! Messages in span events, where the older semantic conventions put content, and in the `events` attribute, where
//! Pydantic AI's first format put the same events as JSON.

use std::borrow::Cow;

use super::last;
use crate::keys::Key;
use crate::messages::{
    Message, conversation, filled, into_items, list, member_text, object, request, response, string, unread,
    with_system,
};
use crate::shape::{get, parse_container, text};
use crate::span::View;
use crate::wire::{Attribute, SpanEvent, Value};

/// The event of newer conventions that carries all content of a call.
const DETAILS: &str = "gen_ai.client.inference.operation.details";
const CHOICE: &str = "gen_ai.choice";

/// Which half of a call is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Input,
    Output,
}

/// What an event's name says of its message.
fn role_of(event: &str) -> Option<(Side, &'static str)> {
    Some(match event {
        "gen_ai.system.message" => (Side::Input, "system"),
        "gen_ai.user.message" => (Side::Input, "user"),
        "gen_ai.assistant.message" => (Side::Input, "assistant"),
        "gen_ai.tool.message" => (Side::Input, "tool"),
        CHOICE => (Side::Output, "assistant"),
        _ => return None,
    })
}

/// The attributes of a span event, or the members of an object that stands for one.
#[derive(Clone, Copy)]
enum Fields<'v, 'a> {
    Attributes(&'v [Attribute<'a>]),
    Members(&'v [(Cow<'a, str>, Value<'a>)]),
}

impl<'v, 'a> Fields<'v, 'a> {
    fn get(self, name: &str) -> Option<&'v Value<'a>> {
        match self {
            Fields::Attributes(attributes) => last(attributes, name),
            Fields::Members(members) => get(members, name),
        }
    }

    fn text(self, name: &str) -> Option<&'v Cow<'a, str>> {
        self.get(name).and_then(text)
    }
}

/// The messages of the `events` attribute.
pub(super) fn in_attribute<'a>(view: &View<'_, 'a>, side: Side) -> Vec<Value<'a>> {
    let events = view.get(Key::EVENTS).and_then(parse_container).map(into_items).unwrap_or_default();
    let message = |event: &Value<'a>| {
        let Value::Object(members) = event else { return None };
        let name = member_text(members, "event.name")?;
        if role_of(name)?.0 == side { event_message(name, Fields::Members(members)) } else { None }
    };
    events.iter().filter_map(message).collect()
}

/// The conversation in the span events.
pub(super) fn input_in_span_events<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let mut instructions = None;
    let mut inputs = Vec::new();
    for event in &view.span.events {
        if event.name == DETAILS {
            instructions = last(&event.attributes, "gen_ai.system_instructions").or(instructions);
            inputs.extend(stored(event, "gen_ai.input.messages", "user"));
        } else if event.name == "gen_ai.content.prompt" {
            let found = last(&event.attributes, "gen_ai.prompt").and_then(request::from_attribute);
            inputs.extend(found.map(into_items).unwrap_or_default());
        } else {
            inputs.extend(told(event, Side::Input));
        }
    }
    let found = list(inputs);
    match instructions {
        Some(instructions) => with_system(found, instructions),
        None => found,
    }
}

/// The answer in the span events.
pub(super) fn output_in_span_events<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let mut outputs = Vec::new();
    for event in &view.span.events {
        if event.name == DETAILS {
            outputs.extend(stored(event, "gen_ai.output.messages", "assistant"));
        } else if event.name == "gen_ai.content.completion" {
            let found = last(&event.attributes, "gen_ai.completion").and_then(response::from_attribute);
            outputs.extend(found.map(into_items).unwrap_or_default());
        } else {
            outputs.extend(told(event, Side::Output));
        }
    }
    list(outputs)
}

fn told<'a>(event: &SpanEvent<'a>, side: Side) -> Option<Value<'a>> {
    let (told_side, _) = role_of(&event.name)?;
    if told_side == side { event_message(&event.name, Fields::Attributes(&event.attributes)) } else { None }
}

fn stored<'a>(event: &SpanEvent<'a>, key: &str, default_role: &'static str) -> Vec<Value<'a>> {
    let Some(value) = last(&event.attributes, key) else { return Vec::new() };
    let found = unread(value).or_else(|| conversation(parse_container(value)?, default_role));
    found.map(into_items).unwrap_or_default()
}

/// One `gen_ai.*.message` or `gen_ai.choice`, as a span event or an entry of the `events` attribute.
fn event_message<'a>(name: &str, event: Fields<'_, 'a>) -> Option<Value<'a>> {
    let is_choice = name == CHOICE;
    let role_in = |fields: Fields<'_, 'a>, default| fields.text("role").cloned().unwrap_or(Cow::Borrowed(default));
    let default_role = role_of(name).map_or("assistant", |(_, role)| role);
    let inner = if is_choice { filled(event.get("message")) } else { None };
    let (role, content, calls) = match inner {
        Some(Value::Object(body)) => {
            let body = Fields::Members(body);
            (role_in(body, "assistant"), body.get("content"), body.get("tool_calls"))
        }
        Some(said) => (Cow::Borrowed("assistant"), Some(said), None),
        None if is_choice && matches!(event.get("message"), Some(Value::Object(_))) => {
            (Cow::Borrowed("assistant"), None, None)
        }
        None => (role_in(event, default_role), event.get("content"), event.get("tool_calls")),
    };
    let is_tool = role == "tool";
    let mut message = Message::of(role);
    if let Some(content) = filled(content) {
        message.put("content", event_content(content));
    }
    if let Some(calls) = filled(calls) {
        message.put("tool_calls", parse_container(calls).unwrap_or_else(|| calls.clone()));
    }
    let own_id = || if is_tool { event.text("id") } else { None };
    if let Some(id) = event.text("tool_call_id").or_else(own_id) {
        message.put("tool_call_id", Value::Str(id.clone()));
    }
    if is_choice {
        message.put_text("finish_reason", event.get("finish_reason"));
    }
    message.says_something().then(|| message.into_value())
}

/// Content of a span event: text, JSON of parts, or Bedrock blocks `{text}`, `{toolUse}`, `{toolResult}`.
fn event_content<'a>(value: &Value<'a>) -> Value<'a> {
    match parse_container(value) {
        Some(Value::Array(blocks)) => Value::Array(blocks.into_iter().map(part_of_block).collect()),
        Some(found) => found,
        None => value.clone(),
    }
}

fn part_of_block(block: Value<'_>) -> Value<'_> {
    let Value::Object(members) = &block else { return block };
    if let Some(text) = member_text(members, "text") {
        return object([("type", string("text")), ("text", Value::Str(text.clone()))]);
    }
    let copy = |members: &[_], name| get(members, name).cloned().unwrap_or_default();
    if let Some(Value::Object(call)) = get(members, "toolUse") {
        let (id, name, input) = (copy(call, "toolUseId"), copy(call, "name"), copy(call, "input"));
        return object([("type", string("tool_use")), ("id", id), ("name", name), ("input", input)]);
    }
    if let Some(Value::Object(result)) = get(members, "toolResult") {
        let (id, content) = (copy(result, "toolUseId"), copy(result, "content"));
        return object([("type", string("tool_result")), ("tool_use_id", id), ("content", content)]);
    }
    block
}
