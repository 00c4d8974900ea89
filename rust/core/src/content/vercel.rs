//! The answer of a call that Vercel's AI SDK made: `ai.response.text|reasoning|toolCalls|object` as one message.

use std::borrow::Cow;

use crate::keys::Key;
use crate::messages::{Members, Message, list, object, string, take, tool_call};
use crate::shape::{get, parse_container};
use crate::span::View;
use crate::wire::Value;

pub(super) fn answer<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let part =
        |kind: &'static str, text: &Cow<'a, str>| object([("type", string(kind)), ("text", Value::Str(text.clone()))]);
    let said = view.text(Key::AI_RESPONSE_TEXT).or_else(|| view.text(Key::AI_RESPONSE_OBJECT));
    let mut message = Message::of("assistant");
    match (view.text(Key::AI_RESPONSE_REASONING), said) {
        (None, Some(said)) => message.put("content", Value::Str(said.clone())),
        (None, None) => {}
        (Some(thought), said) => {
            let parts = [Some(part("reasoning", thought)), said.map(|said| part("text", said))];
            message.put("content", Value::Array(parts.into_iter().flatten().collect()));
        }
    }
    match view.get(Key::AI_RESPONSE_TOOL_CALLS).and_then(parse_container) {
        Some(Value::Array(calls)) if !calls.is_empty() => {
            message.put("tool_calls", Value::Array(calls.into_iter().filter_map(call).collect()));
        }
        _ => {}
    }
    if !message.says_something() {
        if !view.has(Key::AI_RESPONSE_TEXT) {
            return None;
        }
        message.put("content", string(""));
    }
    list([message.into_value()])
}

fn call(call: Value<'_>) -> Option<Value<'_>> {
    let Value::Object(mut call) = call else { return None };
    let arguments = arguments(&mut call);
    let name = take(&mut call, "toolName");
    Some(tool_call(name, arguments, get(&call, "toolCallId")))
}

/// Version 4 says `args`, version 5 and later `input`.
fn arguments<'a>(call: &mut Members<'a>) -> Value<'a> {
    let name = if get(call, "args").is_some() { "args" } else { "input" };
    take(call, name)
}
