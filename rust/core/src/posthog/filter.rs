//! Which spans PostHog's capture service keeps, and which event it makes of each. Only attribute keys count: neither the
//! span's name, nor its scope, nor its resource is looked at.

use crate::event::EventName;
use crate::keys::Key;
use crate::wire::{Attribute, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Provider {
    Vercel,
    PydanticAi,
    Traceloop,
    GenAi,
}

/// In order of precedence.
const PREFIXES: [(&str, Provider); 6] = [
    ("ai.", Provider::Vercel),
    ("eve.", Provider::Vercel),
    ("pydantic_ai.", Provider::PydanticAi),
    ("traceloop.", Provider::Traceloop),
    ("llm.request.type", Provider::Traceloop),
    ("gen_ai.", Provider::GenAi),
];

/// The event that a span becomes, `None` if it is dropped. `prefixes` replaces the list that decides what is kept, and
/// `added` extends it; a span kept by them that belongs to no provider is classed as the `gen_ai.` ones are.
pub(super) fn event_name(attributes: &[Attribute], prefixes: Option<&[String]>, added: &[String]) -> Option<EventName> {
    let provider = attributes.iter().filter_map(|attribute| provider(&attribute.key)).min();
    let has_one = |prefixes: &[String]| {
        let starts_with_one = |key: &str| prefixes.iter().any(|prefix| key.starts_with(prefix));
        attributes.iter().any(|attribute| starts_with_one(&attribute.key))
    };
    if !prefixes.map_or(provider.is_some(), has_one) && !has_one(added) {
        return None;
    }
    Some(match provider.unwrap_or(Provider::GenAi) {
        Provider::Vercel => vercel(attributes),
        Provider::PydanticAi => EventName::Span,
        Provider::Traceloop => {
            last_text(attributes, Key::LLM_REQUEST_TYPE).and_then(by_request_type).unwrap_or(EventName::Span)
        }
        Provider::GenAi => last_text(attributes, Key::GEN_AI_OPERATION_NAME).map_or(EventName::Span, by_operation),
    })
}

/// Whether a span of these attribute keys is kept.
pub(super) fn keeps(keys: &[&str], prefixes: Option<&[String]>, added: &[String]) -> bool {
    let has_one = |prefixes: &[String]| keys.iter().any(|key| prefixes.iter().any(|prefix| key.starts_with(prefix)));
    prefixes.map_or_else(|| keys.iter().any(|key| provider(key).is_some()), has_one) || has_one(added)
}

/// The event that `llm.request.type` names.
pub(super) fn by_request_type(request_type: &str) -> Option<EventName> {
    match request_type {
        "chat" | "completion" => Some(EventName::Generation),
        "embedding" | "embeddings" => Some(EventName::Embedding),
        _ => None,
    }
}

fn provider(key: &str) -> Option<Provider> {
    PREFIXES.iter().find(|(prefix, _)| key.starts_with(prefix)).map(|&(_, provider)| provider)
}

fn by_operation(operation: &str) -> EventName {
    match operation {
        "chat" => EventName::Generation,
        "embeddings" => EventName::Embedding,
        _ => EventName::Span,
    }
}

fn vercel(attributes: &[Attribute]) -> EventName {
    if last(attributes, Key::AI_OPERATION_ID).is_none()
        && let Some(operation) = last_text(attributes, Key::GEN_AI_OPERATION_NAME)
    {
        return by_operation(operation);
    }
    match last_text(attributes, Key::AI_OPERATION_ID) {
        Some(id) if id.ends_with(".doGenerate") || id.ends_with(".doStream") => EventName::Generation,
        Some("ai.embed.doEmbed" | "ai.embedMany.doEmbed") => EventName::Embedding,
        _ => EventName::Span,
    }
}

/// The last attribute of a key that has a value.
fn last<'s, 'a>(attributes: &'s [Attribute<'a>], key: Key) -> Option<&'s Value<'a>> {
    let is_it = |attribute: &&Attribute| attribute.key == key.as_str() && attribute.value != Value::Null;
    attributes.iter().rev().find(is_it).map(|attribute| &attribute.value)
}

fn last_text<'s>(attributes: &'s [Attribute], key: Key) -> Option<&'s str> {
    match last(attributes, key) {
        Some(Value::Str(text)) => Some(text),
        _ => None,
    }
}
