//! The shapes that attribute values take: each function reads one, or says nothing.
//!
//! Comes in: a value off the wire, made plain by [`make_plain`]. Goes out: text, numbers, or the JSON that a text holds,
//! borrowed where the text is. Refuses nothing: what has not the shape asked for is `None`.

use std::borrow::Cow;

use crate::json::{self, Kind, outline};
use crate::wire::{Attribute, Value};

pub mod literal;

/// Containers inside one another in JSON text, and in a Python literal, inside an attribute; deeper text stays text.
pub const MAX_NESTING: usize = 128;

/// Brings attributes to what JSON can say, before any rule reads them: bytes become hexadecimal text, and a number that
/// is none counts as no value. Containers lose their missing values and the earlier ones of equal keys.
pub fn make_plain(attributes: &mut [Attribute<'_>]) {
    for attribute in attributes {
        match &mut attribute.value {
            Value::Double(number) if !number.is_finite() => attribute.value = Value::Null,
            value => make_value_plain(value),
        }
    }
}

fn make_value_plain(value: &mut Value<'_>) {
    match value {
        Value::Bytes(bytes) => {
            let mut text = Vec::new();
            json::hex_to_text(bytes, &mut text);
            *value = Value::Str(Cow::Owned(String::from_utf8(text).unwrap_or_default()));
        }
        Value::Array(elements) => {
            elements.retain(|element| *element != Value::Null);
            elements.iter_mut().for_each(make_value_plain);
        }
        Value::Object(members) => {
            members.retain(|(_, member)| *member != Value::Null);
            json::keep_last(members, |(name, _)| name, |earlier, later| earlier.1 = later.1);
            members.iter_mut().for_each(|(_, member)| make_value_plain(member));
        }
        _ => {}
    }
}

/// No content at all: null, an empty text, list or object. False and 0 are content.
pub fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Json(text) => {
            let mut solid = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
            match (solid.next(), solid.next(), solid.next()) {
                (Some(b'['), Some(b']'), None) | (Some(b'{'), Some(b'}'), None) | (Some(b'"'), Some(b'"'), None) => {
                    true
                }
                _ => text.trim_ascii() == "null",
            }
        }
        Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => false,
    }
}

/// The value of JSON text, of any type. Borrows where the text does.
pub fn parse_json<'a>(text: &Cow<'a, str>) -> Option<Value<'a>> {
    match text {
        Cow::Borrowed(text) => json::parse(text, MAX_NESTING),
        Cow::Owned(text) => json::parse(text, MAX_NESTING).map(Value::into_owned),
    }
}

/// The first byte behind white space, which tells JSON containers and strings from prose without a parser.
fn first_byte(text: &str) -> Option<u8> {
    text.bytes().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

fn container_in<'a>(text: &Cow<'a, str>) -> Option<Value<'a>> {
    match first_byte(text)? {
        b'{' | b'[' => parse_json(text),
        b'"' => match parse_json(text)? {
            Value::Str(inner) if matches!(first_byte(&inner), Some(b'{' | b'[')) => parse_json(&inner),
            _ => None,
        },
        _ => None,
    }
}

/// The container that a value is, or that its text holds, possibly twice encoded.
pub fn container<'v, 'a>(value: &'v Value<'a>) -> Option<Cow<'v, Value<'a>>> {
    match value {
        Value::Array(_) | Value::Object(_) => Some(Cow::Borrowed(value)),
        Value::Str(text) | Value::Json(text) => container_in(text).map(Cow::Owned),
        _ => None,
    }
}

/// A container as it is, or written as JSON text, possibly twice encoded. In tree form.
pub fn parse_container<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    container(value).map(Cow::into_owned)
}

/// Like [`parse_container`], but leaves sound JSON text unread: [`Value::Json`].
pub fn container_text<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    let text = match value {
        Value::Array(_) | Value::Object(_) => return Some(value.clone()),
        Value::Str(text) | Value::Json(text) => text,
        _ => return None,
    };
    if first_byte(text) == Some(b'"') {
        return container_in(text);
    }
    let shape = json::validate(text, MAX_NESTING)?;
    matches!(shape.kind, Kind::Array | Kind::Object).then(|| sound_text(text, shape))
}

/// Validated JSON text as a value.
pub(crate) fn sound_text<'a>(text: &Cow<'a, str>, shape: json::Shape) -> Value<'a> {
    match json::mend(text, shape) {
        Cow::Borrowed(_) => Value::Json(text.clone()),
        Cow::Owned(mended) => Value::Json(Cow::Owned(mended)),
    }
}

/// Like [`parse_container`], and reads Python literals too: what `str()` of a dict or list gives. In tree form.
pub fn parse_literal<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    parse_container(value).or_else(|| literal_in(value))
}

fn literal_in<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value {
        Value::Str(text) if text.starts_with(['{', '[']) => literal::parse(text, MAX_NESTING),
        _ => None,
    }
}

/// JSON or a Python literal where the text is one, in tree form; else the value as it is.
pub fn loose<'a>(value: &Value<'a>) -> Value<'a> {
    parse_literal(value).unwrap_or_else(|| value.clone())
}

