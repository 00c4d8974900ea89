//! JSON text inside strings: is it JSON, what does it hold, and how is a value written as JSON
//! (<https://www.rfc-editor.org/rfc/rfc8259>).
//!
//! Comes in: text of a string attribute, or a [`Value`]. Goes out: a shape, a value, or compact JSON.
//! Refuses: everything that is not strict JSON (no `NaN`, no trailing comma), and containers nested too deeply.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use crate::output::Output;
use crate::wire::Value;
use crate::wire::json::scan::{Scanner, Stops};

pub mod outline;

/// What a JSON text holds at its top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// What is known about a JSON text once it has been validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub kind: Kind,
    /// Surrogate escapes without their partner (`"\ud800"`): such text is not passed on as it is, see
    /// [`mend`].
    pub lone_surrogates: bool,
    /// Numbers that no double may hold (`1e400`): JSON readers differ on them, so that they are not passed on either.
    pub huge_numbers: bool,
}

/// The shape of the text if it is one JSON value, with white space around it at most.
pub fn validate(text: &str, max_nesting: usize) -> Option<Shape> {
    let mut scanner = Scanner::new(text, max_nesting);
    let kind = match scanner.peek().ok()? {
        b'{' => Kind::Object,
        b'[' => Kind::Array,
        b'"' => Kind::String,
        b't' | b'f' => Kind::Bool,
        b'n' => Kind::Null,
        b'-' | b'0'..=b'9' => Kind::Number,
        _ => return None,
    };
    scanner.skip_value().ok()?;
    scanner.end().ok()?;
    Some(Shape { kind, lone_surrogates: scanner.lone_surrogates, huge_numbers: scanner.huge_numbers })
}

/// The value that the text holds. Integers of 64 bits are [`Value::Int`], larger ones keep their text in
/// [`Value::Json`], all other numbers are doubles. Each key of an object stands once, where it first appeared, with its
/// last value.
pub fn parse(text: &str, max_nesting: usize) -> Option<Value<'_>> {
    let mut scanner = Scanner::new(text, max_nesting);
    let value = read(&mut scanner)?;
    scanner.end().ok()?;
    Some(value)
}

fn read<'a>(scanner: &mut Scanner<'a>) -> Option<Value<'a>> {
    Some(match scanner.peek().ok()? {
        b'"' => Value::Str(scanner.string().ok()?),
        b'{' => {
            scanner.open().ok()?;
            let (mut members, mut first) = (Vec::new(), true);
            while let Some(name) = scanner.next_member(&mut first).ok()? {
                members.push((name, read(scanner)?));
            }
            keep_last(&mut members, |(name, _)| name, |earlier, later| earlier.1 = later.1);
            Value::Object(members)
        }
        b'[' => {
            scanner.open().ok()?;
            let (mut elements, mut first) = (Vec::new(), true);
            while scanner.next_element(&mut first).ok()? {
                elements.push(read(scanner)?);
            }
            Value::Array(elements)
        }
        b't' => scanner.literal("true").map(|()| Value::Bool(true)).ok()?,
        b'f' => scanner.literal("false").map(|()| Value::Bool(false)).ok()?,
        b'n' => scanner.literal("null").map(|()| Value::Null).ok()?,
        b'-' | b'0'..=b'9' => match scanner.number().ok()? {
            (text, true) => text.parse().map_or(Value::Json(Cow::Borrowed(text)), Value::Int),
            (text, false) => Value::Double(text.parse().ok()?),
        },
        _ => return None,
    })
}

/// Leaves each key once, at its first place and with its last value, as a Python dict would.
pub(crate) fn keep_last<T: Default>(members: &mut Vec<T>, key: impl Fn(&T) -> &str, replace: impl Fn(&mut T, T)) {
    // Nearly all objects are small and have no duplicates: that is found out without memory.
    let duplicate = |rest: &[T], member: &T| rest.iter().any(|other| key(other) == key(member));
    let small = members.len() <= 8;
    if small
        && !(0..).zip(members.iter()).any(|(index, member)| duplicate(members.get(..index).unwrap_or_default(), member))
    {
        return;
    }
    // Sorting keeps large objects from costing the square of their size, whoever chose the keys.
    let mut order: Vec<usize> = (0..members.len()).collect();
    let key_at = |index: &usize| members.get(*index).map(&key);
    order.sort_by(|a, b| key_at(a).cmp(&key_at(b)).then(a.cmp(b)));
    let mut moves = Vec::new();
    for equal in order.chunk_by(|a, b| key_at(a) == key_at(b)) {
        if let [first, middle @ .., last] = equal {
            moves.push((*first, *last));
            moves.extend(middle.iter().map(|&index| (usize::MAX, index)));
        }
    }
    let mut gone = vec![false; if moves.is_empty() { 0 } else { members.len() }];
    for (first, later) in moves {
        let value = members.get_mut(later).map(std::mem::take);
        if let (Some(earlier), Some(value)) = (members.get_mut(first), value) {
            replace(earlier, value);
        }
        if let Some(gone) = gone.get_mut(later) {
            *gone = true;
        }
    }
    let mut gone = gone.into_iter();
    members.retain(|_| !gone.next().unwrap_or_default());
}

