//! Attributes and their values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::json::keep_last;
use crate::limits::Limits;
use crate::wire::{Attribute, Value, too_many};

use super::member::{go_on_behind, list, members, mistyped, object, take_null};
use super::scalar;
use super::scan::Scanner;

members! { InKeyValue { Key = "key" | "key", Value = "value" | "value" } }
members! { InArray { Values = "values" | "values" } }

// In the order in which they win over one another: of several members the one that comes last by name counts.
members! { InAnyValue {
    Array = "arrayValue" | "array_value",
    Bool = "boolValue" | "bool_value",
    Bytes = "bytesValue" | "bytes_value",
    Double = "doubleValue" | "double_value",
    Int = "intValue" | "int_value",
    Kvlist = "kvlistValue" | "kvlist_value",
    String = "stringValue" | "string_value",
} }

/// A key-value pair in either of the places where they stand.
pub(super) trait Pair<'a>: Default {
    fn new(key: Cow<'a, str>, value: Value<'a>) -> Self;
    fn key(&self) -> &str;
    fn replace(&mut self, later: Self);
}

impl<'a> Pair<'a> for Attribute<'a> {
    fn new(key: Cow<'a, str>, value: Value<'a>) -> Self {
        Self { key, value }
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn replace(&mut self, later: Self) {
        self.value = later.value;
    }
}

impl<'a> Pair<'a> for (Cow<'a, str>, Value<'a>) {
    fn new(key: Cow<'a, str>, value: Value<'a>) -> Self {
        (key, value)
    }

    fn key(&self) -> &str {
        &self.0
    }

    fn replace(&mut self, later: Self) {
        self.1 = later.1;
    }
}

pub(super) fn attributes<'a>(
    scanner: &mut Scanner<'a>,
    attributes: &mut Vec<Attribute<'a>>,
    limits: &Limits,
) -> Result<()> {
    pairs(scanner, attributes, limits.max_attributes, limits, 0)
}

/// Reads a list of `{key, value}`, or an object `{name: value}`.
fn pairs<'a, P: Pair<'a>>(
    scanner: &mut Scanner<'a>,
    pairs: &mut Vec<P>,
    max: usize,
    limits: &Limits,
    depth: usize,
) -> Result<()> {
    pairs.clear();
    if scanner.peek()? == b'{' {
        return named_values(scanner, pairs, max, limits, depth);
    }
    list(scanner, |scanner, _| {
        if pairs.len() >= max {
            return Err(too_many(scanner.offset(), "max_attributes", max, "attributes in one place"));
        }
        let (mut key, mut value) = (Cow::Borrowed(""), Value::Null);
        object(scanner, InKeyValue::of, |scanner, member| {
            match member {
                InKeyValue::Key => key = scalar::text(scanner)?,
                InKeyValue::Value => value = any_value(scanner, limits, depth)?,
            }
            Ok(())
        })?;
        pairs.push(P::new(key, value));
        Ok(())
    })
}

fn named_values<'a, P: Pair<'a>>(
    scanner: &mut Scanner<'a>,
    pairs: &mut Vec<P>,
    max: usize,
    limits: &Limits,
    depth: usize,
) -> Result<()> {
    scanner.open()?;
    // Errors wait for a later member of the same name, as in any object.
    let mut held: Vec<(usize, Error)> = Vec::new();
    let mut first = true;
    while let Some(name) = scanner.next_member(&mut first)? {
        if pairs.len() >= max {
            return Err(too_many(scanner.offset(), "max_attributes", max, "attributes in one place"));
        }
        let start = scanner.place();
        let value = match any_value(scanner, limits, depth) {
            Ok(value) => value,
            Err(error) => {
                let error = error.at(name.clone().into_owned());
                held.push((pairs.len(), go_on_behind(scanner, start, error)?));
                Value::Null
            }
        };
        pairs.push(P::new(name, value));
    }
    if !held.is_empty() {
        let last: BTreeMap<&str, usize> = pairs.iter().enumerate().map(|(index, pair)| (pair.key(), index)).collect();
        let counts = |index: &usize| pairs.get(*index).is_some_and(|pair| last.get(pair.key()) == Some(index));
        if let Some(position) = held.iter().position(|(index, _)| counts(index)) {
            return Err(held.swap_remove(position).1);
        }
    }
    keep_last(pairs, P::key, P::replace);
    Ok(())
}

