//! The mapper of `compat="best"`: drafts while spans are decoded, and everything that wants the whole request at its end.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::draft::{Draft, Reading, draft_of};
use super::people::{NOBODY, People};
use super::traits::{KNOWN, Traits};
use super::{assemble, ownership, pass_through, scope, tree};
use crate::batch::{Batch, Drop, DropReason};
use crate::error::Error;
use crate::evaluation::{self, SpanEvaluation};
use crate::event::Name;
use crate::json;
use crate::keys;
use crate::options::Options;
use crate::shape;
use crate::span::{Slots, View};
use crate::wire::{Attribute, Id, Resource, Scope, Span, Value, Visitor, id_of};

/// Openrouter's dashboard sends a span of this name to see whether its destination answers.
const CONNECTION_TEST: &str = "openrouter-connection-test";

/// What is kept of every span, whether the filter keeps it or not: enough to repair the tree and to know whose it was.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub trace: usize,
    pub span_id: Id,
    /// Empty where the span has no parent; an id of zeros is none.
    pub parent_id: Id,
    pub name: Cow<'a, str>,
    pub start_unix_nano: u64,
    pub end_unix_nano: u64,
    pub scope: usize,
    pub resource: usize,
    /// The place of whom it names among the request's people, if it names anybody.
    pub people: Option<usize>,
    /// Whether the span is in another request, and kept there.
    pub elsewhere: Option<bool>,
    /// The draft of this span or, where several have its id, of the first of them.
    pub draft: Option<usize>,
}

/// The spans of one trace in the request.
#[derive(Debug)]
pub(super) struct Trace {
    pub id: Id,
    /// How many records it has.
    count: usize,
    /// Where they stand in [`Request::by_id`], once all spans have been read.
    places: Range<usize>,
    pub drafts: Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct ResourceFacts<'a> {
    pub people: People<'a>,
    pub properties: Vec<(Name<'a>, Value<'a>)>,
    is_openrouter: bool,
}

/// A request, once all of its spans have been read.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    pub records: Vec<Record<'a>>,
    /// Once all spans have been read: each record behind [`beginning`] of its span id, trace by trace, in the order of the
    /// ids; those of one id as they came.
    by_id: Vec<(u64, usize)>,
    pub traces: Vec<Trace>,
    pub drafts: Vec<Draft<'a>>,
    pub resources: Vec<ResourceFacts<'a>>,
    /// Whom spans name. Few spans name anybody.
    pub people: Vec<People<'a>>,
    /// Evaluations that came as events of spans, each with the place of its span's record.
    pub evaluations: Vec<(usize, SpanEvaluation<'a>)>,
    /// The names of the scopes; a scope that comes twice stands twice.
    pub scopes: Vec<Cow<'a, str>>,
    trace_places: HashMap<Id, usize>,
}

/// The first bytes of an id as a number: where two of them differ, the ids differ the same way.
pub(super) fn beginning(id: &Id) -> u64 {
    match id.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => id.iter().rev().fold(0, |number, &byte| number >> 8 | u64::from(byte) << 56),
    }
}

impl<'a> Request<'a> {
    /// The place of a trace, which is often that of the span before.
    fn trace_of(&mut self, id: &Id) -> usize {
        if let Some(last) = self.records.last().filter(|last| self.traces[last.trace].id == *id) {
            return last.trace;
        }
        *self.trace_places.entry(id_of(id)).or_insert_with(|| {
            self.traces.push(Trace { id: id_of(id), count: 0, places: 0..0, drafts: Vec::new() });
            self.traces.len() - 1
        })
    }

    pub fn sort_by_id(&mut self) {
        let mut begin = 0;
        for trace in &mut self.traces {
            trace.places = begin..begin;
            begin += trace.count;
        }
        self.by_id = vec![(0, 0); begin];
        for (place, record) in self.records.iter().enumerate() {
            let end = &mut self.traces[record.trace].places.end;
            self.by_id[*end] = (beginning(&record.span_id), place);
            *end += 1;
        }
        for trace in &self.traces {
            let id = |record: usize| &self.records[record].span_id;
            self.by_id[trace.places.clone()]
                .sort_by(|&(a, left), &(b, right)| a.cmp(&b).then_with(|| id(left).cmp(id(right))));
        }
    }

