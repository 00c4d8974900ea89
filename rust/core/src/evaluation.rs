//! Evaluations: what a judge, human or not, said of a span. They come as log records and as span events named
//! `gen_ai.evaluation.result` (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/>).
//!
//! Comes in: what the wire read. Goes out: `$ai_evaluation` events. Leaves out: other records, and evaluations without a
//! name, or with neither a label nor a number for their score. A number that JSON cannot say is none.
//!
//! `compat="posthog"` reads the log records that PostHog's capture service reads, and knows nobody who is not named.
//! `compat="best"` understands more ([`best`]).

mod best;
mod record;

use std::borrow::Cow;

use uuid::Uuid;

use crate::batch::{Batch, Drop, DropReason};
use crate::event::{Event, EventName, Name};
use crate::identity::{self, EventUuids, FirstTexts, derive, hex};
use crate::keys::Key;
use crate::options::{Compat, Options};
use crate::posthog;
use crate::privacy;
use crate::wire::logs::{LogRecord, ResourceLogs};
use crate::wire::{Attribute, Id, Resource, Value};

pub(crate) use best::{SpanEvaluation, is_kept_by_name, keeps_one_of};

/// The name of the log record or span event.
const RESULT: &str = "gen_ai.evaluation.result";

/// Content that only evaluations have; privacy mode takes it out.
const CONTENT: [Key; 2] = [Key::P_AI_EVALUATION_REASONING, Key::P_OTEL_LOG_BODY];

/// Maps what a log request holds.
pub fn map_logs<'a>(request: Vec<ResourceLogs<'a>>, options: &Options) -> Batch<'a> {
    let mut evaluations = Evaluations::new(options);
    let mut batch = Batch::default();
    for ResourceLogs { mut resource, records, rejected } in request {
        options.rules.drop_from(&mut resource.attributes);
        for record in records {
            let (trace_id, span_id) = (record.trace_id.clone(), record.span_id.clone());
            let name = record.event_name.clone();
            match evaluations.map_log_record(record, &resource) {
                Ok(event) => batch.events.push(event),
                Err(reason) => batch.drops.push(Drop { reason, trace_id, span_id, name }),
            }
            batch.span_count += 1;
        }
        for error in rejected {
            let (trace_id, span_id) = (Id::new(), Id::new());
            batch.drops.push(Drop { reason: DropReason::Unreadable, trace_id, span_id, name: Cow::Borrowed("") });
            batch.rejected.push(error);
            batch.span_count += 1;
        }
    }
    batch
}

/// Makes the evaluations of one request.
pub struct Evaluations<'o> {
    options: &'o Options,
    uuids: EventUuids,
    /// The distinct id of all that tell nothing of whose they are; made from the first of them.
    nobody: Option<Uuid>,
}

/// Where an evaluation stands, and which one it is.
#[derive(Debug)]
struct Place {
    trace_id: Id,
    span_id: Id,
    run_id: Uuid,
    unix_nano: u64,
}

/// What an evaluation says.
struct Verdict<'a> {
    name: Cow<'a, str>,
    result: Value<'a>,
    result_type: &'static str,
    reasoning: Option<Cow<'a, str>>,
}

impl<'a> Verdict<'a> {
    /// The last attribute of a key that has a value counts, as it does for properties.
    fn of(attributes: &[Attribute<'a>]) -> Option<Self> {
        let name = trimmed(attributes, Key::GEN_AI_EVALUATION_NAME)?;
        let (result, result_type) = match trimmed(attributes, Key::GEN_AI_EVALUATION_SCORE_LABEL) {
            Some(label) => (Value::Str(label), "label"),
            None => match last(attributes, Key::GEN_AI_EVALUATION_SCORE_VALUE)? {
                Value::Int(number) => (Value::Int(*number), "number"),
                Value::Double(number) if number.is_finite() => (Value::Double(*number), "number"),
                _ => return None,
            },
        };
        Some(Self { name, result, result_type, reasoning: trimmed(attributes, Key::GEN_AI_EVALUATION_EXPLANATION) })
    }
}

impl<'o> Evaluations<'o> {
    pub fn new(options: &'o Options) -> Self {
        Self { options, uuids: EventUuids::default(), nobody: None }
    }

