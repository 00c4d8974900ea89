//! OTLP/JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): the same views over JSON text.
//!
//! Comes in: the UTF-8 text of an `ExportTraceServiceRequest`. Goes out: calls of a [`Visitor`].
//! Refuses: what is not strict JSON, and known members of a type that cannot be understood. Odd but unambiguous input
//! is understood: numbers as strings, enum names, snake_case names, null members, ids in base64.
//!
//! Of several members with one name the last counts, as in every JSON parser that builds a tree, and the ones before it
//! only have to be JSON. Nothing is therefore final before the document ends: what is decoded waits in a log that can
//! be wound back, and an error waits in its object for a later member of the same name.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod binary;
pub(super) mod logs;
mod member;
mod scalar;
pub(crate) mod scan;
mod span;
mod value;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::wire::{OnError, Resource, Scope, Span, Visitor, empty_body, too_many};

use member::{go_on_behind, list, members, object};
use scan::Scanner;

/// Decodes a request and hands it to the visitor.
///
/// # Errors
/// Text that is not JSON, anything wrong outside a span, more spans than `limits.max_spans`, and under
/// [`OnError::Raise`] whatever is wrong inside a span.
pub fn decode<'a>(body: &'a [u8], limits: &Limits, on_error: OnError, visitor: &mut impl Visitor<'a>) -> Result<()> {
    if body.is_empty() {
        return Err(empty_body());
    }
    let text = simdutf8::compat::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    let mut scanner = Scanner::new(text, limits.max_json_nesting);
    scanner.skip_byte_order_mark();
    let mut decoder = Decoder { limits, on_error, log: Vec::new(), span_count: 0, attribute_count: 0 };
    if scanner.peek()? != b'{' {
        // Whether that is another JSON value or no JSON at all is for the scanner to say.
        let offset = scanner.offset();
        scanner.skip_value()?;
        let advice = "OTLP/JSON is an object with the member resourceSpans: check that the body is a trace export.";
        return Err(Error::decode(offset, "is not a JSON object", advice));
    }
    decoder.request(&mut scanner)?;
    scanner.end()?;
    for item in decoder.log {
        match item {
            Item::Resource(resource) => visitor.resource(resource),
            Item::Scope(scope) => visitor.scope(scope),
            Item::Span(mut span) => visitor.span(&mut span),
            Item::Rejected(error) => visitor.rejected(error),
        }
    }
    Ok(())
}

