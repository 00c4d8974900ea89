//! Evaluations in `compat="best"`, as log records and as span events: PostHog's reading, and what this mode adds.
//!
//! The event's name may stand in the attribute `event.name`, where older SDKs write it. A whole score stays a whole
//! number. Who nobody is known to be is derived from the session or the trace, and gets no profile. A trace id of zeros
//! is none. Secrets, blobs and numbers that JSON cannot say stay behind.

use std::borrow::Cow;

use uuid::Uuid;

use crate::batch::DropReason;
use crate::dialect::pass_through;
use crate::dialect::people::People;
use crate::event::{Event, Name};
use crate::harm;
use crate::identity::{derive, derived_distinct_id, hex, text_of};
use crate::json::keep_last;
use crate::keys::Key;
use crate::options::Options;
use crate::posthog::evaluation::property_value;
use crate::shape;
use crate::span::{Slots, View};
use crate::wire::logs::LogRecord;
use crate::wire::{Attribute, Resource, Scope, Span, Value};

use super::{Evaluations, Place, RESULT, Verdict, facts, last};

/// Whether the filter keeps evaluations for the name of their event, whatever becomes of the span.
pub(crate) fn is_kept_by_name(options: &Options) -> bool {
    let begins = |prefixes: &[String]| prefixes.iter().any(|prefix| RESULT.starts_with(prefix.as_str()));
    options.prefixes.as_deref().is_none_or(begins) || begins(&options.rules.prefixes)
}

/// Whether a span event of one of these names is an evaluation that is kept, whatever becomes of its span.
pub(crate) fn keeps_one_of(options: &Options, events: &[&str]) -> bool {
    events.contains(&RESULT) && is_kept_by_name(options)
}

/// An evaluation that a span's event tells, until the whole request is known.
#[derive(Debug)]
pub(crate) struct SpanEvaluation<'a> {
    place: Place,
    attributes: Vec<Attribute<'a>>,
}

impl<'a> SpanEvaluation<'a> {
    /// The evaluations among a span's events.
    pub fn all_of(span: &Span<'a>) -> impl Iterator<Item = Self> {
        span.events.iter().enumerate().filter(|(_, event)| event.name == RESULT).map(|(index, event)| {
            let run = [hex(&span.trace_id), ":".to_owned(), hex(&span.span_id), format!(":{index}")];
            let times = [event.time_unix_nano, span.end_unix_nano, span.start_unix_nano];
            let place = Place {
                trace_id: span.trace_id.clone(),
                span_id: span.span_id.clone(),
                run_id: derive(Uuid::NAMESPACE_URL, &run),
                unix_nano: times.into_iter().find(|&unix_nano| unix_nano != 0).unwrap_or_default(),
            };
            Self { place, attributes: readable(event.attributes.clone()) }
        })
    }
}

