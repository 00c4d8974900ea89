//! What PostHog's capture service says about a span that failed: the error's text, and an HTTP status that it looks for
//! in many places and, failing all, makes up.

use std::borrow::Cow;

use crate::identity::hex;
use crate::keys::Key;
use crate::wire::{Attribute, Span, SpanEvent, Value};

use super::bag::Bag;

/// Where an HTTP status is looked for, in order.
const STATUS_KEYS: [Key; 7] = [
    Key::P_AI_HTTP_STATUS,
    Key::HTTP_RESPONSE_STATUS_CODE,
    Key::HTTP_STATUS_CODE,
    Key::HTTP_STATUS,
    Key::PLAIN_STATUS_CODE,
    Key::ERROR_STATUS_CODE,
    Key::EXCEPTION_STATUS_CODE,
];

/// The status of an error that names none.
const DEFAULT_STATUS: i64 = 500;

pub(super) fn set<'a>(bag: &mut Bag<'a>, span: &Span<'a>) {
    let exception = span.events.iter().rev().find(|event| is_exception(event));
    let exception = exception.map(|event| event.attributes.as_slice()).unwrap_or_default();
    bag.set(Key::P_AI_IS_ERROR, Value::Bool(true));
    if !bag.has(Key::P_AI_ERROR) {
        bag.set(Key::P_AI_ERROR, Value::Str(error_text(exception, &span.status_message)));
    }
    if !bag.has(Key::P_AI_HTTP_STATUS) {
        let status = http_status(bag, exception, &span.status_message).unwrap_or(DEFAULT_STATUS);
        bag.set(Key::P_AI_HTTP_STATUS, Value::Int(status));
    }
}

fn is_exception(event: &SpanEvent) -> bool {
    event.name == "exception"
        || event
            .attributes
            .iter()
            .any(|attribute| attribute.key == "exception.message" || attribute.key == "exception.type")
}

fn error_text<'a>(exception: &[Attribute<'a>], status_message: &Cow<'a, str>) -> Cow<'a, str> {
    let text = |key| text(exception, key).filter(|text| !text.is_empty());
    match (text("exception.type"), text("exception.message")) {
        (Some(kind), Some(message)) => Cow::Owned(format!("{kind}: {message}")),
        (None, Some(text)) | (Some(text), None) => text,
        (None, None) if !status_message.is_empty() => status_message.clone(),
        (None, None) => Cow::Borrowed("OpenTelemetry span status error"),
    }
}

fn http_status(bag: &Bag, exception: &[Attribute], status_message: &str) -> Option<i64> {
    let in_exception = || STATUS_KEYS.iter().find_map(|key| value(exception, key.as_str()).and_then(status_of_value));
    let in_exception_text = || {
        let texts = ["exception.message", "error.message"].into_iter().filter_map(|key| text(exception, key));
        texts.into_iter().find_map(|text| status_in_text(&text))
    };
    let in_properties = || STATUS_KEYS.iter().find_map(|&key| bag.get(key).and_then(status_of_value));
    in_exception().or_else(in_exception_text).or_else(in_properties).or_else(|| status_in_text(status_message))
}

/// The last attribute of a key that has a value.
fn value<'s, 'a>(attributes: &'s [Attribute<'a>], key: &str) -> Option<&'s Value<'a>> {
    let is_it = |attribute: &&Attribute| attribute.key == key && attribute.value != Value::Null;
    attributes.iter().rev().find(is_it).map(|attribute| &attribute.value)
}

/// The same as text; the text of bytes is their hexadecimal one.
fn text<'a>(attributes: &[Attribute<'a>], key: &str) -> Option<Cow<'a, str>> {
    match value(attributes, key)? {
        Value::Str(text) => Some(text.clone()),
        Value::Bytes(bytes) => Some(Cow::Owned(hex(bytes))),
        _ => None,
    }
}

fn status_of_value(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Str(text) => text.parse().ok(),
        Value::Bytes(bytes) => hex(bytes).parse().ok(),
        _ => None,
    }
    .filter(|status| (100..=599).contains(status))
}

/// A status that directly follows a word which announces one: "status_code=429", "Status Code 418", "status: 404",
/// "HTTP 503". Other numbers are not taken for a status.
fn status_in_text(text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    behind(&text, "status_code", after_code)
        .or_else(|| behind(&text, "status code", after_code))
        .or_else(|| behind(&text, "status", after_status))
        .or_else(|| behind(&text, "http", after_http))
}

/// The first status that `read` finds behind an occurrence of the marker as a word of its own.
fn behind(text: &str, marker: &str, read: impl Fn(&str) -> Option<i64>) -> Option<i64> {
    text.match_indices(marker).find_map(|(at, _)| {
        let (before, rest) = (&text[..at], &text[at + marker.len()..]);
        if before.ends_with(is_word) || rest.starts_with(is_word) { None } else { read(rest) }
    })
}

fn after_code(rest: &str) -> Option<i64> {
    let rest = rest.trim_start();
    three_digits(rest.strip_prefix([':', '=']).unwrap_or(rest).trim_start())
}

/// Behind "status" there must be a separator or the word "code", lest "status of 200 records" be one.
fn after_status(rest: &str) -> Option<i64> {
    let rest = rest.trim_start();
    match rest.strip_prefix("code") {
        Some(rest) if !rest.starts_with(is_word) => after_code(rest),
        _ => three_digits(rest.strip_prefix([':', '='])?.trim_start()),
    }
}

fn after_http(rest: &str) -> Option<i64> {
    let rest = rest.trim_start();
    if rest.starts_with("://") {
        return None;
    }
    match rest.strip_prefix("status") {
        Some(rest) if !rest.starts_with(is_word) => after_status(rest),
        _ => after_code(rest),
    }
}

fn three_digits(rest: &str) -> Option<i64> {
    let (digits, behind) = rest.split_at_checked(3)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || behind.starts_with(is_word) {
        return None;
    }
    digits.parse().ok().filter(|status| (100..=599).contains(status))
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::status_in_text;

    #[test]
    fn a_status_is_found_only_right_behind_a_word_that_announces_one() {
        let cases = [
            ("status_code=429", Some(429)),
            ("Status Code 418", Some(418)),
            ("status code:  502 bad", Some(502)),
            ("status=600 then status=404", Some(404)),
            ("STATUS:\t404", Some(404)),
            ("HTTP 429", Some(429)),
            ("http status: 404.", Some(404)),
            ("http status 404", None),
            ("http status code 404", Some(404)),
            ("http code 404", None),
            ("http: 404", Some(404)),
            ("http://x/404", None),
            ("HTTP/1.1 429", None),
            ("http 5000", None),
            ("httpstatus 429", None),
            ("statuscode 429", None),
            ("status of 200 records", None),
            ("status=099", None),
            ("status:404x", None),
            ("Error code: 429", None),
            ("status: 40\u{e9}", None),
        ];
        for (text, expected) in cases {
            assert_eq!(status_in_text(text), expected, "{text}");
        }
    }
}
