//! Why an event looks as it does: for each property the rule and the attribute behind it, for each attribute that left no
//! trace the reason. Only made when asked for.

use std::collections::HashSet;

use super::TABLES;
use super::draft::{Draft, Reading};
use super::keyset::KeySet;
use super::ownership::SUMMED;
use super::rule::Source;
use super::traits::Traits;
use crate::event::{Event, Name};
use crate::harm;
use crate::keys::Key;
use crate::shape;
use crate::wire::Value;

/// Why a property has its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub property: String,
    /// The id of the rule; see [`rules`](super::rules).
    pub rule: &'static str,
    /// The attribute that the value comes from, `key#a.b` for a member of its JSON, where a rule names one.
    pub source: Option<String>,
    /// Attributes that the rules would have taken had the source not been there.
    pub losers: Vec<String>,
}

/// An attribute that left no property of its own, and no value elsewhere that a note names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    pub key: String,
    /// `empty`, `secret`, `noise`, `content` (what was said, under a name that only its library knows), or `read` (rules
    /// looked at it).
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    pub notes: Vec<Note>,
    pub unused: Vec<Unused>,
}

/// The rules that are no rows of a table: what they set, beside their ids.
pub const COMPUTED: [(Key, &str); 29] = [
    (Key::P_AI_TRACE_ID, "wire.trace_id"),
    (Key::P_AI_SPAN_ID, "wire.span_id"),
    (Key::P_AI_LATENCY, "wire.times"),
    (Key::P_AI_LIB_VERSION, "wire.scope_version"),
    (Key::P_AI_LIB, "dialect.library"),
    (Key::P_AI_INGESTION_SOURCE, "spanmap.source"),
    (Key::P_GEOIP_DISABLE, "spanmap.no_geoip"),
    (Key::P_AI_SPAN_NAME, "span.name"),
    (Key::P_AI_PARENT_ID, "tree.parent"),
    (Key::OTEL_PARENT_SPAN_ID, "tree.remote_parent"),
    (Key::P_PROCESS_PERSON_PROFILE, "identity.nobody"),
    (Key::P_AI_SESSION_ID, "identity.session"),
    (Key::P_AI_MODEL, "call.model"),
    (Key::P_AI_PROVIDER, "call.provider"),
    (Key::P_AI_MODEL_PARAMETERS, "call.parameters"),
    (Key::P_AI_TIME_TO_FIRST_TOKEN, "call.first_token"),
    (Key::P_AI_CACHE_REPORTING_EXCLUSIVE, "call.cache_convention"),
    (Key::P_AI_TOTAL_COST_USD, "call.total_cost"),
    (Key::P_AI_COST_PASSTHROUGH, "call.cost_passthrough"),
    (Key::P_AI_INPUT, "content.input"),
    (Key::P_AI_OUTPUT_CHOICES, "content.output"),
    (Key::P_AI_INPUT_STATE, "content.input_state"),
    (Key::P_AI_OUTPUT_STATE, "content.output_state"),
    (Key::P_AI_STOP_REASON, "content.stop_reason"),
    (Key::P_AI_TOOLS, "content.tools"),
    (Key::P_AI_IS_ERROR, "error.is_error"),
    (Key::P_AI_ERROR, "error.message"),
    (Key::P_AI_ERROR_TYPE, "error.type"),
    (Key::P_AI_HTTP_STATUS, "error.status"),
];

/// An attribute that has a property's own name.
pub(super) const EXPLICIT: &str = "explicit";
/// A member of one of the application's namespaces or objects, of this span or of another of its trace.
pub(super) const CUSTOM: &str = "custom";
/// An attribute that keeps its name.
pub(super) const PASS_THROUGH: &str = "pass_through";
pub(super) const RESOURCE: &str = "resource";
/// A fact of another span that describes the same call, or a total of one that does not own its call.
pub(super) const OWNERSHIP: &str = "ownership";

impl Explanation {
    pub(super) fn took(&mut self, property: &str, rule: &'static str, source: String) {
        self.notes.push(Note { property: property.to_owned(), rule, source: Some(source), losers: Vec::new() });
    }

