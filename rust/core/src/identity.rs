//! Who an event belongs to, and which event it is. Everything is a function of the payload: the same request gives the
//! same ids again, so a retry or a replay never counts twice.

use std::borrow::Cow;
use std::collections::HashMap;

use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid, uuid};

use crate::event::EventName;
use crate::keys::Key;
use crate::wire::{Attribute, Span, Value};

const EVENT_NAMESPACE: Uuid = uuid!("6f0b6a3e-9d0c-5a52-8f0b-2f6f7a9d1c11");

/// The namespace in which PostHog's capture service derives ids of people it does not know.
const DISTINCT_ID_NAMESPACE: Uuid = uuid!("392e81d5-3d13-4a6f-b541-bdbf6c865e56");

/// Where a user is named on a span, in order of precedence.
const USER_ON_SPAN: [Key; 4] = [
    Key::AI_TELEMETRY_METADATA_POSTHOG_DISTINCT_ID,
    Key::AI_SETTINGS_CONTEXT_POSTHOG_DISTINCT_ID,
    Key::POSTHOG_DISTINCT_ID,
    Key::USER_ID,
];

const USER_ON_RESOURCE: [Key; 2] = [Key::POSTHOG_DISTINCT_ID, Key::USER_ID];

/// Where a session is named, on the span or its resource, in order of precedence.
const SESSION: [Key; 6] = [
    Key::P_AI_SESSION_ID,
    Key::AI_TELEMETRY_METADATA_P_AI_SESSION_ID,
    Key::AI_SETTINGS_CONTEXT_P_AI_SESSION_ID,
    Key::EVE_SESSION_ID,
    Key::ANTHROPIC_SESSION_ID,
    Key::GEN_AI_CONVERSATION_ID,
];

/// The lower-case hex text of an id.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for &byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The distinct ids that PostHog's capture service gives to the spans of one request.
#[derive(Debug, Default)]
pub struct DistinctIds {
    /// Shared by all spans that tell nothing at all; made from the first of them.
    unknown: Option<Uuid>,
}

impl DistinctIds {
    /// The user that the span or its resource names; else an id derived from the session, else from the trace.
    ///
    /// `on_resource` holds what [`FirstTexts::of`] the resource's attributes gave.
    pub fn of<'a>(&mut self, span: &Span<'a>, trace_id_hex: &str, on_resource: &FirstTexts<'a>) -> Cow<'a, str> {
        let on_span = FirstTexts::of(&span.attributes);
        if let Some(user) = named_user(&on_span, on_resource) {
            return user;
        }
        let session = SESSION.iter().find_map(|&key| on_span.get(key).or_else(|| on_resource.get(key)));
        let derived = if let Some(session) = session {
            derive(DISTINCT_ID_NAMESPACE, &["session:", session])
        } else if span.trace_id.iter().any(|&byte| byte != 0) {
            derive(DISTINCT_ID_NAMESPACE, &["trace:", trace_id_hex])
        } else {
            *self.unknown.get_or_insert_with(|| {
                let (span_id, start, name) = (hex(&span.span_id), span.start_unix_nano, &span.name);
                derive(DISTINCT_ID_NAMESPACE, &["request:", &span_id, ":", &start.to_string(), ":", name])
            })
        };
        Cow::Owned(text_of(derived))
    }
}

/// The user that a span or log record names, or its resource.
pub fn named_user<'a>(on_record: &FirstTexts<'a>, on_resource: &FirstTexts<'a>) -> Option<Cow<'a, str>> {
    let named = USER_ON_SPAN.iter().find_map(|&key| on_record.get(key));
    named.or_else(|| USER_ON_RESOURCE.iter().find_map(|&key| on_resource.get(key))).cloned()
}

/// The distinct id of somebody unknown, derived from what is known instead: `session:...`, `trace:...`, `request:...`.
pub fn derived_distinct_id(name: &[&str]) -> Uuid {
    derive(DISTINCT_ID_NAMESPACE, name)
}