/// Like [`loose`], but leaves sound JSON text unread.
pub fn loose_text<'a>(value: &Value<'a>) -> Value<'a> {
    container_text(value).or_else(|| literal_in(value)).unwrap_or_else(|| value.clone())
}

/// Text that is not empty.
pub fn text<'v, 'a>(value: &'v Value<'a>) -> Option<&'v Cow<'a, str>> {
    match value {
        Value::Str(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Text that may wear JSON quotes: `"gpt-4o"` or `gpt-4o`.
pub fn quoted_text<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    let text = text(value)?;
    if text.len() < 2 || !text.starts_with('"') || !text.ends_with('"') {
        return Some(text.clone());
    }
    match parse_json(text)? {
        Value::Str(inner) if !inner.is_empty() => Some(inner),
        _ => None,
    }
}

/// A finite number at or above zero, written as a number or as text: Int, Double, or Json for integers beyond 64 bits.
pub fn number<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    let number = match value {
        Value::Int(_) | Value::Double(_) => value.clone(),
        Value::Str(text) => number_in(text)?,
        Value::Json(digits) => {
            let approximate: f64 = digits.parse().ok()?;
            return (approximate.is_finite() && approximate >= 0.0).then(|| value.clone());
        }
        _ => return None,
    };
    let sound = match number {
        Value::Int(number) => number >= 0,
        Value::Double(number) => number.is_finite() && number >= 0.0,
        _ => false,
    };
    sound.then_some(number)
}

/// A decimal number with digits on at least one side of its point: the standard library's grammar without `inf` and
/// `nan`. Up to 18 digits are an integer for certain; longer ones are a double.
fn number_in<'a>(text: &str) -> Option<Value<'a>> {
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Value::Int);
    }
    text.parse().ok().map(Value::Double)
}

/// A token count: a whole number at or above zero; 5.0 is 5.
pub fn count(value: &Value<'_>) -> Option<i64> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    match number(value)? {
        Value::Int(number) => Some(number),
        Value::Double(number) if number.fract() == 0.0 && number < TWO_TO_63 => Some(number as i64),
        _ => None,
    }
}

/// JSON if the text is a JSON container, else as it is; nothing when null or an empty text.
pub fn whatever<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value {
        Value::Null => None,
        Value::Str(text) if text.is_empty() => None,
        Value::Str(_) => Some(container_text(value).unwrap_or_else(|| value.clone())),
        _ => Some(value.clone()),
    }
}

/// A member of JSON text, of a Python literal or of a structured value: `choices.0.finish_reason`. Never null.
pub fn member<'a>(value: &Value<'a>, path: &str) -> Option<Value<'a>> {
    match json_member(value, path) {
        Some(found) => found,
        None => at(&literal_in(value)?, path).cloned(),
    }
}

/// What JSON text or a structured value holds at a path; `None` where the value is neither.
pub fn json_member<'a>(value: &Value<'a>, path: &str) -> Option<Option<Value<'a>>> {
    let text = match value {
        Value::Array(_) | Value::Object(_) => return Some(at(value, path).cloned()),
        Value::Str(text) | Value::Json(text) => text,
        _ => return None,
    };
    match first_byte(text)? {
        b'{' | b'[' => located(text, path).map(|found| found.filter(|value| *value != Value::Null)),
        b'"' => container_in(text).map(|found| at(&found, path).cloned()),
        _ => None,
    }
}

/// Reads one value out of JSON text without building the rest of it. `None` where the text is not JSON.
fn located<'a>(text: &Cow<'a, str>, path: &str) -> Option<Option<Value<'a>>> {
    Some(match text {
        Cow::Borrowed(text) => {
            outline::locate(text, path, MAX_NESTING)?.and_then(|found| json::parse(found, MAX_NESTING))
        }
        Cow::Owned(text) => {
            let found = outline::locate(text, path, MAX_NESTING)?;
            found.and_then(|found| json::parse(found, MAX_NESTING)).map(Value::into_owned)
        }
    })
}