/// What waits for the end of the document. Nearly every item is a span, so its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Item<'a> {
    Resource(Resource<'a>),
    Scope(Scope<'a>),
    Span(Span<'a>),
    Rejected(Error),
}

struct Decoder<'d, 'a> {
    limits: &'d Limits,
    on_error: OnError,
    log: Vec<Item<'a>>,
    span_count: usize,
    /// Attributes of the span before: the best guess at the next one's.
    attribute_count: usize,
}

members! { Request { ResourceSpans = "resourceSpans" | "resource_spans" } }
members! { ResourceSpans {
    Resource = "resource" | "resource",
    ScopeSpans = "scopeSpans" | "scope_spans",
    SchemaUrl = "schemaUrl" | "schema_url",
} }
members! { ScopeSpans {
    Scope = "scope" | "scope",
    Spans = "spans" | "spans",
    SchemaUrl = "schemaUrl" | "schema_url",
} }
members! { InScope {
    Name = "name" | "name",
    Version = "version" | "version",
    Attributes = "attributes" | "attributes",
} }
members! { InResource { Attributes = "attributes" | "attributes" } }

impl<'a> Decoder<'_, 'a> {
    fn request(&mut self, scanner: &mut Scanner<'a>) -> Result<()> {
        object(scanner, Request::of, |scanner, member| match member {
            Request::ResourceSpans => {
                self.wind_back(0, 0);
                list(scanner, |scanner, index| self.resource_spans(scanner, index))
            }
        })
    }

    fn resource_spans(&mut self, scanner: &mut Scanner<'a>, resource_index: usize) -> Result<()> {
        // The resource goes in front of its scopes in the log, wherever it stands in the text.
        let resource_place = self.log.len();
        self.log.push(Item::Resource(Resource::default()));
        let (start, span_count) = (self.log.len(), self.span_count);
        object(scanner, ResourceSpans::of, |scanner, member| match member {
            ResourceSpans::Resource => {
                let resource = resource(scanner, self.limits)?;
                self.put(resource_place, Item::Resource(resource));
                Ok(())
            }
            ResourceSpans::ScopeSpans => {
                self.wind_back(start, span_count);
                list(scanner, |scanner, index| self.scope_spans(scanner, resource_index, index))
            }
            ResourceSpans::SchemaUrl => scalar::text(scanner).map(drop),
        })
    }

    fn scope_spans(&mut self, scanner: &mut Scanner<'a>, resource_index: usize, scope_index: usize) -> Result<()> {
        let scope_place = self.log.len();
        self.log.push(Item::Scope(Scope::default()));
        let (start, span_count) = (self.log.len(), self.span_count);
        object(scanner, ScopeSpans::of, |scanner, member| match member {
            ScopeSpans::Scope => {
                let scope = scope(scanner, self.limits)?;
                self.put(scope_place, Item::Scope(scope));
                Ok(())
            }
            ScopeSpans::Spans => {
                self.wind_back(start, span_count);
                list(scanner, |scanner, index| self.span(scanner, resource_index, scope_index, index))
            }
            ScopeSpans::SchemaUrl => scalar::text(scanner).map(drop),
        })
    }

    fn span(
        &mut self,
        scanner: &mut Scanner<'a>,
        resource_index: usize,
        scope_index: usize,
        index: usize,
    ) -> Result<()> {
        if self.span_count >= self.limits.max_spans {
            return Err(too_many(scanner.offset(), "max_spans", self.limits.max_spans, "spans in one request"));
        }
        self.span_count = self.span_count.saturating_add(1);
        let start = scanner.place();
        let mut span = Span::default();
        span.attributes.reserve(self.attribute_count);
        match span::read(scanner, &mut span, self.limits) {
            Ok(()) => {
                self.attribute_count = span.attributes.len();
                self.log.push(Item::Span(span));
            }
            Err(error) => {
                if self.on_error == OnError::Raise {
                    return Err(error);
                }
                // Only a span whose text is sound has a known end.
                let error = go_on_behind(scanner, start, error)?;
                let error = error.at_element("spans", index).at_element("scope_spans", scope_index);
                self.log.push(Item::Rejected(error.at_element("resource_spans", resource_index)));
            }
        }
        Ok(())
    }

    /// Forgets what the members before the one of the same name have left.
    fn wind_back(&mut self, length: usize, span_count: usize) {
        self.log.truncate(length);
        self.span_count = span_count;
    }

    fn put(&mut self, place: usize, item: Item<'a>) {
        if let Some(old) = self.log.get_mut(place) {
            *old = item;
        }
    }
}

fn resource<'a>(scanner: &mut Scanner<'a>, limits: &Limits) -> Result<Resource<'a>> {
    let mut resource = Resource::default();
    object(scanner, InResource::of, |scanner, member| match member {
        InResource::Attributes => value::attributes(scanner, &mut resource.attributes, limits),
    })?;
    Ok(resource)
}

fn scope<'a>(scanner: &mut Scanner<'a>, limits: &Limits) -> Result<Scope<'a>> {
    let mut scope = Scope::default();
    object(scanner, InScope::of, |scanner, member| {
        match member {
            InScope::Name => scope.name = scalar::text(scanner)?,
            InScope::Version => scope.version = scalar::text(scanner)?,
            InScope::Attributes => value::attributes(scanner, &mut scope.attributes, limits)?,
        }
        Ok(())
    })?;
    Ok(scope)
}

#[cold]
fn not_utf8(body: &[u8], offset: usize) -> Error {
    let byte = body.get(offset).copied().unwrap_or_default();
    Error::decode(offset, format!("is not UTF-8 (byte 0x{byte:02x})"), "JSON must be UTF-8: fix the exporter.")
}
