//! The shapes that messages, parts, tool calls and choices take, and how each becomes a list of messages.
//!
//! Comes in: a value in any provider's or framework's shape. Goes out: a list whose items already are messages (objects
//! with a role) as it came, unread where it is JSON text; everything else as `{role, content, tool_calls, ...}`, the
//! shape of OpenAI's chat messages, which PostHog renders.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::json::{self, outline};
use crate::shape::{self, MAX_NESTING, get, is_empty, text};
use crate::wire::Value;

pub mod indexed;
pub mod langchain;
pub mod request;
pub mod response;

/// The members of an object.
pub type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// A message while it is put together; it is one once it says more than its role.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'a>(Members<'a>);

impl<'a> Message<'a> {
    pub fn of(role: impl Into<Cow<'a, str>>) -> Self {
        Self(vec![(Cow::Borrowed("role"), Value::Str(role.into()))])
    }

    pub fn put(&mut self, name: &'static str, value: Value<'a>) {
        self.0.push((Cow::Borrowed(name), value));
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value<'a>) -> Self {
        self.put(name, value);
        self
    }

    /// Takes over a text, unless it is empty or none.
    pub fn put_text(&mut self, name: &'static str, value: Option<&Value<'a>>) {
        if let Some(text) = value.and_then(text) {
            self.put(name, Value::Str(text.clone()));
        }
    }

    pub fn says_something(&self) -> bool {
        self.0.len() > 1
    }

    pub fn into_value(self) -> Value<'a> {
        Value::Object(self.0)
    }
}

/// An object with these members.
pub fn object<'a, const N: usize>(members: [(&'static str, Value<'a>); N]) -> Value<'a> {
    Value::Object(members.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
}

pub fn string<'a>(text: impl Into<Cow<'a, str>>) -> Value<'a> {
    Value::Str(text.into())
}

/// The members of an object, none of anything else.
pub(crate) fn members<'v, 'a>(value: &'v Value<'a>) -> &'v [(Cow<'a, str>, Value<'a>)] {
    match value {
        Value::Object(members) => members,
        _ => &[],
    }
}

/// The member's text, also an empty one.
pub(crate) fn member_text<'v, 'a>(members: &'v [(Cow<'a, str>, Value<'a>)], name: &str) -> Option<&'v Cow<'a, str>> {
    match get(members, name)? {
        Value::Str(text) => Some(text),
        _ => None,
    }
}

/// Takes a member out of an object that is not needed any more; null where there is none.
pub(crate) fn take<'a>(members: &mut Members<'a>, name: &str) -> Value<'a> {
    members.iter_mut().rev().find(|(key, _)| key == name).map(|(_, value)| std::mem::take(value)).unwrap_or_default()
}

/// A list of messages, if there is one message at least.
pub(crate) fn list<'a>(messages: impl IntoIterator<Item = Value<'a>>) -> Option<Value<'a>> {
    let messages: Vec<_> = messages.into_iter().collect();
    (!messages.is_empty()).then_some(Value::Array(messages))
}

/// The messages of a list, read if they were text.
pub(crate) fn into_items(messages: Value<'_>) -> Vec<Value<'_>> {
    match messages {
        Value::Array(items) => items,
        other => match shape::parse_container(&other) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
    }
}

/// A tool call in the shape of OpenAI's chat messages.
pub fn tool_call<'a>(name: Value<'a>, arguments: Value<'a>, call_id: Option<&Value<'a>>) -> Value<'a> {
    let function = object([("name", name), ("arguments", arguments)]);
    match call_id.and_then(text) {
        Some(id) => object([("id", Value::Str(id.clone())), ("type", string("function")), ("function", function)]),
        None => object([("type", string("function")), ("function", function)]),
    }
}

/// JSON text that already is a list of messages, unread: every item an object with a text role, none of them Gemini's
/// `model`.
pub fn unread<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    let Value::Str(text) = value else { return None };
    let mut roles = Roles::default();
    let objects = outline::each_member(text, MAX_NESTING, &["role"], |index, _, value| {
        roles.note(index, value.starts_with('"') && !value.contains('\\') && value != "\"model\"");
    })?;
    (objects.count > 0 && roles.fitting == objects.count).then(|| shape::sound_text(text, objects.shape))
}

/// How many items have a fitting role, while the members of the items go by. The last of several roles of one item counts.
#[derive(Default)]
struct Roles {
    fitting: usize,
    last: Option<(usize, bool)>,
}