/// Valid JSON text of this shape with U+FFFD for every lone surrogate and null for every number beyond the doubles.
pub fn mend(text: &str, shape: Shape) -> Cow<'_, str> {
    let mended = if shape.lone_surrogates { replace_lone_surrogates(text) } else { Cow::Borrowed(text) };
    match mended {
        mended if !shape.huge_numbers => mended,
        Cow::Borrowed(text) => replace_huge_numbers(text),
        Cow::Owned(text) => Cow::Owned(replace_huge_numbers(&text).into_owned()),
    }
}

/// Valid JSON text with `null` for every number with a fraction or an exponent that is too large for a double.
fn replace_huge_numbers(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let (mut done, mut at, mut in_string) = (0usize, 0usize, false);
    while let Some(byte) = text.as_bytes().get(at) {
        let mut length = 1usize;
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => length = 2,
            b'-' | b'0'..=b'9' if !in_string => {
                let rest = text.get(at..).unwrap_or_default();
                let is_in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                length = rest.bytes().take_while(is_in_number).count();
                let number = rest.get(..length).unwrap_or_default();
                let is_integer = !number.contains(['.', 'e', 'E']);
                if !is_integer && number.parse::<f64>().is_ok_and(f64::is_infinite) {
                    mended.push_str(text.get(done..at).unwrap_or_default());
                    mended.push_str("null");
                    done = at.saturating_add(length);
                }
            }
            _ => {}
        }
        at = at.saturating_add(length);
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(mended)
}

/// Valid JSON text with every surrogate escape that has no partner turned into `\ufffd`, and otherwise untouched.
pub fn replace_lone_surrogates(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut done = 0usize;
    let mut position = 0usize;
    while let Some(found) = text.get(position..).and_then(|rest| rest.find('\\')) {
        let at = position.saturating_add(found);
        let (length, lone) = escape_at(text.get(at..).unwrap_or_default());
        position = at.saturating_add(length);
        if lone {
            mended.push_str(text.get(done..at).unwrap_or_default());
            mended.push_str("\\ufffd");
            done = position;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(mended)
}

/// The length of the escape that the text begins with, both halves of a pair together, and whether it is half a pair.
fn escape_at(text: &str) -> (usize, bool) {
    let unit = |at: usize| {
        let digits = text.get(at..at.saturating_add(6))?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
        (Some(0xd800..=0xdfff), _) => (6, true),
        (Some(_), _) => (6, false),
        (None, _) => (2, false),
    }
}

/// Copies JSON text. Line ends can only be white space in it, and go: what is written stays on one line.
fn splice(text: &str, out: &mut impl Output) {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.split(['\n', '\r']).for_each(|line| out.extend_from_slice(line.as_bytes()));
    }
}

/// Appends the value as compact JSON. NaN and infinities become null, bytes lower-case hexadecimal text.
pub fn to_text(value: &Value<'_>, out: &mut impl Output) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Value::Double(number) if number.is_finite() => {
            out.extend_from_slice(zmij::Buffer::new().format_finite(*number).as_bytes());
        }
        Value::Double(_) => out.extend_from_slice(b"null"),
        Value::Str(text) => string_to_text(text, out),
        Value::Bytes(bytes) => {
            out.push(b'"');
            hex_to_text(bytes, out);
            out.push(b'"');
        }
        Value::Array(elements) => {
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                to_text(element, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                string_to_text(name, out);
                out.push(b':');
                to_text(member, out);
            }
            out.push(b'}');
        }
        Value::Json(text) => splice(text, out),
    }
}

/// Appends lower-case hexadecimal digits.
pub fn hex_to_text(bytes: &[u8], out: &mut impl Output) {
    out.reserve(bytes.len().saturating_mul(2));
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0'.saturating_add(value) } else { b'a'.saturating_add(value).saturating_sub(10) }
}

/// Appends the text as a JSON string, with the escapes that JSON demands and no others.
pub fn string_to_text(text: &str, out: &mut impl Output) {
    out.reserve(text.len().saturating_add(2));
    out.push(b'"');
    let bytes = text.as_bytes();
    let (mut stops, mut position) = (Stops::new(), 0usize);
    loop {
        let stop = stops.next(bytes, position);
        out.extend_from_slice(bytes.get(position..stop).unwrap_or_default());
        let Some(&byte) = bytes.get(stop) else { break };
        position = stop.saturating_add(1);
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                out.extend_from_slice(b"\\u00");
                hex_to_text(&[control], out);
            }
        }
    }
    out.push(b'"');
}