    /// The records of a trace, each behind [`beginning`] of its span id, in the order of the ids.
    pub fn records_of(&self, trace: &Trace) -> &[(u64, usize)] {
        &self.by_id[trace.places.clone()]
    }

    /// The first record of a span id in a trace. An empty id is nobody's.
    pub fn first_of(&self, trace: usize, span_id: &Id) -> Option<usize> {
        if span_id.is_empty() {
            return None;
        }
        let records = self.records_of(&self.traces[trace]);
        let wanted = beginning(span_id);
        let is_before = |&(found, record): &(u64, usize)| {
            found < wanted || (found == wanted && self.records[record].span_id < *span_id)
        };
        let &(found, record) = records.get(records.partition_point(is_before))?;
        (found == wanted && self.records[record].span_id == *span_id).then_some(record)
    }

    /// Whom a span itself names.
    pub fn people_of(&self, record: usize) -> &People<'a> {
        self.records[record].people.map_or(&NOBODY, |place| &self.people[place])
    }
}

pub struct Mapper<'a, 'o> {
    options: &'o Options,
    known: &'static [Traits],
    slots: Slots,
    /// The traits of each attribute of the span at hand.
    each: Vec<Traits>,
    resource: Resource<'a>,
    scope: Scope<'a>,
    /// Whether the filter keeps all spans of the scope, and the dialects that the scope and the resource show.
    is_scope_kept: bool,
    traits_around: Traits,
    /// Whether an evaluation is kept for its own name, whatever becomes of its span.
    keeps_evaluations: bool,
    request: Request<'a>,
    batch: Batch<'a>,
}

impl<'a, 'o> Mapper<'a, 'o> {
    pub fn new(options: &'o Options) -> Self {
        Self {
            options,
            known: KNOWN.as_slice(),
            slots: Slots::default(),
            each: Vec::new(),
            resource: Resource::default(),
            scope: Scope::default(),
            is_scope_kept: false,
            traits_around: Traits::NONE,
            keeps_evaluations: evaluation::is_kept_by_name(options),
            request: Request {
                resources: vec![ResourceFacts::default()],
                scopes: vec![Cow::Borrowed("")],
                ..Request::default()
            },
            batch: Batch::default(),
        }
    }