    /// The property has a value already, and the source might have given another.
    pub(super) fn lost(&mut self, property: &str, source: Source) {
        if let Some(note) = self.notes.iter_mut().find(|note| note.property == property) {
            let source = text_of(source);
            if note.source.as_ref() != Some(&source) && !note.losers.contains(&source) {
                note.losers.push(source);
            }
        }
    }

    /// Says why attributes are in no property.
    pub(super) fn account_for(&mut self, reading: &Reading<'_, '_>, consumed: &KeySet) {
        let key_of = |source: &String| source.split('#').next().unwrap_or_default().to_owned();
        let sources = self.notes.iter().flat_map(|note| note.source.iter().chain(&note.losers));
        let named: HashSet<String> = sources.map(key_of).collect();
        for (position, attribute) in reading.view.span.attributes.iter().enumerate() {
            let (known, traits) = (reading.view.slots.key_at(position), reading.each[position]);
            let key = attribute.key.as_ref();
            let is_consumed = known.is_some_and(|key| consumed.has(key)) || traits.has(Traits::RAW_REQUEST);
            let reason = match &attribute.value {
                _ if named.contains(key) => continue,
                Value::Str(text) if matches!(text.as_ref(), "[]" | "{}" | "null" | "None") => "empty",
                value if shape::is_empty(value) => "empty",
                _ if harm::is_secret(key) => "secret",
                _ if harm::is_noise(key) => "noise",
                _ if is_consumed || traits.has(Traits::EXPLICIT) => "read",
                _ if harm::is_content(key) => "content",
                _ => continue,
            };
            self.unused.push(Unused { key: key.to_owned(), reason });
        }
    }
}

/// What a draft's explanation wants to know of its parts, before they become one list of properties.
pub(super) struct Parts {
    explanation: Explanation,
    custom: HashSet<String>,
    passed: HashSet<String>,
}

impl Parts {
    pub fn of(draft: &mut Draft<'_>) -> Self {
        Self {
            explanation: draft.explanation.take().map(|explanation| *explanation).unwrap_or_default(),
            custom: draft.custom.iter().map(|(name, _)| name.to_string()).collect(),
            passed: draft.passed.iter().map(|(name, _)| name.as_str().to_owned()).collect(),
        }
    }

    /// The explanation, with a note for every property of the finished event.
    pub fn explanation(mut self, event: &Event<'_>) -> Explanation {
        let names: HashSet<&str> = event.properties.iter().map(|(name, _)| name.as_str()).collect();
        // What a later step took away again needs no reason.
        self.explanation.notes.retain(|note| names.contains(note.property.as_str()));
        let noted: HashSet<String> = self.explanation.notes.iter().map(|note| note.property.clone()).collect();
        let is_rule_fact = |key: Key| TABLES.iter().flat_map(|(_, table)| table.rules).any(|rule| rule.to == key);
        for (name, _) in event.properties.iter().filter(|(name, _)| !noted.contains(name.as_str())) {
            let text = name.as_str();
            let computed = COMPUTED.iter().find(|(key, _)| *name == Name::Known(*key)).map(|&(_, rule)| rule);
            let rule = match (computed, name) {
                (Some(rule), _) => rule,
                (None, _) if self.custom.contains(text) => CUSTOM,
                (None, _) if self.passed.contains(text) => PASS_THROUGH,
                (None, Name::Known(key))
                    if is_rule_fact(*key) || SUMMED.iter().any(|(_, reported)| reported == key) =>
                {
                    OWNERSHIP
                }
                _ => RESOURCE,
            };
            let source = (rule == PASS_THROUGH || rule == RESOURCE).then(|| text.to_owned());
            self.explanation.notes.push(Note { property: text.to_owned(), rule, source, losers: Vec::new() });
        }
        self.explanation
    }
}

/// `key`, or `key#a.b` for a member.
pub fn text_of(source: Source) -> String {
    match source {
        Source::Key(key) => key.as_str().to_owned(),
        Source::Member(key, path) => format!("{}#{path}", key.as_str()),
    }
}
