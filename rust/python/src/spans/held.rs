//! Spans that were read from Python: plain data that borrows the text of Python strings and keeps them alive.

use std::borrow::Cow;

use spanmap_core::Result;
use spanmap_core::error::Error;
use spanmap_core::wire::{self, Attribute, Id, Source, SpanEvent, Visitor};

use super::values::{HeldAttribute, Text};

#[derive(Default)]
pub struct HeldSpans {
    /// Attributes of the resources, in order of appearance.
    pub resources: Vec<Vec<HeldAttribute>>,
    pub scopes: Vec<Scope>,
    pub groups: Vec<Group>,
    /// Spans of the same traces that are in other requests, and whether they are kept there.
    pub elsewhere: Vec<(Span, bool)>,
    /// Why spans were unreadable.
    pub rejected: Vec<Error>,
    /// Bytes of all text.
    pub weight: usize,
}

/// The spans of one resource and one scope, each named by its place.
pub struct Group {
    pub resource: usize,
    pub scope: usize,
    pub spans: Vec<Span>,
}

#[derive(Default)]
pub struct Scope {
    pub name: Option<Text>,
    pub version: Option<Text>,
    pub attributes: Vec<HeldAttribute>,
}

pub struct Span {
    pub trace_id: [u8; 16],
    pub span_id: [u8; 8],
    pub parent_span_id: Option<[u8; 8]>,
    pub name: Text,
    pub start_unix_nano: u64,
    pub end_unix_nano: u64,
    pub attributes: Vec<HeldAttribute>,
    pub events: Vec<Event>,
    pub status_code: i32,
    pub status_message: Option<Text>,
}

pub struct Event {
    pub name: Text,
    pub time_unix_nano: u64,
    pub attributes: Vec<HeldAttribute>,
}

impl<'a> Source<'a> for &'a HeldSpans {
    /// In the order of the encoder: resources, and the scopes of each, by their first span.
    fn read(self, visitor: &mut impl Visitor<'a>) -> Result<()> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| group.resource);
        let mut span = wire::Span::default();
        for (held, is_kept) in &self.elsewhere {
            span.clear();
            held.fill(&mut span);
            visitor.elsewhere(&span, *is_kept);
        }
        let mut resource = None;
        for group in groups {
            if resource.replace(group.resource) != Some(group.resource) {
                let attributes = self.resources.get(group.resource).map(Vec::as_slice).unwrap_or_default();
                visitor.resource(wire::Resource { attributes: as_wire(attributes) });
            }
            visitor.scope(self.scopes.get(group.scope).map(Scope::as_wire).unwrap_or_default());
            for held in &group.spans {
                span.clear();
                held.fill(&mut span);
                visitor.span(&mut span);
            }
        }
        self.rejected.iter().for_each(|error| visitor.rejected(error.clone()));
        Ok(())
    }
}

impl Scope {
    fn as_wire(&self) -> wire::Scope<'_> {
        wire::Scope {
            name: text_or_empty(self.name.as_ref()),
            version: text_or_empty(self.version.as_ref()),
            attributes: as_wire(&self.attributes),
        }
    }
}

impl Span {
    fn fill<'a>(&'a self, span: &mut wire::Span<'a>) {
        span.trace_id = Id::from_slice(&self.trace_id);
        span.span_id = Id::from_slice(&self.span_id);
        span.parent_span_id = self.parent_span_id.as_ref().map(|id| Id::from_slice(id)).unwrap_or_default();
        span.name = Cow::Borrowed(self.name.as_str());
        span.start_unix_nano = self.start_unix_nano;
        span.end_unix_nano = self.end_unix_nano;
        span.attributes.extend(self.attributes.iter().map(HeldAttribute::as_wire));
        span.events.extend(self.events.iter().map(|event| SpanEvent {
            name: Cow::Borrowed(event.name.as_str()),
            time_unix_nano: event.time_unix_nano,
            attributes: as_wire(&event.attributes),
        }));
        span.status_code = self.status_code;
        span.status_message = text_or_empty(self.status_message.as_ref());
    }
}

fn as_wire(attributes: &[HeldAttribute]) -> Vec<Attribute<'_>> {
    attributes.iter().map(HeldAttribute::as_wire).collect()
}

fn text_or_empty(text: Option<&Text>) -> Cow<'_, str> {
    Cow::Borrowed(text.map_or("", Text::as_str))
}