/// What a tree holds at a path of names and indexes; never null.
pub fn at<'v, 'a>(value: &'v Value<'a>, path: &str) -> Option<&'v Value<'a>> {
    let mut found = value;
    for name in path.split('.') {
        found = match found {
            Value::Object(members) => get(members, name)?,
            Value::Array(elements) => elements.get(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    (*found != Value::Null).then_some(found)
}

/// A member of an object, null if it is null.
pub fn get<'v, 'a>(members: &'v [(Cow<'a, str>, Value<'a>)], name: &str) -> Option<&'v Value<'a>> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, member)| member)
}

/// Tool definitions: a list, JSON of a list, or a list of JSON texts.
pub fn tools<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    if let Value::Str(text) | Value::Json(text) = value
        && let Some(objects) = outline::each_member(text, MAX_NESTING, &[], |_, _, _| {})
    {
        return (objects.count > 0).then(|| sound_text(text, objects.shape));
    }
    let mut found = parse_container(value)?;
    if let Value::Array(items) = &mut found {
        for item in items {
            if let Value::Str(text) = item
                && let Some(inner) = container_in(text)
            {
                *item = inner;
            }
        }
    }
    (!is_empty(&found)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_value(text: &str) -> Value<'_> {
        Value::Str(Cow::Borrowed(text))
    }

    #[test]
    fn containers_are_found_in_text_and_in_text_of_text() {
        let expected = Some(Value::Array(vec![Value::Int(1)]));
        for text in ["[1]", " [1]\n", "\"[1]\"", "\" [ 1 ]\""] {
            assert_eq!(parse_container(&text_value(text)), expected, "{text}");
        }
        for text in ["1", "\"x\"", "[1", "[1]x", "null", "", "\"\\\"[1]\\\"\"", "['a']"] {
            assert_eq!(parse_container(&text_value(text)), None, "{text}");
        }
        assert_eq!(parse_literal(&text_value("['a']")), Some(Value::Array(vec![text_value("a")])));
    }

    #[test]
    fn sound_json_text_stays_text_and_lone_surrogates_do_not() {
        assert_eq!(container_text(&text_value("{\"a\": 1}")), Some(Value::Json(Cow::Borrowed("{\"a\": 1}"))));
        assert_eq!(container_text(&text_value("[\"\\ud800\"]")), Some(Value::Json(Cow::Borrowed("[\"\\ufffd\"]"))));
        assert_eq!(container_text(&text_value("\"[]\"")), Some(Value::Array(vec![])));
    }

    #[test]
    fn numbers_are_read_from_text_and_are_finite_and_not_negative() {
        let cases =
            [("5", Value::Int(5)), ("+5", Value::Int(5)), ("5.", Value::Double(5.0)), (".5e1", Value::Double(5.0))];
        for (text, expected) in cases {
            assert_eq!(number(&text_value(text)), Some(expected), "{text}");
        }
        for text in ["", "-1", "inf", "nan", "1e999", "0x1", "1_0", " 1", "e5", ".", "--1", "1,5"] {
            assert_eq!(number(&text_value(text)), None, "{text}");
        }
        assert_eq!(number(&Value::Bool(true)), None);
    }

    #[test]
    fn counts_are_whole() {
        assert_eq!(count(&Value::Double(5.0)), Some(5));
        assert_eq!(count(&text_value("12")), Some(12));
        for value in [Value::Double(5.5), Value::Double(1e19), Value::Int(-1), text_value("9.5")] {
            assert_eq!(count(&value), None, "{value:?}");
        }
    }

    #[test]
    fn members_are_read_from_every_writing_of_an_object() {
        for text in ["{\"a\":[{\"b\":\"c\"}]}", "{'a': [{'b': 'c'}]}", "\"{\\\"a\\\":[{\\\"b\\\":\\\"c\\\"}]}\""] {
            assert_eq!(member(&text_value(text), "a.0.b"), Some(text_value("c")), "{text}");
            assert_eq!(member(&text_value(text), "a.1.b"), None, "{text}");
        }
        assert_eq!(member(&text_value("{\"a\":null}"), "a"), None);
        assert_eq!(member(&Value::Object(vec![(Cow::Borrowed("a"), Value::Int(1))]), "a"), Some(Value::Int(1)));
    }

    #[test]
    fn tools_may_be_json_texts_in_a_list() {
        let tool = Value::Object(vec![(Cow::Borrowed("name"), text_value("f"))]);
        assert_eq!(tools(&Value::Array(vec![text_value("{\"name\":\"f\"}")])), Some(Value::Array(vec![tool])));
        assert_eq!(tools(&text_value("[{\"name\":\"f\"}]")), Some(Value::Json(Cow::Borrowed("[{\"name\":\"f\"}]"))));
        assert_eq!(tools(&text_value("[]")), None);
        assert_eq!(tools(&text_value("plain")), None);
    }

    #[test]
    fn quotes_around_text_are_taken_off() {
        assert_eq!(quoted_text(&text_value("\"gpt-4o\"")).as_deref(), Some("gpt-4o"));
        assert_eq!(quoted_text(&text_value("gpt-4o")).as_deref(), Some("gpt-4o"));
        assert_eq!(quoted_text(&text_value("\"\"")), None);
        assert_eq!(quoted_text(&text_value("\"a\"b\"")), None);
    }

    #[test]
    fn bytes_become_hexadecimal_text_and_what_is_missing_goes() {
        let attribute = |value| Attribute { key: Cow::Borrowed("k"), value };
        let member = |name, value| (Cow::Borrowed(name), value);
        let mut attributes = [
            attribute(Value::Array(vec![Value::Null, Value::Bytes(Cow::Borrowed(b"\x01\xff"))])),
            attribute(Value::Object(vec![
                member("a", Value::Int(1)),
                member("a", Value::Int(2)),
                member("a", Value::Null),
            ])),
            attribute(Value::Double(f64::NAN)),
        ];
        make_plain(&mut attributes);
        let expected =
            [Value::Array(vec![text_value("01ff")]), Value::Object(vec![member("a", Value::Int(2))]), Value::Null];
        assert_eq!(attributes, expected.map(attribute));
    }
}
