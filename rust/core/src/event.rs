//! An event: plain data between dialect and sink, so that it can be printed, compared, explained and built detached from Python.

use std::borrow::Cow;

use uuid::Uuid;

use crate::keys::Key;
use crate::wire::Value;

/// The PostHog event names that spanmap emits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventName {
    Generation,
    Embedding,
    Span,
    Trace,
    Evaluation,
}

impl EventName {
    pub fn as_str(self) -> &'static str {
        match self {
            EventName::Generation => "$ai_generation",
            EventName::Embedding => "$ai_embedding",
            EventName::Span => "$ai_span",
            EventName::Trace => "$ai_trace",
            EventName::Evaluation => "$ai_evaluation",
        }
    }
}

/// A property's name: one of the known keys, or whatever the source called it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name<'a> {
    Known(Key),
    Other(Cow<'a, str>),
}

impl Name<'_> {
    pub fn as_str(&self) -> &str {
        match self {
            Name::Known(key) => key.as_str(),
            Name::Other(text) => text,
        }
    }
}

/// What a sink writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    pub name: EventName,
    pub distinct_id: Cow<'a, str>,
    /// Nanoseconds since 1970-01-01 UTC; `None` when the source knows no time (PostHog then takes the time of arrival).
    pub timestamp_unix_nano: Option<u64>,
    pub uuid: Uuid,
    /// Each name once, in the order in which a sink writes them.
    pub properties: Vec<(Name<'a>, Value<'a>)>,
}