impl Evaluations<'_> {
    pub(super) fn best_of_log_record<'a>(
        &mut self,
        mut record: LogRecord<'a>,
        resource: &Resource<'a>,
    ) -> Result<Event<'a>, DropReason> {
        let by_attribute =
            matches!(last(&record.attributes, Key::EVENT_NAME), Some(Value::Str(name)) if name == RESULT);
        if record.event_name != RESULT && !(record.event_name.is_empty() && by_attribute) {
            return Err(DropReason::NoEvaluation);
        }
        // The run id is that of the record as it was sent, before the user's edits.
        let place = Place::of(&record);
        self.options.rules.edit(&mut record.attributes);
        let mut attributes = readable(record.attributes);
        if by_attribute {
            attributes.retain(|attribute| attribute.key != Key::EVENT_NAME.as_str());
        }
        let resource = readable(resource.attributes.clone());
        let properties = pass_through::of_resource(&resource, &self.options.drop_resource_prefixes);
        let people = People::on_resource(&resource);
        self.best(place, attributes, record.body, properties, people).ok_or(DropReason::IncompleteEvaluation)
    }

    /// The event of a span's evaluation, `None` if it says no name or no result. `people` says whose the span is; the
    /// attributes of its event come first.
    pub(crate) fn map_span_event<'a>(
        &mut self,
        evaluation: SpanEvaluation<'a>,
        resource: Vec<(Name<'a>, Value<'a>)>,
        people: People<'a>,
    ) -> Option<Event<'a>> {
        self.best(evaluation.place, evaluation.attributes, Value::Null, resource, people)
    }

    fn best<'a>(
        &mut self,
        place: Place,
        attributes: Vec<Attribute<'a>>,
        body: Value<'a>,
        resource: Vec<(Name<'a>, Value<'a>)>,
        around: People<'a>,
    ) -> Option<Event<'a>> {
        let verdict = Verdict::of(&attributes)?;
        let (own, attributes) = people_on(attributes);
        let session = own.session.or(around.session).or(own.conversation).or(around.conversation);
        let user = own.user.or(around.user);
        let is_somebody = user.is_some();
        let has_trace = place.trace_id.iter().any(|&byte| byte != 0);
        let distinct_id = match (user, &session) {
            (Some(user), _) => user,
            (None, Some(session)) => derived(&format!("session:{session}")),
            (None, None) if has_trace => derived(&format!("trace:{}", hex(&place.trace_id))),
            (None, None) => self.nobody(&place, &verdict.name),
        };
        let trace_id: &[u8] = if has_trace { &place.trace_id } else { &[] };
        let mut facts = facts(verdict, &place, trace_id, "spanmap");
        if body != Value::Null {
            facts.push((Key::P_OTEL_LOG_BODY, harm::scrub(property_value(body).unwrap_or_default())));
        }
        let mut event = self.event(resource, sendable(attributes), facts, distinct_id.clone(), &place);
        event.distinct_id = distinct_id;
        set(&mut event, Key::P_AI_SESSION_ID, session.map(Value::Str));
        set(&mut event, Key::P_PROCESS_PERSON_PROFILE, (!is_somebody).then_some(Value::Bool(false)));
        if self.options.privacy_mode {
            event.properties.retain(|(name, _)| !harm::is_content(name.as_str()));
        }
        Some(event)
    }
}

/// Whom the attributes name, and the attributes again.
fn people_on<'a>(attributes: Vec<Attribute<'a>>) -> (People<'a>, Vec<Attribute<'a>>) {
    let span = Span { attributes, ..Span::default() };
    let mut slots = Slots::default();
    slots.index(&span.attributes);
    let (scope, resource) = (Scope::default(), Resource::default());
    let people = People::on_span(&View { span: &span, scope: &scope, resource: &resource, slots: &slots });
    (people, span.attributes)
}

fn derived<'a>(name: &str) -> Cow<'a, str> {
    Cow::Owned(text_of(derived_distinct_id(&[name])))
}

fn set<'a>(event: &mut Event<'a>, key: Key, value: Option<Value<'a>>) {
    let Some(value) = value else { return };
    match event.properties.iter_mut().find(|(name, _)| *name == Name::Known(key)) {
        Some((_, old)) => *old = value,
        None => event.properties.push((Name::Known(key), value)),
    }
}

/// The attributes with values, the last of each key, bytes as text; numbers that JSON cannot say are no values.
fn readable(mut attributes: Vec<Attribute<'_>>) -> Vec<Attribute<'_>> {
    attributes.retain(|attribute| attribute.value != Value::Null);
    keep_last(&mut attributes, |attribute| &attribute.key, |earlier, later| earlier.value = later.value);
    attributes.retain_mut(|attribute| {
        attribute.value = property_value(std::mem::take(&mut attribute.value)).unwrap_or_default();
        attribute.value != Value::Null
    });
    attributes
}

/// What may travel: nothing empty, no secrets, and markers where blobs and vectors were.
fn sendable(mut attributes: Vec<Attribute<'_>>) -> Vec<Attribute<'_>> {
    attributes.retain(|attribute| !harm::is_secret(&attribute.key) && !shape::is_empty(&attribute.value));
    for attribute in &mut attributes {
        attribute.value = harm::scrub(std::mem::take(&mut attribute.value));
    }
    attributes
}
