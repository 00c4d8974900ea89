//! Everything that no rule consumed keeps its name; the application's own data loses its namespace.

use std::borrow::Cow;

use super::draft::Reading;
use super::keyset::KeySet;
use super::traits::{NAMESPACES, Traits};
use crate::event::Name;
use crate::harm;
use crate::json;
use crate::keys::Key;
use crate::shape;
use crate::wire::{Attribute, Value};

/// Whole objects of the application's data, as JSON text.
pub const OBJECTS: [Key; 4] =
    [Key::METADATA, Key::LANGFUSE_TRACE_METADATA, Key::LANGFUSE_OBSERVATION_METADATA, Key::LANGSMITH_METADATA];

/// What of a span travels beside its facts.
#[derive(Default)]
pub(super) struct Carried<'a> {
    pub custom: Vec<(Cow<'a, str>, Value<'a>)>,
    pub passed: Vec<(Name<'a>, Value<'a>)>,
}

/// `raw_request` is the provider in the keys `llm.<provider>.*` that LiteLLM's raw request has been read from.
pub(super) fn carry<'a>(reading: &Reading<'_, 'a>, consumed: &mut KeySet, raw_request: Option<&str>) -> Carried<'a> {
    let view = &reading.view;
    let custom = custom_data(reading, consumed);
    let mut passed = Vec::new();
    for (position, attribute) in view.span.attributes.iter().enumerate() {
        let (key, traits) = (view.slots.key_at(position), reading.each[position]);
        let is_read = key.is_some_and(|key| consumed.has(key) || !view.slots.is_at(key, position));
        if is_read || traits.has(Traits::EXPLICIT) || traits.namespace().is_some() || is_nothing(&attribute.value) {
            continue;
        }
        let is_of_raw_request = raw_request.is_some_and(|provider| {
            let member = attribute.key.strip_prefix("llm.").and_then(|rest| rest.strip_prefix(provider));
            member.is_some_and(|member| member.starts_with('.'))
        });
        if is_of_raw_request || !may_pass(&attribute.key, key, traits) {
            continue;
        }
        let name = key.map_or_else(|| Name::Other(attribute.key.clone()), Name::Known);
        passed.push((name, harm::clean(attribute.value.clone())));
    }
    Carried { custom, passed }
}

fn may_pass(text: &str, key: Option<Key>, traits: Traits) -> bool {
    match key {
        Some(_) => !traits.has(Traits::SECRET | Traits::NOISE | Traits::CONTENT),
        None => !harm::is_noise(text) && !harm::is_secret(text) && !harm::is_content(text),
    }
}

/// No content, or text that says so.
fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Str(text) => matches!(text.as_ref(), "" | "[]" | "{}" | "null" | "None"),
        _ => shape::is_empty(value),
    }
}

/// The application's own data, each name once.
fn custom_data<'a>(reading: &Reading<'_, 'a>, consumed: &mut KeySet) -> Vec<(Cow<'a, str>, Value<'a>)> {
    let view = &reading.view;
    let mut custom = Vec::new();
    let spaces =
        reading.each.iter().filter_map(|traits| traits.namespace()).fold(0u16, |spaces, space| spaces | 1 << space);
    for (space, prefix) in NAMESPACES.iter().enumerate().filter(|(space, _)| spaces & 1 << space != 0) {
        for (position, attribute) in view.span.attributes.iter().enumerate() {
            let (key, traits) = (view.slots.key_at(position), reading.each[position]);
            let is_superseded = key.is_some_and(|key| !view.slots.is_at(key, position));
            if traits.namespace() != Some(space) || is_superseded || shape::is_empty(&attribute.value) {
                continue;
            }
            let name = match &attribute.key {
                Cow::Borrowed(key) => Cow::Borrowed(&key[prefix.len()..]),
                Cow::Owned(key) => Cow::Owned(key[prefix.len()..].to_owned()),
            };
            if !is_framework_data(&name) && !harm::is_secret(&attribute.key) {
                custom.push((name, harm::clean(unquoted(&attribute.value))));
            }
        }
    }
    for key in OBJECTS {
        let Some(Value::Object(members)) = view.get(key).and_then(shape::parse_container) else { continue };
        consumed.insert(key);
        for (name, value) in members {
            if !shape::is_empty(&value) && !is_framework_data(&name) && !harm::is_secret(&name) {
                custom.push((name, harm::clean(value)));
            }
        }
    }
    // The first place of a name decides.
    json::keep_last(&mut custom, |(name, _)| name, |_, _| ());
    custom
}

/// What frameworks write about themselves among the application's data.
fn is_framework_data(name: &str) -> bool {
    const PREFIXES: [&str; 6] = ["ls_", "lc_", "langgraph_", "LANGSMITH_", "LANGCHAIN_", "ai.response."];
    matches!(name, "checkpoint_ns" | "is_langchain_root" | "_type" | "usage_metadata" | "usage_object")
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Langfuse 5 writes metadata as JSON text: `"pro"` is pro, `{"x":1}` an object.
fn unquoted<'a>(value: &Value<'a>) -> Value<'a> {
    let inner = match value {
        Value::Str(text) if text.starts_with('"') => match shape::parse_json(text) {
            Some(Value::Str(inner)) if !inner.is_empty() => Some(Value::Str(inner)),
            _ => None,
        },
        _ => shape::whatever(value),
    };
    inner.unwrap_or_else(|| value.clone())
}

/// The attributes of a resource that become properties of each of its spans.
pub(crate) fn of_resource<'a>(attributes: &[Attribute<'a>], drop_prefixes: &[String]) -> Vec<(Name<'a>, Value<'a>)> {
    let mut kept: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    for attribute in attributes {
        if attribute.value != Value::Null {
            kept.push((attribute.key.clone(), attribute.value.clone()));
        }
    }
    json::keep_last(&mut kept, |(key, _)| key, |earlier, later| earlier.1 = later.1);
    kept.retain(|(key, value)| {
        let is_unwanted = drop_prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()));
        !is_unwanted && !harm::is_secret(key) && !shape::is_empty(value)
    });
    let named = |(key, value): (Cow<'a, str>, Value<'a>)| {
        (Key::of(&key).map_or(Name::Other(key), Name::Known), harm::clean(value))
    };
    kept.into_iter().map(named).collect()
}
