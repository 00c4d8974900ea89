//! The shapes that attribute values take: each function reads one, or says nothing.

use std::borrow::Cow;

use crate::wire::Value;

/// Containers inside one another in JSON text, and in a Python literal, inside an attribute; deeper text stays text.
pub const MAX_NESTING: usize = 128;

/// No content at all: null, an empty text, list or object. False and 0 are content.
pub fn is_empty(_value: &Value<'_>) -> bool {
    false
}

/// The value of JSON text, of any type. Borrows where the text does.
pub fn parse_json<'a>(_text: &Cow<'a, str>) -> Option<Value<'a>> {
    None
}

/// A container as it is, or written as JSON text, possibly twice encoded. In tree form.
pub fn parse_container<'a>(_value: &Value<'a>) -> Option<Value<'a>> {
    None
}

/// Like [`parse_container`], but leaves sound JSON text unread: [`Value::Json`].
pub fn container_text<'a>(_value: &Value<'a>) -> Option<Value<'a>> {
    None
}

/// Like [`parse_container`], and reads Python literals too: what `str()` of a dict or list gives. In tree form.
pub fn parse_literal<'a>(_value: &Value<'a>) -> Option<Value<'a>> {
    None
}

/// Text that is not empty.
pub fn text<'v, 'a>(_value: &'v Value<'a>) -> Option<&'v Cow<'a, str>> {
    None
}

/// Text that may wear JSON quotes: `"gpt-4o"` or `gpt-4o`.
pub fn quoted_text<'a>(_value: &Value<'a>) -> Option<Cow<'a, str>> {
    None
}

/// A finite number at or above zero, written as a number or as text: Int, Double, or Json for integers beyond 64 bits.
pub fn number<'a>(_value: &Value<'a>) -> Option<Value<'a>> {
    None
}

/// A token count: a whole number at or above zero; 5.0 is 5.
pub fn count(_value: &Value<'_>) -> Option<i64> {
    None
}

/// JSON if the text is a JSON container, else as it is; nothing when null or an empty text.
pub fn whatever<'a>(_value: &Value<'a>) -> Option<Value<'a>> {
    None
}

/// A member of JSON text or of a structured value: `choices.0.finish_reason`. Never null.
pub fn member<'a>(_value: &Value<'a>, _path: &str) -> Option<Value<'a>> {
    None
}

/// Tool definitions: a list, JSON of a list, or a list of JSON texts.
pub fn tools<'a>(_value: &Value<'a>) -> Option<Value<'a>> {
    None
}