/// The first occurrence of each attribute that identity looks at, where it is a non-empty string. Nothing is trimmed,
/// and a first occurrence that is empty or no string hides later ones.
#[derive(Debug, Default)]
pub struct FirstTexts<'a> {
    found: [Occurrence<'a>; USER_ON_SPAN.len() + SESSION.len()],
}

#[derive(Debug, Default)]
enum Occurrence<'a> {
    #[default]
    None,
    Useless,
    Text(Cow<'a, str>),
}

impl<'a> FirstTexts<'a> {
    pub fn of(attributes: &[Attribute<'a>]) -> Self {
        let mut texts = Self::default();
        for attribute in attributes {
            let Some(place) = Self::place(&attribute.key) else { continue };
            if matches!(texts.found[place], Occurrence::None) {
                texts.found[place] = match &attribute.value {
                    Value::Str(text) if !text.is_empty() => Occurrence::Text(text.clone()),
                    _ => Occurrence::Useless,
                };
            }
        }
        texts
    }

    fn get(&self, key: Key) -> Option<&Cow<'a, str>> {
        match &self.found[Self::place(key.as_str())?] {
            Occurrence::Text(text) => Some(text),
            Occurrence::None | Occurrence::Useless => None,
        }
    }

    fn place(key: &str) -> Option<usize> {
        USER_ON_SPAN.iter().chain(&SESSION).position(|candidate| candidate.as_str() == key)
    }
}

/// Gives each event of one request its uuid.
#[derive(Debug, Default)]
pub struct EventUuids {
    repeats: HashMap<Uuid, u32>,
}

impl EventUuids {
    /// The uuid of an event: a function of trace id, span id and event name, and of how often the request had them before.
    pub fn next(&mut self, trace_id_hex: &str, span_id_hex: &str, name: EventName) -> Uuid {
        self.numbered(&[trace_id_hex, ":", span_id_hex, ":", name.as_str()])
    }

    /// The uuid of an evaluation: one span may be evaluated by many, and each run is another event.
    pub fn next_evaluation(&mut self, trace_id_hex: &str, span_id_hex: &str, run_id: Uuid) -> Uuid {
        let run_id = text_of(run_id);
        self.numbered(&[trace_id_hex, ":", span_id_hex, ":", EventName::Evaluation.as_str(), ":", &run_id])
    }

    fn numbered(&mut self, name: &[&str]) -> Uuid {
        let uuid = derive(EVENT_NAMESPACE, name);
        let count = self.repeats.entry(uuid).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { uuid } else { derive(EVENT_NAMESPACE, &[name, &[":", &count.to_string()]].concat()) }
    }
}

/// A uuid as text, in lower case and with hyphens.
pub fn text_of(uuid: Uuid) -> String {
    uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned()
}

/// The UUIDv5 of a name that comes in parts.
pub fn derive<P: AsRef<[u8]>>(namespace: Uuid, name: &[P]) -> Uuid {
    let mut hash = Sha1::new_with_prefix(namespace);
    name.iter().for_each(|part| hash.update(part));
    let hash: [u8; 20] = hash.finalize().into();
    let [bytes @ .., _, _, _, _] = hash;
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_event_gets_another_uuid() {
        let mut uuids = EventUuids::default();
        let first = uuids.next("0a", "0b", EventName::Span);
        let second = uuids.next("0a", "0b", EventName::Span);
        let other = uuids.next("0a", "0b", EventName::Trace);
        assert_eq!(first, derive(EVENT_NAMESPACE, &["0a:0b:$ai_span"]));
        assert_eq!(second, derive(EVENT_NAMESPACE, &["0a:0b:$ai_span:2"]));
        assert_eq!(other, derive(EVENT_NAMESPACE, &["0a:0b:$ai_trace"]));
    }
}
