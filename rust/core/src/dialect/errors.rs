//! What failed, with which status: `$ai_is_error`, `$ai_error`, `$ai_error_type`, `$ai_http_status`.

use std::borrow::Cow;

use super::facts::Facts;
use crate::keys::Key;
use crate::shape;
use crate::span::View;
use crate::wire::{Attribute, SpanEvent, Value};

/// Where an HTTP status may stand, on the span or on its exception event, in order.
const STATUS_KEYS: [Key; 8] = [
    Key::P_AI_HTTP_STATUS,
    Key::HTTP_RESPONSE_STATUS_CODE,
    Key::HTTP_STATUS_CODE,
    Key::ERROR_CODE,
    Key::ERROR_STATUS_CODE,
    Key::EXCEPTION_STATUS_CODE,
    Key::PLAIN_STATUS_CODE,
    Key::LITELLM_PROVIDER_ERROR_CODE,
];

/// The status code of a span that failed (<https://opentelemetry.io/docs/specs/otel/trace/api/#set-status>).
pub(super) const STATUS_ERROR: i32 = 2;

/// So many letters of a message are searched for a status.
const SEARCHED_LETTERS: usize = 2_000;

pub(super) fn set<'a>(view: &View<'_, 'a>, facts: &mut Facts<'a>) {
    if !is_error(view) {
        if let Some(status) = view.get(Key::HTTP_RESPONSE_STATUS_CODE).and_then(http_status) {
            facts.set(Key::P_AI_HTTP_STATUS, Value::Int(status));
        }
        return;
    }
    let exception = Exception::of(&view.span.events);
    let kind = exception.kind.or_else(|| view.text(Key::ERROR_TYPE));
    let status_message = Some(&view.span.status_message).filter(|message| !message.is_empty());
    let own = (exception.message.cloned())
        .or_else(|| status_message.cloned())
        .or_else(|| view.text(Key::ERROR_MESSAGE).cloned())
        .or_else(|| view.get(Key::LANGFUSE_OBSERVATION_STATUS_MESSAGE).and_then(shape::quoted_text))
        .or_else(|| view.text(Key::SPAN_STATUS_MESSAGE).cloned());

    facts.set(Key::P_AI_IS_ERROR, Value::Bool(true));
    let status = STATUS_KEYS
        .iter()
        .find_map(|&key| view.get(key).and_then(http_status))
        .or_else(|| {
            STATUS_KEYS.iter().find_map(|key| value_of(exception.attributes, key.as_str()).and_then(http_status))
        })
        .or_else(|| view.get(Key::ERROR_TYPE).and_then(http_status))
        .or_else(|| exception.message.and_then(|message| status_in(message)))
        .or_else(|| status_message.and_then(|message| status_in(message)))
        .or_else(|| own.as_ref().and_then(|message| status_in(message)));
    let error = match (kind, own) {
        (Some(kind), Some(own)) if !own.starts_with(kind.as_ref()) => Cow::Owned(format!("{kind}: {own}")),
        (_, Some(own)) => own,
        (Some(kind), None) => kind.clone(),
        (None, None) => Cow::Borrowed("unknown error"),
    };
    facts.set(Key::P_AI_ERROR, Value::Str(error));
    if let Some(status) = status {
        facts.set(Key::P_AI_HTTP_STATUS, Value::Int(status));
    }
    if let Some(kind) = kind {
        facts.set(Key::P_AI_ERROR_TYPE, Value::Str(kind.clone()));
    }
}

fn is_error(view: &View<'_, '_>) -> bool {
    view.span.status_code == STATUS_ERROR
        || view.get(Key::LANGFUSE_OBSERVATION_LEVEL).and_then(shape::quoted_text).is_some_and(|level| level == "ERROR")
        || view.text(Key::SPAN_LEVEL).is_some_and(|level| level == "ERROR")
}

/// The last exception event that has a message; else the last one.
#[derive(Default)]
struct Exception<'s, 'a> {
    kind: Option<&'s Cow<'a, str>>,
    message: Option<&'s Cow<'a, str>>,
    attributes: &'s [Attribute<'a>],
}

impl<'s, 'a> Exception<'s, 'a> {
    fn of(events: &'s [SpanEvent<'a>]) -> Self {
        let mut best = Self::default();
        for event in events {
            let attributes = event.attributes.as_slice();
            let (kind, message) = (value_of(attributes, "exception.type"), value_of(attributes, "exception.message"));
            if event.name != "exception" && kind.is_none() && message.is_none() {
                continue;
            }
            let (kind, message) = (kind.and_then(shape::text), message.and_then(shape::text));
            if message.is_some() || best.message.is_none() {
                best = Self { kind, message, attributes };
            }
        }
        best
    }
}

