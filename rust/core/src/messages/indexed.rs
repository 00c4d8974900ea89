//! Messages spread over indexed attributes: `gen_ai.prompt.0.role`, `llm.input_messages.0.message.content`, ...

use std::borrow::Cow;

use super::{Message, list, object, string, text, tool_call};
use crate::shape;
use crate::wire::{Attribute, Value};

/// What stands below one index: the rest of the key, and the value.
type Fields<'v, 'a> = Vec<(&'v str, &'v Value<'a>)>;

/// The attributes below a prefix, by index and in its order: `prefix<i>.<rest>`; the rest stays a dotted name.
fn groups<'v, 'a: 'v>(fields: impl Iterator<Item = (&'v str, &'v Value<'a>)>, prefix: &str) -> Vec<Fields<'v, 'a>> {
    let mut found: Vec<(u32, &'v str, &'v Value<'a>)> = fields
        .filter_map(|(key, value)| {
            let (index, rest) = key.strip_prefix(prefix)?.split_once('.')?;
            let is_index = index.len() <= 6 && !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
            (is_index && !rest.is_empty()).then_some((index.parse().ok()?, rest, value))
        })
        .collect();
    found.sort_by_key(|(index, ..)| *index);
    let group =
        |fields: &[(u32, &'v str, &'v Value<'a>)]| fields.iter().map(|(_, rest, value)| (*rest, *value)).collect();
    found.chunk_by(|(left, ..), (right, ..)| left == right).map(group).collect()
}

fn in_span<'v, 'a>(attributes: &'v [Attribute<'a>], prefix: &str) -> Vec<Fields<'v, 'a>> {
    let fields = attributes.iter().filter(|attribute| attribute.value != Value::Null);
    groups(fields.map(|attribute| (attribute.key.as_ref(), &attribute.value)), prefix)
}

fn in_fields<'v, 'a>(fields: &Fields<'v, 'a>, prefix: &str) -> Vec<Fields<'v, 'a>> {
    groups(fields.iter().copied(), prefix)
}

fn field<'v, 'a>(fields: &Fields<'v, 'a>, name: &str) -> Option<&'v Value<'a>> {
    fields.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

fn text_field<'v, 'a>(fields: &Fields<'v, 'a>, name: &str) -> Option<&'v Cow<'a, str>> {
    field(fields, name).and_then(text)
}

/// The names that a convention gives to the parts of a tool call.
struct CallNames {
    name: &'static str,
    arguments: &'static str,
    id: &'static str,
}

const TRACELOOP_CALL: CallNames = CallNames { name: "name", arguments: "arguments", id: "id" };
const OPENINFERENCE_CALL: CallNames =
    CallNames { name: "tool_call.function.name", arguments: "tool_call.function.arguments", id: "tool_call.id" };

fn calls<'a>(fields: &Fields<'_, 'a>, prefix: &str, names: &CallNames) -> Vec<Value<'a>> {
    let call = |call: Fields<'_, 'a>| {
        let name = text_field(&call, names.name)?;
        let given = field(&call, names.arguments).map(unquoted).unwrap_or_default();
        Some(tool_call(Value::Str(name.clone()), given, field(&call, names.id)))
    };
    in_fields(fields, prefix).into_iter().filter_map(call).collect()
}

/// Text that is the JSON of a text is that text.
fn unquoted<'a>(value: &Value<'a>) -> Value<'a> {
    match value {
        Value::Str(quoted) if quoted.starts_with('"') => match shape::parse_json(quoted) {
            Some(inner @ Value::Str(_)) => inner,
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

/// Content as written; a list of parts or a text may come as JSON text.
fn content<'a>(value: &Value<'a>) -> Value<'a> {
    match value {
        Value::Str(text) if text == "\"\"" => string(""),
        Value::Str(text) if text.starts_with('[') => shape::parse_container(value).unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}

/// OpenLLMetry up to 0.5x: `gen_ai.prompt.N.role|content|tool_calls.M.name|...`, `.user` for text completions.
pub fn traceloop<'a>(attributes: &[Attribute<'a>], prefix: &str, default_role: &'static str) -> Option<Value<'a>> {
    list(in_span(attributes, prefix).iter().filter_map(|fields| traceloop_message(fields, default_role)))
}

fn traceloop_message<'a>(fields: &Fields<'_, 'a>, default_role: &'static str) -> Option<Value<'a>> {
    let mut message = Message::of(text_field(fields, "role").cloned().unwrap_or(Cow::Borrowed(default_role)));
    match field(fields, "content") {
        Some(value) => message.put("content", content(value)),
        None => message.put_text("content", field(fields, "user")),
    }
    let mut found = calls(fields, "tool_calls.", &TRACELOOP_CALL);
    if let (true, Some(name)) = (found.is_empty(), text_field(fields, "function_call.name")) {
        let arguments = field(fields, "function_call.arguments").cloned().unwrap_or_default();
        found.push(tool_call(Value::Str(name.clone()), arguments, None));
    }
    if !found.is_empty() {
        message.put("tool_calls", Value::Array(found));
    }
    message.put_text("tool_call_id", field(fields, "tool_call_id"));
    message.put_text("finish_reason", field(fields, "finish_reason"));
    message.says_something().then(|| message.into_value())
}