impl Roles {
    fn note(&mut self, index: usize, fits: bool) {
        if self.last == Some((index, true)) {
            self.fitting -= 1;
        }
        self.fitting += usize::from(fits);
        self.last = Some((index, fits));
    }
}

/// A list of messages out of any list, text or single message.
pub fn conversation<'a>(value: Value<'a>, default_role: &'static str) -> Option<Value<'a>> {
    let items = match value {
        Value::Str(text) if text.is_empty() => return None,
        Value::Str(_) => return list([Message::of(default_role).with("content", value).into_value()]),
        Value::Object(_) => vec![value],
        Value::Array(items) => items,
        _ => return None,
    };
    let is_plain = |item: &Value<'_>| member_text(members(item), "role").is_some_and(|role| role != "model");
    if !items.is_empty() && items.iter().all(is_plain) {
        return Some(Value::Array(items));
    }
    match <[Value<'a>; 1]>::try_from(items) {
        Ok([Value::Array(inner)]) => conversation(Value::Array(inner), default_role),
        Ok([item]) => list(one_message(item, default_role)),
        Err(items) => list(items.into_iter().filter_map(|item| one_message(item, default_role))),
    }
}

/// One item of a conversation, whatever its shape, as a message; nothing when it is none.
pub fn one_message<'a>(item: Value<'a>, default_role: &'static str) -> Option<Value<'a>> {
    let mut item = match item {
        Value::Str(text) if text.is_empty() => return None,
        Value::Str(_) => return Some(Message::of(default_role).with("content", item).into_value()),
        Value::Object(members) => members,
        _ => return None,
    };
    let role = get(&item, "role");
    if role == Some(&Value::Str(Cow::Borrowed("model"))) || (role.is_none() && get(&item, "parts").is_some()) {
        return Some(gemini_message(item, default_role));
    }
    if let Some(Value::Str(_)) = role {
        return Some(Value::Object(item));
    }
    if let Some(Value::Object(_)) = get(&item, "message") {
        return one_message(take(&mut item, "message"), default_role);
    }
    let mut item = match langchain::message(item) {
        Ok(message) => return Some(message),
        Err(item) => item,
    };
    match member_text(&item, "type").map(AsRef::as_ref) {
        Some("function_call") => {
            let (name, arguments) = (take(&mut item, "name"), take(&mut item, "arguments"));
            let call = tool_call(name, arguments, get(&item, "call_id"));
            Some(Message::of("assistant").with("tool_calls", Value::Array(vec![call])).into_value())
        }
        Some("function_call_output") => {
            let mut message = Message::of("tool").with("content", take(&mut item, "output"));
            message.put_text("tool_call_id", get(&item, "call_id"));
            Some(message.into_value())
        }
        Some("reasoning") => reasoning(get(&item, "summary")),
        _ if get(&item, "content").is_none() => None,
        _ => {
            if get(&item, "role").is_none() {
                item.insert(0, (Cow::Borrowed("role"), string(default_role)));
            }
            Some(Value::Object(item))
        }
    }
}

/// The summary of a reasoning item of OpenAI's Responses API.
fn reasoning<'a>(summary: Option<&Value<'a>>) -> Option<Value<'a>> {
    let Some(Value::Array(parts)) = summary else { return None };
    let texts: SmallVec<[&str; 4]> =
        parts.iter().filter_map(|part| get(members(part), "text").and_then(text).map(AsRef::as_ref)).collect();
    if texts.is_empty() {
        return None;
    }
    let part = object([("type", string("reasoning")), ("text", string(texts.join("\n\n")))]);
    Some(Message::of("assistant").with("content", Value::Array(vec![part])).into_value())
}

/// Gemini's `{role, parts: [{text} | {functionCall} | ...]}`; the role `model` is the assistant.
pub(crate) fn gemini_message<'a>(mut item: Members<'a>, default_role: &'static str) -> Value<'a> {
    let role = match get(&item, "role").and_then(text) {
        Some(role) if role == "model" => Cow::Borrowed("assistant"),
        Some(role) => role.clone(),
        None => Cow::Borrowed(default_role),
    };
    Message::of(role).with("content", take(&mut item, "parts")).into_value()
}