    /// The event of a log record.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn map_log_record<'a>(
        &mut self,
        record: LogRecord<'a>,
        resource: &Resource<'a>,
    ) -> Result<Event<'a>, DropReason> {
        match self.options.compat {
            Compat::Posthog => self.as_posthog(record, resource),
            Compat::Best => self.best_of_log_record(record, resource),
        }
    }

    fn as_posthog<'a>(&mut self, mut record: LogRecord<'a>, resource: &Resource<'a>) -> Result<Event<'a>, DropReason> {
        if record.event_name != RESULT {
            return Err(DropReason::NoEvaluation);
        }
        // The run id is that of the record as it was sent, before the user's edits.
        let place = Place::of(&record);
        self.options.rules.edit(&mut record.attributes);
        let mut verdict = Verdict::of(&record.attributes).ok_or(DropReason::IncompleteEvaluation)?;
        if let Value::Int(number) = verdict.result {
            verdict.result = Value::Double(number as f64);
        }
        let user = identity::named_user(&FirstTexts::of(&record.attributes), &FirstTexts::of(&resource.attributes));
        // PostHog takes the request's random id, and derives none from session or trace.
        let distinct_id = user.unwrap_or_else(|| self.nobody(&place, &verdict.name));
        let mut facts = facts(verdict, &place, &place.trace_id, "otel");
        if record.body != Value::Null {
            facts.push((Key::P_OTEL_LOG_BODY, record.body));
        }
        Ok(self.event(self.captured(resource), record.attributes, facts, distinct_id, &place))
    }

    fn event<'a>(
        &mut self,
        resource: Vec<(Name<'a>, Value<'a>)>,
        attributes: Vec<Attribute<'a>>,
        facts: Vec<(Key, Value<'a>)>,
        distinct_id: Cow<'a, str>,
        place: &Place,
    ) -> Event<'a> {
        let max_json_nesting = self.options.limits.max_json_nesting;
        let (distinct_id, properties) =
            posthog::evaluation::properties(resource, attributes, facts, distinct_id, max_json_nesting);
        let mut event = Event {
            name: EventName::Evaluation,
            distinct_id,
            timestamp_unix_nano: Some(place.unix_nano).filter(|&unix_nano| unix_nano != 0),
            uuid: self.uuids.next_evaluation(&hex(&place.trace_id), &hex(&place.span_id), place.run_id),
            properties,
        };
        if self.options.privacy_mode {
            privacy::remove_content(&mut event);
            event.properties.retain(|(name, _)| !matches!(name, Name::Known(key) if CONTENT.contains(key)));
        }
        event
    }

    /// The resource's attributes that become properties.
    fn captured<'a>(&self, resource: &Resource<'a>) -> Vec<(Name<'a>, Value<'a>)> {
        let is_dropped = |key: &str| self.options.drop_resource_prefixes.iter().any(|prefix| key.starts_with(prefix));
        let kept = resource.attributes.iter().filter(|attribute| !is_dropped(&attribute.key)).cloned();
        kept.filter_map(posthog::property).collect()
    }

    fn nobody<'a>(&mut self, place: &Place, name: &str) -> Cow<'a, str> {
        let nobody = self.nobody.get_or_insert_with(|| {
            let (trace_id, span_id, unix_nano) = (hex(&place.trace_id), hex(&place.span_id), place.unix_nano);
            identity::derived_distinct_id(&[
                "request:",
                &trace_id,
                ":",
                &span_id,
                ":",
                &unix_nano.to_string(),
                ":",
                name,
            ])
        });
        Cow::Owned(identity::text_of(*nobody))
    }
}

impl Place {
    fn of(record: &LogRecord<'_>) -> Self {
        Self {
            trace_id: record.trace_id.clone(),
            span_id: record.span_id.clone(),
            run_id: derive(Uuid::NAMESPACE_URL, &[record::encode(record)]),
            unix_nano: if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano },
        }
    }
}

/// The properties that say what was judged, and how. Ids of another length than OTLP's name nothing.
fn facts<'a>(verdict: Verdict<'a>, place: &Place, trace_id: &[u8], source: &'static str) -> Vec<(Key, Value<'a>)> {
    let text = |text: &'static str| Value::Str(Cow::Borrowed(text));
    let owned = |text: String| Value::Str(Cow::Owned(text));
    let id = derive(Uuid::NAMESPACE_URL, &["otel:", &verdict.name]);
    let mut facts = vec![
        (Key::P_AI_EVALUATION_ID, owned(id.to_string())),
        (Key::P_AI_EVALUATION_RUN_ID, owned(place.run_id.to_string())),
        (Key::P_AI_EVALUATION_NAME, Value::Str(verdict.name)),
        (Key::P_AI_EVALUATION_RUNTIME, text("otel")),
        (Key::P_AI_EVALUATION_TYPE, text("imported")),
        (Key::P_AI_INGESTION_SOURCE, text(source)),
        (Key::P_AI_EVALUATION_RESULT, verdict.result),
        (Key::P_AI_EVALUATION_RESULT_TYPE, text(verdict.result_type)),
    ];
    if trace_id.len() == 16 {
        facts.push((Key::P_AI_TRACE_ID, owned(hex(trace_id))));
    }
    if place.span_id.len() == 8 {
        facts.push((Key::P_AI_TARGET_SPAN_ID, owned(hex(&place.span_id))));
    }
    if let Some(reasoning) = verdict.reasoning {
        facts.push((Key::P_AI_EVALUATION_REASONING, Value::Str(reasoning)));
    }
    facts
}

fn last<'s, 'a>(attributes: &'s [Attribute<'a>], key: Key) -> Option<&'s Value<'a>> {
    let is_it = |attribute: &&Attribute<'_>| attribute.key == key.as_str() && attribute.value != Value::Null;
    attributes.iter().rev().find(is_it).map(|attribute| &attribute.value)
}

/// The text without white space around it, unless nothing is left.
fn trimmed<'a>(attributes: &[Attribute<'a>], key: Key) -> Option<Cow<'a, str>> {
    let Value::Str(text) = last(attributes, key)? else { return None };
    let trimmed = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    (!trimmed.is_empty()).then_some(trimmed)
}