/// OpenInference: `llm.input_messages.N.message.role|content|contents.M.*|tool_calls.M.tool_call.*`.
pub fn openinference<'a>(attributes: &[Attribute<'a>], prefix: &str, default_role: &'static str) -> Option<Value<'a>> {
    list(in_span(attributes, prefix).iter().filter_map(|fields| openinference_message(fields, default_role)))
}

fn openinference_message<'a>(fields: &Fields<'_, 'a>, default_role: &'static str) -> Option<Value<'a>> {
    let mut message = Message::of(text_field(fields, "message.role").cloned().unwrap_or(Cow::Borrowed(default_role)));
    match text_field(fields, "message.content") {
        Some(content) => message.put("content", Value::Str(content.clone())),
        None => {
            let parts: Vec<_> = in_fields(fields, "message.contents.").iter().filter_map(openinference_part).collect();
            if !parts.is_empty() {
                message.put("content", Value::Array(parts));
            }
        }
    }
    let mut found = calls(fields, "message.tool_calls.", &OPENINFERENCE_CALL);
    if found.is_empty() {
        found = calls(fields, "message.contents.", &OPENINFERENCE_CALL);
    }
    if !found.is_empty() {
        message.put("tool_calls", Value::Array(found));
    }
    message.put_text("tool_call_id", field(fields, "message.tool_call_id"));
    message.put_text("name", field(fields, "message.name"));
    message.says_something().then(|| message.into_value())
}

fn openinference_part<'a>(part: &Fields<'_, 'a>) -> Option<Value<'a>> {
    if let Some(said) = text_field(part, "message_content.text") {
        let kind = text_field(part, "message_content.type").cloned().unwrap_or(Cow::Borrowed("text"));
        return Some(object([("type", Value::Str(kind)), ("text", Value::Str(said.clone()))]));
    }
    let image = field(part, "message_content.image.image.url").or_else(|| field(part, "message_content.image"));
    let image = object([("url", Value::Str(image.and_then(text)?.clone()))]);
    Some(object([("type", string("image_url")), ("image_url", image)]))
}

/// `llm.request.functions.N.name|description|parameters`.
pub fn traceloop_tools<'a>(attributes: &[Attribute<'a>]) -> Option<Value<'a>> {
    let tool = |fields: &Fields<'_, 'a>| {
        let mut function = vec![(Cow::Borrowed("name"), Value::Str(text_field(fields, "name")?.clone()))];
        if let Some(description) = text_field(fields, "description") {
            function.push((Cow::Borrowed("description"), Value::Str(description.clone())));
        }
        if let Some(parameters) = field(fields, "parameters").and_then(shape::container_text) {
            function.push((Cow::Borrowed("parameters"), parameters));
        }
        Some(object([("type", string("function")), ("function", Value::Object(function))]))
    };
    list(in_span(attributes, "llm.request.functions.").iter().filter_map(tool))
}

/// `llm.tools.N.tool.json_schema`, JSON text of one tool each.
pub fn openinference_tools<'a>(attributes: &[Attribute<'a>]) -> Option<Value<'a>> {
    let tools = in_span(attributes, "llm.tools.");
    list(tools.iter().filter_map(|fields| field(fields, "tool.json_schema").and_then(shape::container_text)))
}

/// `embedding.embeddings.N.embedding.text`.
pub fn embedding_texts<'a>(attributes: &[Attribute<'a>]) -> Option<Value<'a>> {
    let embeddings = in_span(attributes, "embedding.embeddings.");
    let texts = embeddings.iter().filter_map(|fields| match field(fields, "embedding.text") {
        Some(Value::Str(text)) => Some(Value::Str(text.clone())),
        _ => None,
    });
    list(texts)
}
