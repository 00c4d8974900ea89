//! Whose a span was: where dialects put the user, the session and the conversation.

use std::borrow::Cow;

use super::rule::{Source, at, key};
use crate::keys::Key;
use crate::shape;
use crate::span::View;
use crate::wire::{Attribute, Value};

/// Where a span names its user, in order.
pub const USER: &[Source] = &[
    key(Key::AI_TELEMETRY_METADATA_POSTHOG_DISTINCT_ID),
    key(Key::AI_SETTINGS_CONTEXT_POSTHOG_DISTINCT_ID),
    key(Key::METADATA_POSTHOG_DISTINCT_ID),
    key(Key::TRACELOOP_ASSOCIATION_PROPERTIES_POSTHOG_DISTINCT_ID),
    key(Key::TRACE_METADATA_POSTHOG_DISTINCT_ID),
    key(Key::LANGFUSE_TRACE_METADATA_POSTHOG_DISTINCT_ID),
    key(Key::LANGSMITH_METADATA_POSTHOG_DISTINCT_ID),
    at(Key::METADATA, "posthog_distinct_id"),
    key(Key::POSTHOG_DISTINCT_ID),
    key(Key::LANGFUSE_USER_ID),
    key(Key::USER_ID),
    key(Key::LANGSMITH_METADATA_USER_ID),
    key(Key::TRACELOOP_ASSOCIATION_PROPERTIES_USER_ID),
    key(Key::AI_TELEMETRY_METADATA_USER_ID),
    key(Key::AI_TELEMETRY_METADATA_SNAKE_USER_ID),
    key(Key::AI_SETTINGS_CONTEXT_USER_ID),
    key(Key::METADATA_USER_ID),
    key(Key::LANGFUSE_TRACE_METADATA_LANGFUSE_USER_ID),
    key(Key::LANGFUSE_OBSERVATION_METADATA_LANGFUSE_USER_ID),
    at(Key::METADATA, "user_id"),
    key(Key::LANGWATCH_USER_ID),
    at(Key::LANGWATCH_METADATA, "user_id"),
    key(Key::ENDUSER_ID),
];

/// Where a span names its session, in order.
pub const SESSION: &[Source] = &[
    key(Key::P_AI_SESSION_ID),
    key(Key::AI_TELEMETRY_METADATA_P_AI_SESSION_ID),
    key(Key::AI_SETTINGS_CONTEXT_P_AI_SESSION_ID),
    key(Key::METADATA_P_AI_SESSION_ID),
    key(Key::TRACELOOP_ASSOCIATION_PROPERTIES_P_AI_SESSION_ID),
    key(Key::TRACE_METADATA_P_AI_SESSION_ID),
    key(Key::LANGFUSE_SESSION_ID),
    key(Key::SESSION_ID),
    key(Key::EVE_SESSION_ID),
    key(Key::ANTHROPIC_SESSION_ID),
    key(Key::TRACELOOP_ASSOCIATION_PROPERTIES_SESSION_ID),
    key(Key::LANGSMITH_METADATA_SESSION_ID),
    key(Key::AI_TELEMETRY_METADATA_SESSION_ID),
    key(Key::AI_TELEMETRY_METADATA_SNAKE_SESSION_ID),
    key(Key::AI_SETTINGS_CONTEXT_SESSION_ID),
    key(Key::METADATA_SESSION_ID),
    key(Key::METADATA_SNAKE_SESSION_ID),
    key(Key::LANGFUSE_TRACE_METADATA_LANGFUSE_SESSION_ID),
    key(Key::LANGFUSE_OBSERVATION_METADATA_LANGFUSE_SESSION_ID),
    at(Key::METADATA, "session_id"),
    key(Key::LANGWATCH_THREAD_ID),
    at(Key::LANGWATCH_METADATA, "thread_id"),
];

/// Where a span names a thread or conversation, in order.
pub const CONVERSATION: &[Source] = &[
    key(Key::GEN_AI_CONVERSATION_ID),
    key(Key::LANGSMITH_METADATA_THREAD_ID),
    key(Key::TRACELOOP_ASSOCIATION_PROPERTIES_THREAD_ID),
    at(Key::METADATA, "thread_id"),
    at(Key::METADATA, "conversation_id"),
    key(Key::GCP_VERTEX_AGENT_SESSION_ID),
];

/// Where a resource names a user.
const RESOURCE_USER: [Key; 2] = [Key::POSTHOG_DISTINCT_ID, Key::USER_ID];
/// Where a resource names a session.
const RESOURCE_SESSION: [Key; 2] = [Key::P_AI_SESSION_ID, Key::SESSION_ID];

/// Whom and what a span or a resource names.
#[derive(Debug, Default, Clone)]
pub(crate) struct People<'a> {
    pub user: Option<Cow<'a, str>>,
    pub session: Option<Cow<'a, str>>,
    /// A thread or conversation is a session only where nothing in the trace names one: some libraries invent one a run.
    pub conversation: Option<Cow<'a, str>>,
}

/// Who names nobody.
pub(crate) static NOBODY: People<'static> = People { user: None, session: None, conversation: None };

impl<'a> People<'a> {
    pub fn on_span(view: &View<'_, 'a>) -> Self {
        let first = |sources: &[Source]| sources.iter().find_map(|&source| read(view, source));
        Self { user: first(USER), session: first(SESSION), conversation: first(CONVERSATION) }
    }

    pub fn on_resource(attributes: &[Attribute<'a>]) -> Self {
        let first = |keys: &[Key]| {
            keys.iter().find_map(|key| {
                let is_it =
                    |attribute: &&Attribute<'a>| attribute.key == key.as_str() && attribute.value != Value::Null;
                attributes.iter().rev().find(is_it).and_then(|attribute| name_in(&attribute.value))
            })
        };
        Self { user: first(&RESOURCE_USER), session: first(&RESOURCE_SESSION), conversation: None }
    }
}

fn read<'a>(view: &View<'_, 'a>, source: Source) -> Option<Cow<'a, str>> {
    let value = view.get(source.key())?;
    match source {
        Source::Key(_) => name_in(value),
        Source::Member(_, name) => match shape::parse_container(value)? {
            Value::Object(members) => {
                members.iter().rev().find(|(member, _)| member == name).and_then(|(_, value)| name_in(value))
            }
            _ => None,
        },
    }
}

/// Text, which may wear JSON quotes; whole numbers count as their text.
fn name_in<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Json(text) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => Some(text.clone()),
        _ => shape::quoted_text(value),
    }
}