    pub fn finish(mut self) -> Batch<'a> {
        if self.request.drafts.is_empty() && self.request.evaluations.is_empty() {
            self.batch.explanations = self.options.explain.then(Vec::new);
            return self.batch;
        }
        let tree = tree::Tree::of(&mut self.request);
        ownership::own_calls(&mut self.request, &tree);
        tree.hold(&mut self.request);
        self.undrop_made_roots(&tree);
        (self.batch.events, self.batch.explanations) = assemble::events(self.request, &tree, self.options);
        self.batch
    }

    /// A span that the filter did not keep, but that became the root of others, was not dropped after all.
    fn undrop_made_roots(&mut self, tree: &tree::Tree) {
        let request = &self.request;
        let made = request.drafts.iter().map(|draft| draft.record).filter(|&record| tree.is_made(record));
        let mut roots: Vec<(u64, &Id, &Id)> = made
            .map(|record| &request.records[record])
            .map(|record| (beginning(&record.span_id), &record.span_id, &request.traces[record.trace].id))
            .collect();
        if !roots.is_empty() {
            roots.sort_unstable();
            let is_root = |drop: &Drop<'_>| {
                roots.binary_search(&(beginning(&drop.span_id), &drop.span_id, &drop.trace_id)).is_ok()
            };
            self.batch.drops.retain(|drop| drop.reason != DropReason::NoAiPrefix || !is_root(drop));
        }
    }

    /// What the keys of a span tell, all together. Nothing else is looked at in most of the spans that are not kept.
    fn look_at_keys(&mut self, attributes: &[Attribute<'a>]) -> Traits {
        self.slots.look_up(attributes);
        self.each.clear();
        self.each.extend(attributes.iter().zip(self.slots.keys()).map(|(attribute, key)| match key {
            Some(key) => self.known[*key as usize],
            None => Traits::of_beginning(&attribute.key),
        }));
        self.each.iter().fold(self.traits_around, |all, &traits| all | traits)
    }

    /// Makes a span ready for rules: its values are plain, each key stands once and is indexed.
    fn index(&mut self, span: &mut Span<'a>) {
        shape::make_plain(&mut span.attributes);
        if has_repeated_unknown_key(&span.attributes, &self.slots) {
            // The last value wins, and none that is null where there is another.
            span.attributes.sort_by_key(|attribute| attribute.value != Value::Null);
            json::keep_last(
                &mut span.attributes,
                |attribute| &attribute.key,
                |earlier, later| earlier.value = later.value,
            );
            self.look_at_keys(&span.attributes);
        }
        self.slots.place(&span.attributes);
    }

    fn is_kept(&self, span: &Span<'a>, traits: Traits) -> bool {
        let added = &self.options.rules.prefixes;
        let starts_with_one =
            |prefixes: &[String], text: &str| prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()));
        let has_one = |prefixes: &[String]| {
            starts_with_one(prefixes, &span.name)
                || span.attributes.iter().any(|attribute| starts_with_one(prefixes, &attribute.key))
        };
        let is_listed = match &self.options.prefixes {
            Some(prefixes) => has_one(prefixes),
            None => {
                traits.has(Traits::KEPT) || self.is_scope_kept || Traits::of_beginning(&span.name).has(Traits::KEPT)
            }
        };
        is_listed || (!added.is_empty() && has_one(added))
    }

    /// Remembers a span, which is indexed if its traits say that it may name somebody.
    fn add_record(&mut self, span: &Span<'a>, traits: Traits) -> usize {
        let request = &mut self.request;
        let people = traits.has(Traits::PERSON).then(|| {
            let view = View { span, scope: &self.scope, resource: &self.resource, slots: &self.slots };
            request.people.push(People::on_span(&view));
            request.people.len() - 1
        });
        let place = request.records.len();
        let trace = request.trace_of(&span.trace_id);
        request.traces[trace].count += 1;
        let has_parent = span.parent_span_id.iter().any(|&byte| byte != 0);
        request.records.push(Record {
            trace,
            span_id: id_of(&span.span_id),
            parent_id: if has_parent { id_of(&span.parent_span_id) } else { Id::new() },
            name: span.name.clone(),
            start_unix_nano: span.start_unix_nano,
            end_unix_nano: span.end_unix_nano,
            scope: request.scopes.len() - 1,
            resource: request.resources.len() - 1,
            people,
            elsewhere: None,
            draft: None,
        });
        place
    }

    fn drop_span(&mut self, span: &mut Span<'a>, reason: DropReason) {
        self.batch.drops.push(Drop {
            reason,
            trace_id: std::mem::take(&mut span.trace_id),
            span_id: std::mem::take(&mut span.span_id),
            name: std::mem::take(&mut span.name),
        });
    }
}

/// Whether the filter keeps a span of this name, scope and attribute keys, before the user's rules have edited it.
pub fn keeps(options: &Options, name: &str, scope: &str, keys: &[&str]) -> bool {
    let starts_with_one = |prefixes: &[String]| {
        let begins = |text: &str| prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()));
        begins(name) || keys.iter().any(|key| begins(key))
    };
    let is_listed = match &options.prefixes {
        Some(prefixes) => starts_with_one(prefixes),
        None => {
            let is_kept = |text: &str| Traits::of_beginning(text).has(Traits::KEPT);
            is_kept(name) || keys.iter().any(|key| is_kept(key)) || scope::is_ai_library(scope)
        }
    };
    is_listed || starts_with_one(&options.rules.prefixes)
}