/// Reads an `AnyValue`, or plain JSON in its place. [`Value::Null`] is no value.
pub(super) fn any_value<'a>(scanner: &mut Scanner<'a>, limits: &Limits, depth: usize) -> Result<Value<'a>> {
    Ok(match scanner.peek()? {
        b'{' => return tagged_value(scanner, limits, depth),
        b'"' => Value::Str(scanner.string()?),
        b'[' => {
            let depth = deeper(scanner, limits, depth)?;
            Value::Array(elements(scanner, limits, depth)?)
        }
        b't' | b'f' => Value::Bool(scalar::boolean(scanner)?),
        b'-' | b'0'..=b'9' => {
            let (digits, integer) = scanner.number()?;
            match digits.parse() {
                Ok(number) if integer => Value::Int(number),
                _ => Value::Double(digits.parse().unwrap_or(f64::NAN)),
            }
        }
        _ if take_null(scanner)? => Value::Null,
        _ => return Err(mistyped(scanner, "a value")),
    })
}

fn tagged_value<'a>(scanner: &mut Scanner<'a>, limits: &Limits, depth: usize) -> Result<Value<'a>> {
    let mut best: Option<(InAnyValue, Value<'a>)> = None;
    // Members that do not win, in case the one that does is taken back by a null further on.
    let mut others: Vec<(InAnyValue, Value<'a>)> = Vec::new();
    object(scanner, InAnyValue::of, |scanner, member| {
        let value = if take_null(scanner)? { Value::Null } else { member_value(scanner, member, limits, depth)? };
        match &mut best {
            None => best = Some((member, value)),
            Some((same, old)) if *same == member => *old = value,
            Some(_) => {
                others.retain(|(other, _)| *other != member);
                others.push((member, value));
            }
        }
        Ok(())
    })?;
    let all = others.into_iter().chain(best).filter(|(_, value)| *value != Value::Null);
    Ok(all.max_by_key(|(member, _)| *member as u8).map(|(_, value)| value).unwrap_or_default())
}

fn member_value<'a>(scanner: &mut Scanner<'a>, member: InAnyValue, limits: &Limits, depth: usize) -> Result<Value<'a>> {
    Ok(match member {
        InAnyValue::String => Value::Str(scalar::text(scanner)?),
        InAnyValue::Bool => Value::Bool(scalar::boolean(scanner)?),
        InAnyValue::Int => Value::Int(scalar::int(scanner)?),
        InAnyValue::Double => Value::Double(scalar::double(scanner)?),
        InAnyValue::Bytes => Value::Bytes(Cow::Owned(scalar::bytes(scanner)?)),
        InAnyValue::Array => {
            let depth = deeper(scanner, limits, depth)?;
            let mut values = Vec::new();
            object(scanner, InArray::of, |scanner, InArray::Values| {
                values = elements(scanner, limits, depth)?;
                Ok(())
            })?;
            Value::Array(values)
        }
        InAnyValue::Kvlist => {
            let depth = deeper(scanner, limits, depth)?;
            let mut values = Vec::new();
            object(scanner, InArray::of, |scanner, InArray::Values| {
                pairs(scanner, &mut values, usize::MAX, limits, depth)
            })?;
            Value::Object(values)
        }
    })
}

/// The elements that have a value.
fn elements<'a>(scanner: &mut Scanner<'a>, limits: &Limits, depth: usize) -> Result<Vec<Value<'a>>> {
    let mut elements = Vec::new();
    list(scanner, |scanner, _| {
        let element = any_value(scanner, limits, depth)?;
        if element != Value::Null {
            elements.push(element);
        }
        Ok(())
    })?;
    Ok(elements)
}

fn deeper(scanner: &mut Scanner<'_>, limits: &Limits, depth: usize) -> Result<usize> {
    if depth < limits.max_nesting {
        return Ok(depth.saturating_add(1));
    }
    let what = format!("nests arrays and key-value lists more than {} deep", limits.max_nesting);
    Err(Error::limit(scanner.offset(), "max_nesting", what))
}
