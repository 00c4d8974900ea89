//! `compat="posthog"`: what PostHog's own pipeline makes of a span, surprises included.
//!
//! Two services are followed in their order: the capture service ([`capture`], what is kept and how attributes become
//! properties) and the ingestion worker ([`convert`], what the properties are called and how messages look). Enrichment
//! with prices is not part of it. Where PostHog refuses a whole request for a shape that is unambiguous, it is read here.

use std::borrow::Cow;

use crate::batch::{Batch, Drop, DropReason};
use crate::error::Error;
use crate::event::{Event, EventName, Name};
use crate::identity::{DistinctIds, EventUuids, FirstTexts, hex};
use crate::keys::Key;
use crate::options::Options;
use crate::wire::{Attribute, Resource, Scope, Span, Value, Visitor};

mod anthropic;
mod bag;
mod capture;
mod convert;
mod error_status;
pub(crate) mod evaluation;
mod filter;
mod generic;
mod javascript;
mod older_events;
mod pydantic_ai;
mod system_instructions;
mod traceloop;
mod values;
mod vercel;

use bag::Bag;
use values::Reader;

/// An event in the making.
struct Draft<'b, 'a> {
    name: EventName,
    distinct_id: Cow<'a, str>,
    start_unix_nano: u64,
    end_unix_nano: u64,
    bag: &'b mut Bag<'a>,
    reader: Reader,
}

/// Maps spans while they are decoded; nothing of a span is kept but its event, or a small record of its drop.
pub struct Mapper<'a, 'o> {
    options: &'o Options,
    /// What the resource says about the user.
    resource_identity: FirstTexts<'a>,
    /// The resource's attributes that become properties of each of its spans.
    resource_properties: Vec<(Name<'a>, Value<'a>)>,
    bag: Bag<'a>,
    distinct_ids: DistinctIds,
    uuids: EventUuids,
    batch: Batch<'a>,
}

impl<'a, 'o> Mapper<'a, 'o> {
    pub fn new(options: &'o Options) -> Self {
        Self {
            options,
            resource_identity: FirstTexts::default(),
            resource_properties: Vec::new(),
            bag: Bag::new(),
            distinct_ids: DistinctIds::default(),
            uuids: EventUuids::default(),
            batch: Batch::default(),
        }
    }

    pub fn finish(self) -> Batch<'a> {
        self.batch
    }

    fn event(&mut self, span: &mut Span<'a>, name: EventName) -> Event<'a> {
        let (trace_id, span_id) = (hex(&span.trace_id), hex(&span.span_id));
        let mut draft = Draft {
            name,
            distinct_id: self.distinct_ids.of(span, &trace_id, &self.resource_identity),
            start_unix_nano: span.start_unix_nano,
            end_unix_nano: span.end_unix_nano,
            bag: &mut self.bag,
            reader: Reader { max_nesting: self.options.limits.max_json_nesting },
        };
        capture::properties(draft.bag, &self.resource_properties, span, &trace_id, &span_id);
        convert::convert(&mut draft);
        let Draft { name, distinct_id, .. } = draft;
        Event {
            name,
            distinct_id,
            timestamp_unix_nano: Some(span.start_unix_nano).filter(|&start| start != 0),
            uuid: self.uuids.next(&trace_id, &span_id, name),
            properties: self.bag.take(),
        }
    }
}

impl<'a> Visitor<'a> for Mapper<'a, '_> {
    fn resource(&mut self, resource: Resource<'a>) {
        let drop_prefixes = &self.options.drop_resource_prefixes;
        let is_dropped = |key: &str| drop_prefixes.iter().any(|prefix| key.starts_with(prefix));
        self.resource_identity = FirstTexts::of(&resource.attributes);
        let kept = resource.attributes.into_iter().filter(|attribute| !is_dropped(&attribute.key));
        self.resource_properties = kept.filter_map(property).collect();
    }

    fn scope(&mut self, _scope: Scope<'a>) {}

    fn span(&mut self, span: &mut Span<'a>) {
        self.batch.span_count += 1;
        match filter::event_name(&span.attributes, self.options.prefixes.as_deref(), &self.options.rules.prefixes) {
            Some(name) => {
                let event = self.event(span, name);
                self.batch.events.push(event);
            }
            None => self.batch.drops.push(Drop {
                reason: DropReason::NoAiPrefix,
                trace_id: std::mem::take(&mut span.trace_id),
                span_id: std::mem::take(&mut span.span_id),
                name: std::mem::take(&mut span.name),
            }),
        }
    }

    fn rejected(&mut self, error: Error) {
        self.batch.span_count += 1;
        self.batch.drops.push(Drop {
            reason: DropReason::Unreadable,
            trace_id: Default::default(),
            span_id: Default::default(),
            name: Default::default(),
        });
        self.batch.rejected.push(error);
    }
}

/// Whether the filter keeps a span of these attribute keys, before the user's rules have edited it.
pub fn keeps(options: &Options, keys: &[&str]) -> bool {
    filter::keeps(keys, options.prefixes.as_deref(), &options.rules.prefixes)
}

/// An attribute as a property; `None` if it has no value.
pub(crate) fn property<'a>(attribute: Attribute<'a>) -> Option<(Name<'a>, Value<'a>)> {
    let value = values::from_wire(attribute.value)?;
    Some((Key::of(&attribute.key).map_or(Name::Other(attribute.key), Name::Known), value))
}
