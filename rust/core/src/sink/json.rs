//! Events as JSON text, in the shape that PostHog's capture API takes:
//! `{"event","distinct_id","timestamp","uuid","properties"}` (<https://posthog.com/docs/api/capture>).

use std::borrow::Cow;

use crate::event::Event;
use crate::json;
use crate::time;
use crate::wire::Value;

/// Appends a JSON array of events.
pub fn write_events(events: &[Event], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_event(event, out);
    }
    out.push(b']');
}

/// Appends one event as a JSON object.
pub fn write_event(event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event\":\"");
    out.extend_from_slice(event.name.as_str().as_bytes());
    out.extend_from_slice(b"\",\"distinct_id\":");
    write_text(&event.distinct_id, out);
    out.extend_from_slice(b",\"timestamp\":");
    match event.timestamp_unix_nano {
        Some(unix_nano) => {
            out.push(b'"');
            out.extend_from_slice(time::rfc3339(unix_nano).as_bytes());
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
        write_text(name.as_str(), out);
        out.push(b':');
        json::to_text(value, out);
    }
    out.extend_from_slice(b"}}");
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    json::to_text(&Value::Str(Cow::Borrowed(text)), out);
}
