//! The messages below a request's lists: each is filled in place, so that pieces of one message merge.

use std::borrow::Cow;

use super::reader::{Field, LENGTH, Reader};
use super::{Error, Limits, Resource, Result, Scope, Span, too_many};
use crate::wire::{Attribute, Id, Link, SpanEvent, Value, id_of};

pub(super) fn resource<'a>(mut reader: Reader<'a>, resource: &mut Resource<'a>, limits: &Limits) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => attribute(&mut reader, field, &mut resource.attributes, limits)?,
            2 => drop(reader.number(field, "dropped_attributes_count")?),
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

pub(super) fn scope<'a>(mut reader: Reader<'a>, scope: &mut Scope<'a>, limits: &Limits) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => scope.name = Cow::Borrowed(reader.text(field, "name")?),
            2 => scope.version = Cow::Borrowed(reader.text(field, "version")?),
            3 => attribute(&mut reader, field, &mut scope.attributes, limits)?,
            4 => drop(reader.number(field, "dropped_attributes_count")?),
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

pub(super) fn span<'a>(mut reader: Reader<'a>, span: &mut Span<'a>, limits: &Limits) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => id(&mut reader, field, "trace_id", &mut span.trace_id)?,
            2 => id(&mut reader, field, "span_id", &mut span.span_id)?,
            3 => span.trace_state = Cow::Borrowed(reader.text(field, "trace_state")?),
            4 => id(&mut reader, field, "parent_span_id", &mut span.parent_span_id)?,
            5 => span.name = Cow::Borrowed(reader.text(field, "name")?),
            6 => span.kind = reader.number(field, "kind")? as i32,
            7 => span.start_unix_nano = reader.fixed64(field, "start_time_unix_nano")?,
            8 => span.end_unix_nano = reader.fixed64(field, "end_time_unix_nano")?,
            9 => attribute(&mut reader, field, &mut span.attributes, limits)?,
            10 => drop(reader.number(field, "dropped_attributes_count")?),
            11 => {
                let index = span.events.len();
                let mut event = SpanEvent::default();
                room(&reader, index, limits.max_span_events, "span events in one span")
                    .and_then(|()| reader.message(field))
                    .and_then(|message| span_event(message, &mut event, limits))
                    .map_err(|error| error.at_element("events", index))?;
                span.events.push(event);
            }
            12 => drop(reader.number(field, "dropped_events_count")?),
            13 => {
                let index = span.links.len();
                let mut link = Link::default();
                room(&reader, index, limits.max_span_events, "links in one span")
                    .and_then(|()| reader.message(field))
                    .and_then(|message| span_link(message, &mut link, limits))
                    .map_err(|error| error.at_element("links", index))?;
                span.links.push(link);
            }
            14 => drop(reader.number(field, "dropped_links_count")?),
            15 => reader
                .message(field)
                .and_then(|message| status(message, span, limits))
                .map_err(|error| error.at("status"))?,
            16 => span.flags = reader.fixed32(field, "flags")?,
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

fn room(reader: &Reader<'_>, count: usize, max: usize, what: &'static str) -> Result<()> {
    if count < max { Ok(()) } else { Err(too_many(reader.offset(), "max_span_events", max, what)) }
}

/// Reads an id into its place.
pub(super) fn id(reader: &mut Reader<'_>, field: Field, name: &'static str, id: &mut Id) -> Result<()> {
    *id = id_of(reader.bytes(field).map_err(|error| error.at(name))?);
    Ok(())
}

fn span_event<'a>(mut reader: Reader<'a>, event: &mut SpanEvent<'a>, limits: &Limits) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => event.time_unix_nano = reader.fixed64(field, "time_unix_nano")?,
            2 => event.name = Cow::Borrowed(reader.text(field, "name")?),
            3 => attribute(&mut reader, field, &mut event.attributes, limits)?,
            4 => drop(reader.number(field, "dropped_attributes_count")?),
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

fn span_link<'a>(mut reader: Reader<'a>, link: &mut Link<'a>, limits: &Limits) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => id(&mut reader, field, "trace_id", &mut link.trace_id)?,
            2 => id(&mut reader, field, "span_id", &mut link.span_id)?,
            3 => drop(reader.text(field, "trace_state")?),
            4 => attribute(&mut reader, field, &mut link.attributes, limits)?,
            5 => drop(reader.number(field, "dropped_attributes_count")?),
            6 => drop(reader.fixed32(field, "flags")?),
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

fn status<'a>(mut reader: Reader<'a>, span: &mut Span<'a>, limits: &Limits) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            2 => span.status_message = Cow::Borrowed(reader.text(field, "message")?),
            3 => span.status_code = reader.number(field, "code")? as i32,
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

/// Reads one more attribute. It is filled where it lies in the list: a value moved once is a value copied once.
#[inline]
pub(super) fn attribute<'a>(
    reader: &mut Reader<'a>,
    field: Field,
    attributes: &mut Vec<Attribute<'a>>,
    limits: &Limits,
) -> Result<()> {
    let index = attributes.len();
    read_attribute(reader, field, attributes, limits).map_err(|error| error.at_element("attributes", index))
}