/// Whether two attributes may have the same key, no known one. Right when it says no, which it nearly always can without
/// comparing keys; the cost of an error is that they are compared.
fn has_repeated_unknown_key(attributes: &[Attribute<'_>], slots: &Slots) -> bool {
    let mut seen = [0u64; 16];
    let mut unknown = attributes.iter().enumerate().filter(|(position, _)| slots.key_at(*position).is_none());
    unknown.any(|(_, attribute)| {
        let hash = keys::rough_hash(attribute.key.as_bytes());
        let (word, bit) = ((hash >> 60) as usize, 1u64 << (hash >> 54 & 63));
        let repeated = seen[word] & bit != 0;
        seen[word] |= bit;
        repeated
    })
}

impl<'a> Visitor<'a> for Mapper<'a, '_> {
    fn resource(&mut self, mut resource: Resource<'a>) {
        shape::make_plain(&mut resource.attributes);
        let service = resource
            .attributes
            .iter()
            .rev()
            .find(|attribute| attribute.key == "service.name" && attribute.value != Value::Null);
        self.request.resources.push(ResourceFacts {
            people: People::on_resource(&resource.attributes),
            properties: pass_through::of_resource(&resource.attributes, &self.options.drop_resource_prefixes),
            is_openrouter: service.is_some_and(|service| service.value == Value::Str(Cow::Borrowed("openrouter"))),
        });
        self.resource = resource;
    }

    fn scope(&mut self, scope: Scope<'a>) {
        self.is_scope_kept = scope::is_ai_library(&scope.name);
        self.traits_around = match scope.name.as_ref() {
            "openrouter" => Traits::OPENROUTER,
            "ai" => Traits::VERCEL,
            "litellm" => Traits::LITELLM,
            "pydantic-ai" => Traits::PYDANTIC_AI,
            name if name.starts_with("mlflow") => Traits::MLFLOW,
            _ => Traits::NONE,
        };
        if self.request.resources.last().is_some_and(|resource| resource.is_openrouter) {
            self.traits_around |= Traits::OPENROUTER;
        }
        self.request.scopes.push(scope.name.clone());
        self.scope = scope;
    }

    fn span(&mut self, span: &mut Span<'a>) {
        self.batch.span_count += 1;
        let traits = self.look_at_keys(&span.attributes);
        let dropped = match () {
            () if !self.is_kept(span, traits) => Some(DropReason::NoAiPrefix),
            () if span.name == CONNECTION_TEST => Some(DropReason::ConnectionTest),
            () => None,
        };
        if dropped.is_none() || traits.has(Traits::PERSON) {
            self.index(span);
        }
        let record = self.add_record(span, traits);
        if dropped.is_none() || self.keeps_evaluations {
            span.events.iter_mut().for_each(|event| shape::make_plain(&mut event.attributes));
            self.request.evaluations.extend(SpanEvaluation::all_of(span).map(|evaluation| (record, evaluation)));
        }
        if let Some(reason) = dropped {
            return self.drop_span(span, reason);
        }
        let reading = Reading {
            view: View { span, scope: &self.scope, resource: &self.resource, slots: &self.slots },
            each: &self.each,
            traits,
            has_values: span.attributes.iter().any(|attribute| attribute.value != Value::Null),
            privacy_mode: self.options.privacy_mode,
            explain: self.options.explain,
        };
        let draft = draft_of(&reading, record);
        let place = self.request.drafts.len();
        self.request.drafts.push(draft);
        let trace = self.request.records[record].trace;
        self.request.traces[trace].drafts.push(place);
    }

    fn elsewhere(&mut self, span: &Span<'a>, is_kept: bool) {
        // Whose it was holds for the spans below it, too.
        let mut span = span.clone();
        let traits = self.look_at_keys(&span.attributes);
        self.index(&mut span);
        let record = self.add_record(&span, traits);
        self.request.records[record].elsewhere = Some(is_kept);
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
