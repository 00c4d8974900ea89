//! The canonical protobuf form of a log record, whichever encoding it came in: what its run id is made from.
//!
//! Fields in the order of their numbers, defaults left out, as prost writes the record that it has read
//! (<https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto>). Elements
//! and attributes that hold no value are written without one: JSON has no way to send an empty one.

use crate::wire::Value;
use crate::wire::logs::LogRecord;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

pub(super) fn encode(record: &LogRecord<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    fixed64_field(1, record.time_unix_nano, &mut out);
    // An int32 is sign-extended to 64 bits.
    varint_field(2, i64::from(record.severity_number) as u64, &mut out);
    bytes_field(3, record.severity_text.as_bytes(), &mut out);
    if record.body != Value::Null {
        message(5, &mut out, |out| any_value(&record.body, out));
    }
    for attribute in &record.attributes {
        message(6, &mut out, |out| key_value(&attribute.key, &attribute.value, out));
    }
    varint_field(7, u64::from(record.dropped_attributes_count), &mut out);
    if record.flags != 0 {
        key(8, FIXED32, &mut out);
        out.extend_from_slice(&record.flags.to_le_bytes());
    }
    bytes_field(9, &record.trace_id, &mut out);
    bytes_field(10, &record.span_id, &mut out);
    fixed64_field(11, record.observed_time_unix_nano, &mut out);
    bytes_field(12, record.event_name.as_bytes(), &mut out);
    out
}

fn key_value(name: &str, value: &Value<'_>, out: &mut Vec<u8>) {
    bytes_field(1, name.as_bytes(), out);
    if *value != Value::Null {
        message(2, out, |out| any_value(value, out));
    }
}

/// A value is one of several, so that also its default is written.
fn any_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Str(text) | Value::Json(text) => message(1, out, |out| out.extend_from_slice(text.as_bytes())),
        Value::Bool(truth) => {
            key(2, VARINT, out);
            varint(u64::from(*truth), out);
        }
        Value::Int(number) => {
            key(3, VARINT, out);
            varint(*number as u64, out);
        }
        Value::Double(number) => {
            key(4, FIXED64, out);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Array(elements) => message(5, out, |out| {
            for element in elements {
                message(1, out, |out| any_value(element, out));
            }
        }),
        Value::Object(members) => message(6, out, |out| {
            for (name, member) in members {
                message(1, out, |out| key_value(name, member, out));
            }
        }),
        Value::Bytes(bytes) => message(7, out, |out| out.extend_from_slice(bytes)),
    }
}

/// A length-delimited field, whatever is in it.
fn message(number: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    write(&mut content);
    key(number, LENGTH, out);
    varint(content.len() as u64, out);
    out.append(&mut content);
}

fn bytes_field(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        message(number, out, |out| out.extend_from_slice(bytes));
    }
}

fn varint_field(number: u64, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        key(number, VARINT, out);
        varint(value, out);
    }
}

fn fixed64_field(number: u64, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        key(number, FIXED64, out);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

fn key(number: u64, wire_type: u64, out: &mut Vec<u8>) {
    varint(number << 3 | wire_type, out);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use opentelemetry_proto::tonic::logs::v1::LogRecord as Theirs;
    use prost::Message;

    use super::*;
    use crate::wire::logs::decode;
    use crate::wire::{Encoding, OnError};

    /// A record with every field and every kind of value, as JSON and in prost's own bytes.
    #[test]
    fn a_record_is_encoded_as_prost_encodes_it() {
        let record = r#"{
            "timeUnixNano": "1704067200000000000", "observedTimeUnixNano": "1704067200000000001",
            "severityNumber": -1, "severityText": "INFO", "body": {"stringValue": ""},
            "attributes": [
                {"key": "", "value": {"boolValue": false}}, {"key": "i", "value": {"intValue": "-5"}},
                {"key": "d", "value": {"doubleValue": -0.0}}, {"key": "b", "value": {"bytesValue": "/+8="}},
                {"key": "a", "value": {"arrayValue": {"values": [{"intValue": "0"}, {"arrayValue": {"values": []}}]}}},
                {"key": "o", "value": {"kvlistValue": {"values": [{"key": "x", "value": {"stringValue": "é"}}, {"key": "x"}]}}},
                {"key": "none"}
            ],
            "droppedAttributesCount": 300, "flags": 257, "traceId": "01020304", "spanId": "05",
            "eventName": "gen_ai.evaluation.result"
        }"#;
        let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#);
        let limits = crate::limits::Limits::default();
        let logs = decode(body.as_bytes(), Encoding::Json, &limits, OnError::Raise).unwrap();
        let ours = encode(&logs[0].records[0]);
        let theirs = Theirs::decode(ours.as_slice()).unwrap();
        assert_eq!(theirs.encode_to_vec(), ours);
        assert_eq!(theirs.attributes.len(), 7);
        assert_eq!((theirs.severity_number, theirs.dropped_attributes_count, theirs.flags), (-1, 300, 257));

        let request = Value::Str(Cow::Borrowed("unread"));
        assert_eq!(encode(&LogRecord { body: request, ..LogRecord::default() }).len(), 10);
        assert!(encode(&LogRecord::default()).is_empty());
    }
}