/// The text of system instructions: a text, or a list of parts with `content` or `text`, or JSON of either.
pub fn system_text(instructions: &Value<'_>) -> Option<String> {
    let found = shape::container(instructions);
    let Some(found) = found.as_deref() else { return text(instructions).map(|text| text.to_string()) };
    let parts = match found {
        Value::Array(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let texts: SmallVec<[Cow<'_, str>; 4]> =
        parts.iter().filter_map(part_text).filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

fn part_text<'v>(part: &'v Value<'_>) -> Option<Cow<'v, str>> {
    if let Value::Str(text) = part {
        return Some(Cow::Borrowed(text));
    }
    let members = members(part);
    match get(members, "content").or_else(|| get(members, "text"))? {
        Value::Str(text) => Some(Cow::Borrowed(text)),
        list @ Value::Array(_) => system_text(list).map(Cow::Owned),
        _ => None,
    }
}

/// Puts the system instructions in front, unless a system message already says them. An absent list is an empty one.
pub fn with_system<'a>(messages: Option<Value<'a>>, instructions: &Value<'_>) -> Option<Value<'a>> {
    let Some(instruction) = system_text(instructions) else { return messages };
    let system = |instruction: String| Message::of("system").with("content", string(instruction)).into_value();
    let mut items = match messages {
        None => Vec::new(),
        Some(Value::Json(text)) if !has_role(&text, &["system", "developer"]) => {
            return Some(in_front(system(instruction), &text));
        }
        Some(messages) => into_items(messages),
    };
    let says_it = |item: &Value<'_>| {
        let members = members(item);
        let said = get(members, "content").or_else(|| get(members, "parts"));
        matches!(member_text(members, "role").map(AsRef::as_ref), Some("system" | "developer"))
            && said.and_then(system_text).is_some_and(|said| said == instruction)
    };
    if !items.iter().any(says_it) {
        items.insert(0, system(instruction));
    }
    list(items)
}

/// The JSON text of a list that is not empty, with one more element in front.
fn in_front<'a>(element: Value<'_>, list: &str) -> Value<'a> {
    let mut spliced = Vec::with_capacity(list.len() + 64);
    spliced.push(b'[');
    json::to_text(&element, &mut spliced);
    spliced.push(b',');
    spliced.extend_from_slice(list.trim_ascii_start().strip_prefix('[').unwrap_or_default().as_bytes());
    Value::Json(Cow::Owned(String::from_utf8(spliced).unwrap_or_default()))
}

/// Whether a message in JSON text has one of the roles. A role written with escapes is taken for one of them.
fn has_role(list: &str, roles: &[&str]) -> bool {
    let mut found = false;
    let _ = outline::each_member(list, MAX_NESTING, &["role"], |_, _, value| {
        found |= value.contains('\\') || roles.contains(&value.trim_matches('"'));
    });
    found
}

/// The first finish reason that a message carries; a message of OpenAI's Responses API has a status instead.
pub fn finish_reason_of<'a>(messages: &Value<'a>) -> Option<Cow<'a, str>> {
    match messages {
        Value::Array(items) => items.iter().find_map(|item| reason_of(members(item))),
        Value::Json(list) => {
            let (mut reason, mut at, mut message) = (None, 0, Members::new());
            let names = ["finish_reason", "type", "status"];
            let objects = outline::each_member(list, MAX_NESTING, &names, |index, name, value| {
                if index != at {
                    reason = reason.take().or_else(|| reason_of(&message));
                    (at, message) = (index, Members::new());
                }
                message.push((Cow::Borrowed(name), json::parse(value, MAX_NESTING).unwrap_or_default()));
            });
            if objects.is_none() {
                return shape::parse_container(messages).and_then(|read| finish_reason_of(&read));
            }
            reason.or_else(|| reason_of(&message)).map(|reason| Cow::Owned(reason.into_owned()))
        }
        _ => None,
    }
}

fn reason_of<'a>(message: &[(Cow<'a, str>, Value<'a>)]) -> Option<Cow<'a, str>> {
    let status = || match get(message, "type") {
        Some(Value::Str(kind)) if kind == "message" => get(message, "status").and_then(text),
        _ => None,
    };
    get(message, "finish_reason").and_then(text).or_else(status).cloned()
}

/// Whether one of the messages is a user's.
pub fn has_user_text(messages: &Value<'_>) -> bool {
    match messages {
        Value::Array(items) => {
            items.iter().any(|item| member_text(members(item), "role").is_some_and(|role| role == "user"))
        }
        Value::Json(list) => has_role(list, &["user"]),
        _ => false,
    }
}

/// Whether the value is there and has content.
pub(crate) fn filled<'v, 'a>(value: Option<&'v Value<'a>>) -> Option<&'v Value<'a>> {
    value.filter(|value| !is_empty(value))
}
