//! LangChain's messages, in any of their three serialisations: constructor, `{type, data}`, or flat `{type, content}`
//! (<https://python.langchain.com/docs/concepts/messages/>).

use std::borrow::Cow;

use super::{Members, Message, get, list, member_text, members, one_message, string, take, text, tool_call};
use crate::wire::Value;

fn role_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "human" | "HumanMessage" | "HumanMessageChunk" | "user" => "user",
        "ai" | "AIMessage" | "AIMessageChunk" | "assistant" => "assistant",
        "system" | "SystemMessage" => "system",
        "tool" | "function" | "ToolMessage" => "tool",
        "developer" => "developer",
        _ => return None,
    })
}

/// The message that LangChain wrote; the object itself where it is none of LangChain's.
pub(super) fn message(mut item: Members<'_>) -> Result<Value<'_>, Members<'_>> {
    let Some((role, body)) = role_and_body(&item) else { return Err(item) };
    match body.map(|name| take(&mut item, name)) {
        Some(Value::Object(body)) => Ok(message_of(role, body)),
        Some(_) => Err(item),
        None => Ok(message_of(role, item)),
    }
}

/// The role, and the member that holds the rest of the message, if it is not the object itself.
fn role_and_body(item: &Members<'_>) -> Option<(&'static str, Option<&'static str>)> {
    let object = |name| match get(item, name) {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    };
    let kind = member_text(item, "type").map(AsRef::as_ref);
    let (role, name, body) = if let (Some("constructor"), Some(kwargs)) = (kind, object("kwargs")) {
        let class = match get(item, "id") {
            Some(Value::Array(names)) => names.last(),
            _ => None,
        };
        // A type that is empty, zero or false counts as none.
        let kind = match get(kwargs, "type") {
            None | Some(Value::Null | Value::Bool(false) | Value::Int(0)) => class,
            Some(Value::Double(0.0)) => class,
            Some(kind) if super::is_empty(kind) => class,
            kind => kind,
        };
        let Some(Value::Str(kind)) = kind else { return None };
        (role_of(kind)?, Some("kwargs"), kwargs)
    } else {
        let role = role_of(kind?)?;
        match object("data") {
            Some(data) => (role, Some("data"), data),
            None => (role, None, item),
        }
    };
    get(body, "content")?;
    Some((role, name))
}

fn message_of<'a>(role: &'static str, mut body: Members<'a>) -> Value<'a> {
    let mut message = Message::of(role).with("content", take(&mut body, "content"));
    if let Value::Array(calls) = take(&mut body, "tool_calls")
        && !calls.is_empty()
    {
        let calls = calls.into_iter().filter_map(|call| {
            let Value::Object(mut call) = call else { return None };
            let (name, arguments) = (take(&mut call, "name"), take(&mut call, "args"));
            Some(tool_call(name, arguments, get(&call, "id")))
        });
        message.put("tool_calls", Value::Array(calls.collect()));
    }
    message.put_text("tool_call_id", get(&body, "tool_call_id"));
    message.put_text("name", get(&body, "name"));
    message.into_value()
}

/// The answers of `generations`, a list of lists or of answers.
pub(super) fn generations(groups: Vec<Value<'_>>) -> Option<Value<'_>> {
    let flat = groups.into_iter().flat_map(|group| match group {
        Value::Array(generations) => generations,
        generation => vec![generation],
    });
    list(flat.filter_map(generation))
}

/// One answer: its message if it has one, else its text.
fn generation(generation: Value<'_>) -> Option<Value<'_>> {
    let Value::Object(mut generation) = generation else { return None };
    let inner = take(&mut generation, "message");
    let inner = if matches!(inner, Value::Object(_)) { one_message(inner, "assistant") } else { None };
    let message = inner.or_else(|| match take(&mut generation, "text") {
        plain @ Value::Str(_) => Some(Message::of("assistant").with("content", plain).into_value()),
        _ => None,
    })?;
    let info = get(&generation, "generation_info").map(members).unwrap_or_default();
    Some(with_reason(message, get(info, "finish_reason").and_then(text)))
}

/// The message with its finish reason, unless it has one.
pub(super) fn with_reason<'a>(message: Value<'a>, reason: Option<&Cow<'a, str>>) -> Value<'a> {
    match (message, reason) {
        (Value::Object(mut members), Some(reason)) if get(&members, "finish_reason").is_none() => {
            members.push((Cow::Borrowed("finish_reason"), string(reason.clone())));
            Value::Object(members)
        }
        (message, _) => message,
    }
}
