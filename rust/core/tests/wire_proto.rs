//! The protobuf decoder, field by field: for every message and every field that is read, damage of every kind is an
//! error with the field's path.

mod recorder;

use recorder::{Call, from_proto, rejected, spans};
use spanmap_core::error::{Error, Kind};
use spanmap_core::limits::Limits;
use spanmap_core::wire::{OnError, Value};

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Varint,
    Fixed32,
    Fixed64,
    Bytes,
    Text,
    Message(&'static str),
    Repeated(&'static str),
}
use Type::{Bytes, Fixed32, Fixed64, Message, Repeated, Text, Varint};

/// A field's number, name and type.
type FieldOf = (u64, &'static str, Type);

/// The schema as far as it is read.
const SCHEMA: &[(&str, &[FieldOf])] = &[
    ("Request", &[(1, "resource_spans", Repeated("ResourceSpans"))]),
    (
        "ResourceSpans",
        &[(1, "resource", Message("Resource")), (2, "scope_spans", Repeated("ScopeSpans")), (3, "schema_url", Text)],
    ),
    ("Resource", &[(1, "attributes", Repeated("KeyValue")), (2, "dropped_attributes_count", Varint)]),
    ("ScopeSpans", &[(1, "scope", Message("Scope")), (2, "spans", Repeated("Span")), (3, "schema_url", Text)]),
    (
        "Scope",
        &[
            (1, "name", Text),
            (2, "version", Text),
            (3, "attributes", Repeated("KeyValue")),
            (4, "dropped_attributes_count", Varint),
        ],
    ),
    (
        "Span",
        &[
            (1, "trace_id", Bytes),
            (2, "span_id", Bytes),
            (3, "trace_state", Text),
            (4, "parent_span_id", Bytes),
            (5, "name", Text),
            (6, "kind", Varint),
            (7, "start_time_unix_nano", Fixed64),
            (8, "end_time_unix_nano", Fixed64),
            (9, "attributes", Repeated("KeyValue")),
            (10, "dropped_attributes_count", Varint),
            (11, "events", Repeated("Event")),
            (12, "dropped_events_count", Varint),
            (13, "links", Repeated("Link")),
            (14, "dropped_links_count", Varint),
            (15, "status", Message("Status")),
            (16, "flags", Fixed32),
        ],
    ),
    (
        "Event",
        &[
            (1, "time_unix_nano", Fixed64),
            (2, "name", Text),
            (3, "attributes", Repeated("KeyValue")),
            (4, "dropped_attributes_count", Varint),
        ],
    ),
    (
        "Link",
        &[
            (1, "trace_id", Bytes),
            (2, "span_id", Bytes),
            (3, "trace_state", Text),
            (4, "attributes", Repeated("KeyValue")),
            (5, "dropped_attributes_count", Varint),
            (6, "flags", Fixed32),
        ],
    ),
    ("Status", &[(2, "message", Text), (3, "code", Varint)]),
    ("KeyValue", &[(1, "key", Text), (2, "value", Message("AnyValue"))]),
    (
        "AnyValue",
        &[
            (1, "string_value", Text),
            (2, "bool_value", Varint),
            (3, "int_value", Varint),
            (4, "double_value", Fixed64),
            (5, "array_value", Message("ArrayValue")),
            (6, "kvlist_value", Message("KeyValueList")),
            (7, "bytes_value", Bytes),
        ],
    ),
    ("ArrayValue", &[(1, "values", Repeated("AnyValue"))]),
    ("KeyValueList", &[(1, "values", Repeated("KeyValue"))]),
];

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn key(number: u64, wire_type: u64) -> Vec<u8> {
    varint(number << 3 | wire_type)
}

fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [key(number, 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number(field_number: u64, value: u64) -> Vec<u8> {
    [key(field_number, 0), varint(value)].concat()
}

fn spans_body(spans: &[Vec<u8>]) -> Vec<u8> {
    let spans: Vec<u8> = spans.iter().flat_map(|span| field(2, span)).collect();
    field(1, &field(2, &spans))
}

fn attribute(name: &str, value: &[u8]) -> Vec<u8> {
    [field(1, name.as_bytes()), field(2, value)].concat()
}

fn decode(body: &[u8]) -> Result<Vec<Call<'_>>, Error> {
    from_proto(body, &Limits::default(), OnError::Raise)
}

/// A place for one message: the fields to wrap it in, from the inside out, and its path.
type Place = (Vec<(u64, bool)>, String);

/// Every message that can be reached, one level of nested values included, behind a sibling wherever it is repeated.
fn places() -> Vec<(&'static str, Place)> {
    fn visit(message: &'static str, place: Place, nested: u32, found: &mut Vec<(&'static str, Place)>) {
        let fields = SCHEMA.iter().find(|(name, _)| *name == message).unwrap().1;
        for &(number, name, kind) in fields {
            let (child, repeated) = match kind {
                Message(child) => (child, false),
                Repeated(child) => (child, true),
                _ => continue,
            };
            let nested = nested + u32::from(matches!(child, "ArrayValue" | "KeyValueList"));
            if nested > 2 {
                continue;
            }
            let mut wraps = place.0.clone();
            wraps.insert(0, (number, repeated));
            let dot = if place.1.is_empty() { "" } else { "." };
            let index = if repeated { "[1]" } else { "" };
            visit(child, (wraps, format!("{}{dot}{name}{index}", place.1)), nested, found);
        }
        found.push((message, place));
    }
    let mut found = Vec::new();
    visit("Request", (Vec::new(), String::new()), 0, &mut found);
    found
}

fn wrap(message: &[u8], wraps: &[(u64, bool)]) -> Vec<u8> {
    wraps.iter().fold(message.to_vec(), |inner, &(number, repeated)| {
        let sibling = if repeated { field(number, b"") } else { Vec::new() };
        [sibling, field(number, &inner)].concat()
    })
}

fn refused(body: &[u8], path: &str, what: &str) {
    match decode(body) {
        Ok(_) => panic!("{path}: {what} is accepted"),
        Err(error) => {
            assert_eq!(error.path(), path, "{what}: {error}");
            assert_eq!(error.kind, Kind::Decode, "{what}: {error}");
            assert!(error.offset <= body.len(), "{what}: {error}");
            assert!(!error.what.is_empty() && error.advice.ends_with('.'), "{what}: {error}");
        }
    }
}

fn each_field(mut check: impl FnMut(&dyn Fn(&[u8]) -> Vec<u8>, &str, u64, Type, &str)) {
    let places = places();
    assert!(places.len() > 60, "the schema is walked: {}", places.len());
    for (message, (wraps, path)) in &places {
        let fields = SCHEMA.iter().find(|(name, _)| name == message).unwrap().1;
        for &(number, name, kind) in fields {
            let dot = if path.is_empty() { "" } else { "." };
            let index = if matches!(kind, Repeated(_)) { "[0]" } else { "" };
            check(&|message| wrap(message, wraps), path, number, kind, &format!("{path}{dot}{name}{index}"));
        }
    }
}

fn payload(kind: Type) -> Vec<u8> {
    match kind {
        Varint => vec![0x81, 0x01],
        Fixed32 => vec![0; 4],
        Fixed64 => vec![0; 8],
        Bytes | Text => vec![2, b'a', b'b'],
        // One unknown field, so that the sub-message is not empty.
        Message(_) | Repeated(_) => vec![3, 0xf8, 0x07, 0x01],
    }
}

fn wire_type(kind: Type) -> u64 {
    match kind {
        Varint => 0,
        Fixed64 => 1,
        Fixed32 => 5,
        _ => 2,
    }
}

#[test]
fn test_every_field_is_read_with_its_own_wire_type() {
    each_field(|wrap, _, number, kind, path| {
        let body = wrap(&[key(number, wire_type(kind)), payload(kind)].concat());
        assert!(decode(&body).is_ok(), "{path}: {:?}", decode(&body));
    });
}

#[test]
fn test_every_field_refuses_every_other_wire_type() {
    each_field(|wrap, _, number, kind, path| {
        let others: [(u64, &[u8]); 6] = [(0, &[1]), (1, &[0; 8]), (2, &[0]), (3, &[]), (4, &[]), (5, &[0; 4])];
        for (other, bytes) in others.iter().filter(|(other, _)| *other != wire_type(kind)) {
            refused(&wrap(&[key(number, *other), bytes.to_vec()].concat()), path, &format!("wire type {other}"));
        }
    });
}

#[test]
fn test_every_field_refuses_to_be_cut_off() {
    each_field(|wrap, message_path, number, kind, path| {
        let key = key(number, wire_type(kind));
        let whole = [key.clone(), payload(kind)].concat();
        for length in 1..whole.len() {
            // Before the key is complete nobody knows the field.
            let path = if length < key.len() { message_path } else { path };
            refused(&wrap(&whole[..length]), path, &format!("cut after {length} bytes"));
        }
    });
}

#[test]
fn test_every_field_refuses_lengths_and_varints_that_are_too_long() {
    each_field(|wrap, _, number, kind, path| {
        let key = key(number, wire_type(kind));
        if matches!(kind, Fixed32 | Fixed64) {
            return;
        }
        refused(&wrap(&[key.clone(), vec![0xff; 10], vec![1]].concat()), path, "a varint of 11 bytes");
        refused(&wrap(&[key.clone(), vec![0xff; 9], vec![2]].concat()), path, "a varint of 65 bits");
        if kind != Varint {
            refused(&wrap(&[key.clone(), vec![1]].concat()), path, "a length of 1 where 0 are left");
            refused(&wrap(&[key.clone(), vec![0xff; 9], vec![1]].concat()), path, "a length of 2^64-1");
        }
    });
}

#[test]
fn test_every_string_field_refuses_bytes_that_are_not_utf8() {
    each_field(|wrap, _, number, kind, path| {
        if kind == Text {
            refused(&wrap(&field(number, b"ab\x80")), path, "a continuation byte");
            refused(&wrap(&field(number, b"\xed\xa0\x80")), path, "a surrogate");
        }
    });
}

#[test]
fn test_every_message_skips_unknown_fields_and_refuses_damaged_ones() {
    for (_, (wraps, path)) in &places() {
        // Numbers that OTLP gave to other signals, and one that nobody has.
        let fine: &[&[u8]] = &[
            &[key(1000, 0), varint(u64::MAX)].concat(),
            &[key(1000, 1), vec![0xff; 8]].concat(),
            &field(1000, b"\xff\xff"),
            &[key(1000, 5), vec![0xff; 4]].concat(),
            &[key(1000, 3), number(7, 1), field(0x7f, b"x"), key(9, 3), key(9, 4), key(1000, 4)].concat(),
        ];
        for bytes in fine {
            assert!(decode(&wrap(bytes, wraps)).is_ok(), "{path} {bytes:?}");
        }
        let bad: &[(&[u8], &str)] = &[
            (&[key(1000, 0), vec![0x80]].concat(), "a varint cut off"),
            (&[key(1000, 1), vec![0; 7]].concat(), "fixed64 cut off"),
            (&[key(1000, 2), vec![1]].concat(), "a length past the end"),
            (&[key(1000, 5), vec![0; 3]].concat(), "fixed32 cut off"),
            (&key(1000, 3), "a group without an end"),
            (&[key(1000, 3), key(999, 4)].concat(), "a group with another's end"),
            (&key(1000, 4), "the end of no group"),
            (&key(1000, 6), "wire type 6"),
            (&key(1000, 7), "wire type 7"),
            (&[0, 0], "field number 0"),
            (&[key(1000, 3), vec![2, 0], key(1000, 4)].concat(), "field number 0 in a group"),
            (&[0x80, 0x80, 0x80, 0x80, 0x10, 0], "a key of 33 bits"),
        ];
        for (bytes, what) in bad {
            refused(&wrap(bytes, wraps), path, what);
        }
    }
}

#[test]
fn test_fields_of_other_signals_are_unknown() {
    // AnyValue.string_value_strindex, KeyValue.key_strindex and Resource.entity_refs, each with a wrong wire type.
    let value = [field(8, b"\xff"), field(1, b"v")].concat();
    let span = field(9, &[field(3, b"\xff"), attribute("k", &value)].concat());
    let body = field(1, &[field(1, &number(3, 1)), field(2, &field(2, &span))].concat());
    let calls = decode(&body).unwrap();
    assert_eq!(spans(&calls)[0].attributes[0].value, Value::Str("v".into()));
}

#[test]
fn test_error_path_counts_from_zero_and_names_the_innermost_field() {
    let bad = attribute("k", &field(1, b"\x80"));
    let good = field(9, &attribute("k", &field(1, b"v")));
    let span = [good.clone(), good, field(9, &bad)].concat();
    let body = spans_body(&[Vec::new(), span]);
    let error = decode(&body).unwrap_err();
    assert_eq!(error.path(), "resource_spans[0].scope_spans[0].spans[1].attributes[2].value.string_value");
    assert_eq!(body[error.offset], 0x80);
    let text = error.to_string();
    assert!(text.contains("is not UTF-8 (byte 0x80) (at byte ") && text.contains("on_error=\"skip\""), "{text}");
}

#[test]
fn test_body_cut_off_anywhere_is_refused() {
    let attributes = field(9, &attribute("key", &field(1, b"value")));
    let span = [field(1, &[1; 16]), field(5, b"name"), attributes, field(15, &number(3, 2))].concat();
    let body = spans_body(&[span.clone(), span]);
    assert!(decode(&body).is_ok());
    for length in 0..body.len() {
        assert!(decode(&body[..length]).is_err(), "{length} of {} bytes", body.len());
    }
    assert_eq!(decode(b"").unwrap_err().what, "is empty");
}

#[test]
fn test_last_scalar_wins() {
    let span = [field(5, b"first"), number(6, 1), field(5, b"last"), number(6, 3)].concat();
    let body = spans_body(&[span]);
    let calls = decode(&body).unwrap();
    assert_eq!((spans(&calls)[0].name.as_ref(), spans(&calls)[0].kind), ("last", 3));
}

#[test]
fn test_enums_take_the_low_32_bits_and_booleans_any_bit() {
    let flag = |value| field(9, &attribute("k", &number(2, value)));
    let span = [number(6, (7 << 32) | 3), field(15, &number(3, u64::MAX)), flag(1 << 40), flag(0)].concat();
    let body = spans_body(&[span]);
    let calls = decode(&body).unwrap();
    let span = spans(&calls)[0];
    assert_eq!((span.kind, span.status_code), (3, -1));
    assert_eq!((&span.attributes[0].value, &span.attributes[1].value), (&Value::Bool(true), &Value::Bool(false)));
}

#[test]
fn test_pieces_of_resource_scope_and_status_merge_and_reach_the_visitor_first() {
    let pair = |name: &str| attribute(name, &field(1, b"v"));
    let status = [field(15, &field(2, b"message")), field(15, &number(3, 2))].concat();
    let scope_spans =
        [field(2, &status), field(1, &field(1, b"name")), field(2, &field(5, b"second")), field(1, &field(2, b"1.0"))]
            .concat();
    let body =
        field(1, &[field(2, &scope_spans), field(1, &field(1, &pair("a"))), field(1, &field(1, &pair("b")))].concat());
    let calls = decode(&body).unwrap();
    let [Call::Resource(resource), Call::Scope(scope), Call::Span(first), Call::Span(second)] = &calls[..] else {
        panic!("{calls:?}");
    };
    let keys: Vec<_> = resource.attributes.iter().map(|attribute| attribute.key.as_ref()).collect();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!((scope.name.as_ref(), scope.version.as_ref()), ("name", "1.0"));
    assert_eq!((first.status_message.as_ref(), first.status_code), ("message", 2));
    assert_eq!((second.name.as_ref(), second.status_message.as_ref(), second.status_code), ("second", "", 0));
}

#[test]
fn test_any_value_takes_the_last_kind_and_merges_arrays_in_a_row() {
    let array = |number: u64| field(5, &field(1, &self::number(3, number)));
    let entry = |name: &str| field(6, &field(1, &field(1, name.as_bytes())));
    let values: &[(Vec<u8>, Value<'_>)] = &[
        ([field(1, b"text"), number(3, 5)].concat(), Value::Int(5)),
        ([array(1), array(2)].concat(), Value::Array(vec![Value::Int(1), Value::Int(2)])),
        ([array(1), number(2, 1), array(2)].concat(), Value::Array(vec![Value::Int(2)])),
        ([entry("a"), entry("b")].concat(), Value::Object(vec![("a".into(), Value::Null), ("b".into(), Value::Null)])),
        ([array(1), entry("a")].concat(), Value::Object(vec![("a".into(), Value::Null)])),
        (field(5, b""), Value::Array(vec![])),
        (field(5, &field(1, b"")), Value::Array(vec![])),
        (field(7, b""), Value::Bytes(b"".as_slice().into())),
        (Vec::new(), Value::Null),
    ];
    for (bytes, value) in values {
        let body = spans_body(&[field(9, &attribute("k", bytes))]);
        assert_eq!(spans(&decode(&body).unwrap())[0].attributes[0].value, *value);
        // Two values in one attribute merge just like the fields of one.
        let twice = [field(2, bytes), field(2, b"")].concat();
        let body = spans_body(&[field(9, &twice)]);
        assert_eq!(spans(&decode(&body).unwrap())[0].attributes[0].value, *value);
    }
}

#[test]
fn test_skip_rejects_bad_spans_and_keeps_the_others_apart() {
    let good = |name: &str| [field(5, name.as_bytes()), field(9, &attribute(name, &number(3, 1)))].concat();
    let bad = [good("bad"), field(11, b""), field(3, b"\x80")].concat();
    let body = spans_body(&[good("a"), bad, good("b")]);
    let calls = from_proto(&body, &Limits::default(), OnError::Skip).unwrap();
    assert_eq!(rejected(&calls), ["resource_spans[0].scope_spans[0].spans[1].trace_state"]);
    assert!(matches!(calls[3], Call::Rejected(_)), "in document order");
    let names: Vec<_> =
        spans(&calls).iter().map(|span| (span.name.as_ref(), span.attributes.len(), span.events.len())).collect();
    assert_eq!(names, [("a", 1, 0), ("b", 1, 0)]);
}

#[test]
fn test_skip_still_raises_for_damage_outside_a_span() {
    let bodies = [
        field(1, &field(1, &field(1, &attribute("\u{0}", &field(1, b"\x80"))))),
        field(1, &field(2, &field(1, &field(1, b"\x80")))),
        field(1, &field(2, &[key(2, 2), vec![9]].concat())),
        field(1, &field(2, &number(2, 0))),
    ];
    for body in bodies {
        assert!(from_proto(&body, &Limits::default(), OnError::Skip).is_err(), "{body:?}");
    }
}

fn limit_of(body: &[u8], limits: &Limits, on_error: OnError) -> Option<&'static str> {
    match from_proto(body, limits, on_error) {
        Err(error) => match error.kind {
            Kind::Limit(cap) => {
                assert!(error.advice.contains(&format!("limits.{cap}")), "{error}");
                Some(cap)
            }
            Kind::Decode => panic!("{error}"),
        },
        Ok(_) => None,
    }
}

#[test]
fn test_caps_hold_at_their_value_and_refuse_one_more() {
    let limits = Limits { max_spans: 2, max_attributes: 2, max_span_events: 2, max_nesting: 2, ..Limits::default() };
    let pair = attribute("k", &number(3, 1));
    let array = |depth: usize| (0..depth).fold(number(3, 1), |inner, _| field(5, &field(1, &inner)));
    let list = |depth: usize| (0..depth).fold(number(3, 1), |inner, _| field(6, &field(1, &attribute("k", &inner))));
    let group = |depth: usize| (0..depth).fold(Vec::new(), |inner, _| [key(99, 3), inner, key(99, 4)].concat());
    let one_span = |content: Vec<u8>| spans_body(&[content]);
    type Body<'b> = &'b dyn Fn(usize) -> Vec<u8>;
    let cases: &[(&str, Body<'_>)] = &[
        ("max_spans", &|count| spans_body(&vec![Vec::new(); count])),
        ("max_attributes", &|count| one_span(field(9, &pair).repeat(count))),
        ("max_attributes", &|count| one_span(field(11, &field(3, &pair).repeat(count)))),
        ("max_attributes", &|count| one_span(field(13, &field(4, &pair).repeat(count)))),
        ("max_attributes", &|count| field(1, &field(1, &field(1, &pair).repeat(count)))),
        ("max_attributes", &|count| field(1, &field(2, &field(1, &field(3, &pair).repeat(count))))),
        ("max_span_events", &|count| one_span(field(11, b"").repeat(count))),
        ("max_span_events", &|count| one_span(field(13, b"").repeat(count))),
        ("max_nesting", &|count| one_span(field(9, &attribute("k", &array(count))))),
        ("max_nesting", &|count| one_span(field(9, &attribute("k", &list(count))))),
        ("max_nesting", &|count| one_span(group(count))),
    ];
    for (cap, body) in cases {
        assert_eq!(limit_of(&body(2), &limits, OnError::Raise), None, "{cap}");
        assert_eq!(limit_of(&body(3), &limits, OnError::Raise), Some(*cap));
    }
    // In a span a cap costs that span; the number of spans is the request's affair.
    assert_eq!(limit_of(&one_span(field(9, &pair).repeat(3)), &limits, OnError::Skip), None);
    assert_eq!(limit_of(&spans_body(&vec![field(5, b"\x80"); 3]), &limits, OnError::Skip), Some("max_spans"));
}

#[test]
fn test_a_visitor_that_takes_spans_and_one_that_copies_them_see_the_same() {
    let span = |name: &str, count| [field(5, name.as_bytes()), field(9, &attribute(name, b"")).repeat(count)].concat();
    let body = spans_body(&[span("a", 3), span("b", 0), span("c", 1)]);
    let mut takes = recorder::Recorder { take: true, ..Default::default() };
    spanmap_core::wire::proto::decode(&body, &Limits::default(), OnError::Raise, &mut takes).unwrap();
    assert_eq!(takes.calls, decode(&body).unwrap());
}
