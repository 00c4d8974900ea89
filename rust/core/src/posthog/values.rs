//! Property values as PostHog's worker sees them: JSON that came through JavaScript. A container inside a string stays
//! validated text ([`Value::Json`]) until a rule has to look inside.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::json::{self, Kind};
use crate::wire::Value;

/// An attribute's value as a property; `None` for an attribute without one. Numbers that JSON does not know become
/// null, bytes lower-case hex, and containers lose their missing values and their earlier duplicates.
pub(crate) fn from_wire(value: Value<'_>) -> Option<Value<'_>> {
    Some(match value {
        Value::Null => return None,
        Value::Double(number) if !number.is_finite() => Value::Null,
        Value::Bytes(bytes) => Value::Str(Cow::Owned(crate::identity::hex(&bytes))),
        Value::Array(elements) => Value::Array(elements.into_iter().filter_map(from_wire).collect()),
        Value::Object(members) => {
            // The capture service keeps objects in sorted maps.
            let members = members.into_iter().filter_map(|(name, value)| Some((name, from_wire(value)?)));
            Value::Object(members.collect::<BTreeMap<_, _>>().into_iter().collect())
        }
        other => other,
    })
}

/// Reads strings that hold JSON, with the cap on how deep their containers may nest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub max_nesting: usize,
}

impl Reader {
    /// A string that is JSON becomes what it says; everything else stays what it is.
    pub fn parse_if_json<'a>(self, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Str(text) => self.parse(text).unwrap_or_else(Value::Str),
            other => other,
        }
    }

    /// A string that is a JSON array or object becomes that; everything else, JSON scalars included, stays what it is.
    pub fn parse_if_container<'a>(self, value: Value<'a>) -> Value<'a> {
        match value {
            Value::Str(text) => match json::validate(&text, self.max_nesting).map(|shape| shape.kind) {
                Some(Kind::Array | Kind::Object) => self.parse(text).unwrap_or_else(Value::Str),
                _ => Value::Str(text),
            },
            other => other,
        }
    }

    /// What the text says, or the text itself if it is not JSON.
    pub fn parse<'a>(self, text: Cow<'a, str>) -> Result<Value<'a>, Cow<'a, str>> {
        let Some(shape) = json::validate(&text, self.max_nesting) else { return Err(text) };
        if !matches!(shape.kind, Kind::Array | Kind::Object) {
            return self.read(&text).ok_or(text);
        }
        if !shape.lone_surrogates && !shape.huge_numbers {
            return Ok(Value::Json(text));
        }
        Ok(Value::Json(match text {
            Cow::Borrowed(text) => json::mend(text, shape),
            Cow::Owned(text) => Cow::Owned(json::mend(&text, shape).into_owned()),
        }))
    }

    /// The value with JSON text opened up, so that a rule can look inside.
    pub fn tree<'a>(self, value: &Value<'a>) -> Value<'a> {
        match value {
            Value::Json(text) => self.read(text).unwrap_or_default(),
            other => other.clone(),
        }
    }

    /// The elements of an array, if it is one.
    pub fn elements<'a>(self, value: &Value<'a>) -> Option<Vec<Value<'a>>> {
        match value {
            Value::Array(elements) => Some(elements.clone()),
            Value::Json(text) if text.trim_ascii_start().starts_with('[') => match self.tree(value) {
                Value::Array(elements) => Some(elements),
                _ => None,
            },
            _ => None,
        }
    }

    fn read<'a>(self, text: &Cow<'a, str>) -> Option<Value<'a>> {
        match text {
            Cow::Borrowed(text) => json::parse(text, self.max_nesting),
            Cow::Owned(text) => json::parse(text, self.max_nesting).map(into_owned),
        }
    }
}

fn into_owned(value: Value<'_>) -> Value<'static> {
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match value {
        Value::Null => Value::Null,
        Value::Bool(truth) => Value::Bool(truth),
        Value::Int(number) => Value::Int(number),
        Value::Double(number) => Value::Double(number),
        Value::Str(text) => Value::Str(owned(text)),
        Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
        Value::Array(elements) => Value::Array(elements.into_iter().map(into_owned).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, member)| (owned(name), into_owned(member))).collect())
        }
        Value::Json(text) => Value::Json(owned(text)),
    }
}

/// A message of the simplest shape.
pub(super) fn message<'a>(role: &'static str, content: Value<'a>) -> Value<'a> {
    Value::Object(vec![(Cow::Borrowed("role"), string(role)), (Cow::Borrowed("content"), content)])
}

pub(super) fn string(text: &'static str) -> Value<'static> {
    Value::Str(Cow::Borrowed(text))
}

pub(super) fn as_text<'v, 'a>(value: &'v Value<'a>) -> Option<&'v Cow<'a, str>> {
    match value {
        Value::Str(text) => Some(text),
        _ => None,
    }
}

pub(super) fn non_empty_text<'v, 'a>(value: &'v Value<'a>) -> Option<&'v Cow<'a, str>> {
    as_text(value).filter(|text| !text.is_empty())
}

/// A member of an object in tree form.
pub(super) fn member<'v, 'a>(value: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
    match value {
        Value::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, member)| member),
        _ => None,
    }
}

pub(super) fn member_text<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v str> {
    member(value, name).and_then(as_text).map(AsRef::as_ref)
}

pub(super) fn is_truthy(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Int(number) => *number != 0,
        Value::Double(number) => *number != 0.0,
        Value::Str(text) => !text.is_empty(),
        Value::Bytes(_) | Value::Array(_) | Value::Object(_) | Value::Json(_) => true,
    }
}

/// The reason why a model stopped, where it is a text of reasonable length.
pub(super) fn usable_reason<'v, 'a>(value: &'v Value<'a>) -> Option<&'v Cow<'a, str>> {
    non_empty_text(value).filter(|text| !longer_than(text, 128))
}

/// Whether JavaScript would count more than so many units (of UTF-16).
pub(super) fn longer_than(text: &str, units: usize) -> bool {
    text.len() > units && text.encode_utf16().nth(units).is_some()
}

/// An array with one more element in front, in whichever form the array has; `None` if it is no array.
pub(super) fn prepend<'a>(element: Value<'a>, array: Value<'a>) -> Option<Value<'a>> {
    match array {
        Value::Array(mut elements) => {
            elements.insert(0, element);
            Some(Value::Array(elements))
        }
        Value::Json(text) => {
            let rest = text.trim_ascii_start().strip_prefix('[')?;
            let is_empty = rest.trim_ascii_start().starts_with(']');
            let mut spliced = vec![b'['];
            json::to_text(&element, &mut spliced);
            spliced.extend_from_slice(if is_empty { b"" } else { b"," });
            spliced.extend_from_slice(rest.as_bytes());
            String::from_utf8(spliced).ok().map(|text| Value::Json(Cow::Owned(text)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_put_in_front_of_either_form_of_array() {
        let json = |text| Value::Json(Cow::Borrowed(text));
        assert_eq!(prepend(Value::Int(1), json(" [ ]")), Some(json("[1 ]")));
        assert_eq!(prepend(Value::Int(1), json("[2]")), Some(json("[1,2]")));
        assert_eq!(prepend(Value::Int(1), Value::Array(vec![])), Some(Value::Array(vec![Value::Int(1)])));
        assert_eq!(prepend(Value::Int(1), json("{}")), None);
    }
}
