//! OTLP protobuf: one pass a message, borrowed slices
//! (<https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto>).
//!
//! Comes in: the bytes of an `ExportTraceServiceRequest`. Goes out: calls of a [`Visitor`].
//! Refuses: what prost refuses, and an empty body. Like prost it lets the last scalar win, merges sub-messages that
//! come in pieces and skips unknown fields and groups.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub(super) mod logs;
mod message;
mod reader;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::wire::{OnError, Resource, Scope, Span, Visitor, empty_body, too_many};

use reader::Reader;

/// Decodes a request and hands it to the visitor.
///
/// # Errors
/// Damage outside a span, more spans than `limits.max_spans`, and under [`OnError::Raise`] whatever is wrong inside one.
pub fn decode<'a>(body: &'a [u8], limits: &Limits, on_error: OnError, visitor: &mut impl Visitor<'a>) -> Result<()> {
    if body.is_empty() {
        return Err(empty_body());
    }
    Decoder { limits, on_error, visitor, span: Span::default(), span_count: 0 }.request(Reader::new(body))
}

struct Decoder<'d, 'a, V> {
    limits: &'d Limits,
    on_error: OnError,
    visitor: &'d mut V,
    /// Reused from span to span as far as the visitor leaves it.
    span: Span<'a>,
    span_count: usize,
}

impl<'a, V: Visitor<'a>> Decoder<'_, 'a, V> {
    fn request(&mut self, mut reader: Reader<'a>) -> Result<()> {
        let mut index = 0usize;
        while let Some(field) = reader.field()? {
            match field.number {
                1 => {
                    let message = reader.message(field);
                    message
                        .and_then(|message| self.resource_spans(message, index))
                        .map_err(|error| error.at_element("resource_spans", index))?;
                    index = index.saturating_add(1);
                }
                _ => reader.skip(field, self.limits.max_nesting)?,
            }
        }
        Ok(())
    }

    /// A resource may stand behind its scopes, and come in pieces, so the fields around the scopes are read first.
    /// That costs a key and a length for each scope.
    fn resource_spans(&mut self, reader: Reader<'a>, resource_index: usize) -> Result<()> {
        let mut resource = Resource::default();
        let mut around = reader;
        let mut index = 0usize;
        while let Some(field) = around.field()? {
            match field.number {
                1 => around
                    .message(field)
                    .and_then(|message| message::resource(message, &mut resource, self.limits))
                    .map_err(|error| error.at("resource"))?,
                2 => {
                    around.message(field).map_err(|error| error.at_element("scope_spans", index))?;
                    index = index.saturating_add(1);
                }
                3 => drop(around.text(field, "schema_url")?),
                _ => around.skip(field, self.limits.max_nesting)?,
            }
        }
        self.visitor.resource(resource);

        let mut scopes = reader;
        let mut index = 0usize;
        while let Some(field) = scopes.field()? {
            match field.number {
                2 => {
                    let message = scopes.message(field);
                    message
                        .and_then(|message| self.scope_spans(message, resource_index, index))
                        .map_err(|error| error.at_element("scope_spans", index))?;
                    index = index.saturating_add(1);
                }
                _ => scopes.skip(field, self.limits.max_nesting)?,
            }
        }
        Ok(())
    }

    /// Read like [`Self::resource_spans`]: everything around the spans, then the spans.
    fn scope_spans(&mut self, reader: Reader<'a>, resource_index: usize, scope_index: usize) -> Result<()> {
        let mut scope = Scope::default();
        let mut around = reader;
        let mut index = 0usize;
        while let Some(field) = around.field()? {
            match field.number {
                1 => around
                    .message(field)
                    .and_then(|message| message::scope(message, &mut scope, self.limits))
                    .map_err(|error| error.at("scope"))?,
                2 => {
                    around.message(field).map_err(|error| error.at_element("spans", index))?;
                    index = index.saturating_add(1);
                }
                3 => drop(around.text(field, "schema_url")?),
                _ => around.skip(field, self.limits.max_nesting)?,
            }
        }
        self.visitor.scope(scope);

        let mut spans = reader;
        let mut index = 0usize;
        while let Some(field) = spans.field()? {
            match field.number {
                2 => {
                    let message = spans.message(field)?;
                    if let Err(error) = self.span(message) {
                        let error = error.at_element("spans", index);
                        if self.on_error == OnError::Raise || self.span_count > self.limits.max_spans {
                            return Err(error);
                        }
                        let error = error.at_element("scope_spans", scope_index);
                        self.visitor.rejected(error.at_element("resource_spans", resource_index));
                    }
                    index = index.saturating_add(1);
                }
                _ => spans.skip(field, self.limits.max_nesting)?,
            }
        }
        Ok(())
    }

    fn span(&mut self, reader: Reader<'a>) -> Result<()> {
        self.span_count = self.span_count.saturating_add(1);
        if self.span_count > self.limits.max_spans {
            return Err(too_many(reader.offset(), "max_spans", self.limits.max_spans, "spans in one request"));
        }
        self.span.clear();
        message::span(reader, &mut self.span, self.limits)?;
        self.visitor.span(&mut self.span);
        Ok(())
    }
}