fn read_attribute<'a>(
    reader: &mut Reader<'a>,
    field: Field,
    attributes: &mut Vec<Attribute<'a>>,
    limits: &Limits,
) -> Result<()> {
    if attributes.len() >= limits.max_attributes {
        return Err(too_many(reader.offset(), "max_attributes", limits.max_attributes, "attributes in one place"));
    }
    let message = reader.message(field)?;
    let usual = usual_pair(message);
    if let Some((key, mut value)) = usual
        && let Some(text) = value.usual_text(STRING_VALUE)
        && value.is_empty()
    {
        attributes.reserve(1);
        attributes.push(Attribute { key: Cow::Borrowed(key), value: Value::Str(Cow::Borrowed(text)) });
        return Ok(());
    }
    attributes.resize_with(attributes.len().saturating_add(1), Attribute::default);
    let Some(Attribute { key, value }) = attributes.last_mut() else { return Ok(()) };
    match usual {
        Some((text, message)) => {
            *key = Cow::Borrowed(text);
            any_value(message, value, limits, 0).map_err(|error| error.at("value"))
        }
        None => key_value(message, key, value, limits, 0),
    }
}

/// How the keys of fields are written that nearly every attribute has.
const KEY: u8 = 1 << 3 | LENGTH;
const VALUE: u8 = 2 << 3 | LENGTH;
const STRING_VALUE: u8 = 1 << 3 | LENGTH;

/// A key-value pair as nearly all exporters write it: the key, the value, nothing else. `None` says nothing about the
/// pair but that [`key_value`] has to read it.
#[inline]
fn usual_pair<'a>(mut message: Reader<'a>) -> Option<(&'a str, Reader<'a>)> {
    let key = message.usual_text(KEY)?;
    let value = message.usual_message(VALUE)?;
    message.is_empty().then_some((key, value))
}

fn key_value<'a>(
    mut reader: Reader<'a>,
    key: &mut Cow<'a, str>,
    value: &mut Value<'a>,
    limits: &Limits,
    depth: usize,
) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => *key = Cow::Borrowed(reader.text(field, "key")?),
            2 => reader
                .message(field)
                .and_then(|message| any_value(message, value, limits, depth))
                .map_err(|error| error.at("value"))?,
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

pub(super) fn any_value<'a>(
    mut reader: Reader<'a>,
    value: &mut Value<'a>,
    limits: &Limits,
    depth: usize,
) -> Result<()> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => *value = Value::Str(Cow::Borrowed(reader.text(field, "string_value")?)),
            2 => *value = Value::Bool(reader.number(field, "bool_value")? != 0),
            3 => *value = Value::Int(reader.number(field, "int_value")? as i64),
            4 => *value = Value::Double(f64::from_bits(reader.fixed64(field, "double_value")?)),
            5 => nested(&mut reader, field, limits, depth)
                .and_then(|(message, depth)| array_value(message, value, limits, depth))
                .map_err(|error| error.at("array_value"))?,
            6 => nested(&mut reader, field, limits, depth)
                .and_then(|(message, depth)| kvlist_value(message, value, limits, depth))
                .map_err(|error| error.at("kvlist_value"))?,
            7 => {
                let bytes = reader.bytes(field).map_err(|error| error.at("bytes_value"))?;
                *value = Value::Bytes(Cow::Borrowed(bytes));
            }
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(())
}

fn nested<'a>(reader: &mut Reader<'a>, field: Field, limits: &Limits, depth: usize) -> Result<(Reader<'a>, usize)> {
    if depth >= limits.max_nesting {
        let what = format!("nests arrays and key-value lists more than {} deep", limits.max_nesting);
        return Err(Error::limit(reader.offset(), "max_nesting", what));
    }
    Ok((reader.message(field)?, depth.saturating_add(1)))
}

/// Elements without a value are left out; an array that is already there grows.
fn array_value<'a>(mut reader: Reader<'a>, value: &mut Value<'a>, limits: &Limits, depth: usize) -> Result<()> {
    let mut elements = match std::mem::take(value) {
        Value::Array(elements) => elements,
        _ => Vec::new(),
    };
    let mut index = 0usize;
    while let Some(field) = reader.field()? {
        match field.number {
            1 => {
                let mut element = Value::Null;
                reader
                    .message(field)
                    .and_then(|message| any_value(message, &mut element, limits, depth))
                    .map_err(|error| error.at_element("values", index))?;
                index = index.saturating_add(1);
                if element != Value::Null {
                    elements.push(element);
                }
            }
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    *value = Value::Array(elements);
    Ok(())
}

fn kvlist_value<'a>(mut reader: Reader<'a>, value: &mut Value<'a>, limits: &Limits, depth: usize) -> Result<()> {
    let mut entries = match std::mem::take(value) {
        Value::Object(entries) => entries,
        _ => Vec::new(),
    };
    let mut index = 0usize;
    while let Some(field) = reader.field()? {
        match field.number {
            1 => {
                let (mut key, mut element) = (Cow::Borrowed(""), Value::Null);
                reader
                    .message(field)
                    .and_then(|message| key_value(message, &mut key, &mut element, limits, depth))
                    .map_err(|error| error.at_element("values", index))?;
                index = index.saturating_add(1);
                entries.push((key, element));
            }
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    *value = Value::Object(entries);
    Ok(())
}
