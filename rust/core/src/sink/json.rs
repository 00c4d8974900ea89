//! Events as JSON text, in the shape that PostHog's capture API takes:
//! `{"event","distinct_id","timestamp","uuid","properties"}` (<https://posthog.com/docs/api/capture>).

use std::borrow::Borrow;

use crate::event::{Event, Name};
use crate::json;
use crate::output::Output;
use crate::time;
use crate::wire::Value;

/// Appends a JSON array of events.
pub fn write_events(events: &[Event], out: &mut impl Output) {
    out.reserve(likely_length(events));
    write_each(events, out);
}

/// Appends a JSON array of events that come one by one; those that are given away are freed once they are written.
pub fn write_each<'a>(events: impl IntoIterator<Item = impl Borrow<Event<'a>>>, out: &mut impl Output) {
    out.push(b'[');
    for (index, event) in events.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_event(event.borrow(), out);
    }
    out.push(b']');
}

/// Appends one event as a JSON object.
pub fn write_event(event: &Event, out: &mut impl Output) {
    out.extend_from_slice(b"{\"event\":\"");
    out.extend_from_slice(event.name.as_str().as_bytes());
    out.extend_from_slice(b"\",\"distinct_id\":");
    json::string_to_text(&event.distinct_id, out);
    out.extend_from_slice(b",\"timestamp\":");
    match event.timestamp_unix_nano {
        Some(unix_nano) => {
            out.push(b'"');
            time::write_rfc3339(unix_nano, out);
            out.push(b'"');
        }
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"uuid\":\"");
    out.extend_from_slice(event.uuid.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
    out.extend_from_slice(b"\",\"properties\":{");
    for (index, (name, value)) in event.properties.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match name {
            Name::Known(key) => out.extend_from_slice(key.as_member_name().as_bytes()),
            Name::Other(text) => {
                json::string_to_text(text, out);
                out.push(b':');
            }
        }
        json::to_text(value, out);
    }
    out.extend_from_slice(b"}}");
}

/// The length of the events' JSON where nothing has to be escaped, or a little more: a buffer of this size is nearly
/// always filled, and nearly never outgrown.
pub fn likely_length(events: &[Event]) -> usize {
    2 + events.iter().map(likely_length_of_event).sum::<usize>()
}

fn likely_length_of_event(event: &Event) -> usize {
    /// Everything but the properties, and of each property what stands around its name and value.
    const FRAME: usize = 192;
    const AROUND: usize = 4;
    let length_of = |(name, value): &(Name<'_>, Value<'_>)| name.as_str().len() + likely_length_of(value) + AROUND;
    FRAME + event.properties.iter().map(length_of).sum::<usize>()
}

fn likely_length_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Int(_) => 8,
        Value::Double(_) => 20,
        Value::Str(text) | Value::Json(text) => text.len() + 2,
        Value::Bytes(bytes) => 2 * bytes.len() + 2,
        Value::Array(elements) => elements.iter().map(|element| likely_length_of(element) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members.iter().map(|(name, member)| name.len() + likely_length_of(member) + 4).sum::<usize>() + 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn names_of_keys_are_what_json_makes_of_them() {
        for key in keys::ALL {
            let mut name = Vec::new();
            json::string_to_text(key.as_str(), &mut name);
            name.push(b':');
            assert_eq!(key.as_member_name().as_bytes(), name);
        }
    }
}