/// The last value of a key among the few attributes of a span event.
fn value_of<'s, 'a>(attributes: &'s [Attribute<'a>], key: &str) -> Option<&'s Value<'a>> {
    let is_it = |attribute: &&Attribute<'a>| attribute.key == key && attribute.value != Value::Null;
    attributes.iter().rev().find(is_it).map(|attribute| &attribute.value)
}

fn http_status(value: &Value<'_>) -> Option<i64> {
    let status = match value {
        Value::Int(status) => *status,
        Value::Str(text) if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        _ => return None,
    };
    (100..=599).contains(&status).then_some(status)
}

/// A status that a message names: "Error code: 429", "status_code: 429", "status 401", "HTTP 503", "HTTP/1.1 429"
/// anywhere, "429 Too Many Requests" at the start.
fn status_in(message: &str) -> Option<i64> {
    let end = message.char_indices().nth(SEARCHED_LETTERS).map_or(message.len(), |(index, _)| index);
    let bytes = &message.as_bytes()[..end];
    // Nothing that stands at the start can be both, so their order does not matter.
    leading_status(bytes).or_else(|| named_status(bytes))
}

fn leading_status(bytes: &[u8]) -> Option<i64> {
    let (status, rest) = three_digits(bytes)?;
    let ends = !rest.first().is_some_and(|&byte| is_word(byte) || byte == b'.');
    (ends && status >= 400).then_some(status)
}

fn named_status(bytes: &[u8]) -> Option<i64> {
    let starts = |byte: u8| matches!(byte, b'e' | b'E' | b's' | b'S' | b'h' | b'H');
    (0..bytes.len()).filter(|&at| starts(bytes[at])).find_map(|at| named_status_at(&bytes[at..]))
}

/// A name of a status, then a status, quotes and a colon or equals sign between them at most.
fn named_status_at(bytes: &[u8]) -> Option<i64> {
    let names: [&[u8]; 5] = [b"error code", b"status code", b"status_code", b"statuscode", b"status"];
    let after = |name: &[u8]| {
        let (head, rest) = bytes.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name).then_some(rest)
    };
    let plain = names.iter().filter_map(|name| after(name)).find_map(status_behind_name);
    plain.or_else(|| {
        let rest = after(b"http")?;
        [behind_minor_version(rest), behind_major_version(rest), Some(rest)]
            .into_iter()
            .flatten()
            .find_map(status_behind_name)
    })
}

fn behind_major_version(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [b'/', major, rest @ ..] if major.is_ascii_digit() => Some(rest),
        _ => None,
    }
}

fn behind_minor_version(bytes: &[u8]) -> Option<&[u8]> {
    match behind_major_version(bytes)? {
        [b'.', minor, rest @ ..] if minor.is_ascii_digit() => Some(rest),
        _ => None,
    }
}

fn status_behind_name(bytes: &[u8]) -> Option<i64> {
    let bytes = skip_white_space(skip_one(bytes, b"'\""));
    let bytes = skip_white_space(skip_one(bytes, b":="));
    let (status, rest) = three_digits(skip_one(bytes, b"'\""))?;
    let ends = !rest.first().is_some_and(|&byte| is_word(byte));
    (ends && (100..=599).contains(&status)).then_some(status)
}

fn three_digits(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(3)?;
    let is_status = digits.iter().all(u8::is_ascii_digit) && (b'1'..=b'5').contains(&digits[0]);
    is_status.then(|| (digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')), rest))
}

fn skip_one<'b>(bytes: &'b [u8], set: &[u8]) -> &'b [u8] {
    match bytes {
        [first, rest @ ..] if set.contains(first) => rest,
        _ => bytes,
    }
}

fn skip_white_space(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let length = bytes.iter().take_while(|byte| is_space(byte)).count();
    &bytes[length..]
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::status_in;

    #[test]
    fn a_status_is_found_where_a_message_names_one() {
        for (message, status) in [
            ("Error code: 429 - {'error': 1}", Some(429)),
            ("failed with status_code='401'", Some(401)),
            ("{\"status\": \"503\"}", Some(503)),
            ("HTTP/1.1 429 Too Many Requests", Some(429)),
            ("http 502", Some(502)),
            ("429 Too Many Requests", Some(429)),
            ("404.5 ms", None),
            ("200 OK", None),
            ("status 4290", None),
            ("took 500 ms", None),
        ] {
            assert_eq!(status_in(message), status, "{message}");
        }
    }
}
