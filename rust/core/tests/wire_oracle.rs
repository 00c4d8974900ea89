//! Both decoders against prost and the published OTLP messages: random requests, whole and mutated.
//!
//! Differences that are meant: an empty body is refused here; AnyValue.string_value_strindex, KeyValue.key_strindex and
//! Resource.entity_refs are unknown fields here (they belong to other signals), so prost alone may refuse them; caps.

mod recorder;

use std::borrow::Cow;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProstValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource as ProstResource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link as ProstLink};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as ProstSpan, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

use recorder::{Call, from_json, from_proto};
use spanmap_core::error::Kind;
use spanmap_core::limits::Limits;
use spanmap_core::wire::{Attribute, Id, Link, OnError, Resource, Scope, Span, SpanEvent, Value};

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(ProstValue::StringValue),
        any::<bool>().prop_map(ProstValue::BoolValue),
        any::<i64>().prop_map(ProstValue::IntValue),
        proptest::num::f64::NORMAL.prop_map(ProstValue::DoubleValue),
        vec(any::<u8>(), 0..6).prop_map(ProstValue::BytesValue),
    ]
    .prop_map(|value| AnyValue { value: Some(value) });
    let leaf = prop_oneof![8 => leaf, 1 => Just(AnyValue { value: None })];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| ProstValue::ArrayValue(ArrayValue { values })),
            vec(("[a-c]{0,2}", option::of(inner)), 0..4).prop_map(|entries| {
                let values = entries.into_iter().map(|(key, value)| KeyValue { key, value, ..Default::default() });
                ProstValue::KvlistValue(KeyValueList { values: values.collect() })
            }),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let one = ("[a-z.]{0,8}", option::of(any_value()));
    vec(one.prop_map(|(key, value)| KeyValue { key, value, ..Default::default() }), 0..4)
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), ".{0,6}", attributes(), any::<u32>()).prop_map(|(time_unix_nano, name, attributes, dropped)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: dropped,
    })
}

fn link() -> impl Strategy<Value = ProstLink> {
    (vec(any::<u8>(), 0..18), vec(any::<u8>(), 8), ".{0,4}", attributes(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, flags)| ProstLink {
            trace_id,
            span_id,
            trace_state,
            attributes,
            flags,
            dropped_attributes_count: flags / 2,
        },
    )
}

fn span() -> impl Strategy<Value = ProstSpan> {
    let ids = (vec(any::<u8>(), 16), vec(any::<u8>(), 8), vec(any::<u8>(), 0..9));
    let scalars = (".{0,10}", 0i32..6, any::<u64>(), any::<u64>(), any::<u32>());
    let status = option::of((".{0,6}", 0i32..3).prop_map(|(message, code)| Status { message, code }));
    (ids, scalars, attributes(), vec(event(), 0..3), vec(link(), 0..2), status).prop_map(
        |((trace_id, span_id, parent_span_id), (name, kind, start, end, flags), attributes, events, links, status)| {
            ProstSpan {
                trace_id,
                span_id,
                parent_span_id,
                trace_state: name.clone(),
                flags,
                name,
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                attributes,
                dropped_attributes_count: flags / 3,
                events,
                dropped_events_count: 1,
                links,
                dropped_links_count: 0,
                status,
            }
        },
    )
}

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = option::of((".{0,5}", ".{0,5}", attributes()).prop_map(|(name, version, attributes)| {
        InstrumentationScope { name, version, attributes, dropped_attributes_count: 1 }
    }));
    let scope_spans = (scope, vec(span(), 0..3), ".{0,3}").prop_map(|(scope, spans, schema_url)| ScopeSpans {
        scope,
        spans,
        schema_url,
    });
    let resource = option::of(attributes().prop_map(|attributes| ProstResource { attributes, ..Default::default() }));
    let resource_spans = (resource, vec(scope_spans, 0..3), ".{0,3}")
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource_spans, 1..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// What the visitor is expected to hear of a request that prost has decoded.
fn expected(request: &ExportTraceServiceRequest) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    for resource_spans in &request.resource_spans {
        let attributes =
            resource_spans.resource.as_ref().map_or_else(Vec::new, |resource| of_pairs(&resource.attributes));
        calls.push(Call::Resource(Resource { attributes }));
        for scope_spans in &resource_spans.scope_spans {
            let scope = scope_spans.scope.as_ref().map_or_else(Scope::default, |scope| Scope {
                name: Cow::Borrowed(&scope.name),
                version: Cow::Borrowed(&scope.version),
                attributes: of_pairs(&scope.attributes),
            });
            calls.push(Call::Scope(scope));
            calls.extend(scope_spans.spans.iter().map(|span| Call::Span(of_span(span))));
        }
    }
    calls
}

fn of_span(span: &ProstSpan) -> Span<'_> {
    Span {
        trace_id: Id::from_slice(&span.trace_id),
        span_id: Id::from_slice(&span.span_id),
        parent_span_id: Id::from_slice(&span.parent_span_id),
        trace_state: Cow::Borrowed(&span.trace_state),
        flags: span.flags,
        name: Cow::Borrowed(&span.name),
        kind: span.kind,
        start_unix_nano: span.start_time_unix_nano,
        end_unix_nano: span.end_time_unix_nano,
        attributes: of_pairs(&span.attributes),
        events: span.events.iter().map(of_event).collect(),
        links: span.links.iter().map(of_link).collect(),
        status_code: span.status.as_ref().map_or(0, |status| status.code),
        status_message: span.status.as_ref().map_or(Cow::Borrowed(""), |status| Cow::Borrowed(&status.message)),
    }
}

fn of_event(event: &Event) -> SpanEvent<'_> {
    SpanEvent {
        name: Cow::Borrowed(&event.name),
        time_unix_nano: event.time_unix_nano,
        attributes: of_pairs(&event.attributes),
    }
}

fn of_link(link: &ProstLink) -> Link<'_> {
    Link {
        trace_id: Id::from_slice(&link.trace_id),
        span_id: Id::from_slice(&link.span_id),
        attributes: of_pairs(&link.attributes),
    }
}

fn of_pairs(pairs: &[KeyValue]) -> Vec<Attribute<'_>> {
    pairs
        .iter()
        .map(|pair| Attribute { key: Cow::Borrowed(&pair.key), value: of_option(pair.value.as_ref()) })
        .collect()
}

fn of_option(value: Option<&AnyValue>) -> Value<'_> {
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(ProstValue::StringValueStrindex(_)) => Value::Null,
        Some(ProstValue::StringValue(text)) => Value::Str(Cow::Borrowed(text)),
        Some(ProstValue::BoolValue(value)) => Value::Bool(*value),
        Some(ProstValue::IntValue(number)) => Value::Int(*number),
        Some(ProstValue::DoubleValue(number)) => Value::Double(*number),
        Some(ProstValue::BytesValue(bytes)) => Value::Bytes(Cow::Borrowed(bytes)),
        Some(ProstValue::ArrayValue(array)) => {
            let values = array.values.iter().map(|value| of_option(Some(value)));
            Value::Array(values.filter(|value| *value != Value::Null).collect())
        }
        Some(ProstValue::KvlistValue(list)) => {
            let entries = list.values.iter();
            Value::Object(
                entries.map(|pair| (Cow::Borrowed(pair.key.as_str()), of_option(pair.value.as_ref()))).collect(),
            )
        }
    }
}

/// Both refuse, or both accept and see the same. NaN equals itself only in text.
fn agree_with_prost(body: &[u8]) -> Result<(), TestCaseError> {
    let ours = from_proto(body, &Limits::default(), OnError::Raise);
    match (ExportTraceServiceRequest::decode(body), ours) {
        (Ok(request), Ok(calls)) => {
            if !uses_fields_of_other_signals(&request) {
                prop_assert_eq!(format!("{:?}", calls), format!("{:?}", expected(&request)));
            }
        }
        (Err(_), Err(error)) => {
            prop_assert_eq!(error.kind, Kind::Decode);
            prop_assert!(error.offset <= body.len());
        }
        (Err(error), Ok(_)) => {
            prop_assert!(is_known_refusal(&error.to_string()), "only prost refuses: {}", error);
        }
        (Ok(_), Err(error)) => prop_assert!(body.is_empty(), "only spanmap refuses: {}", error),
    }
    Ok(())
}

/// Prost reports AnyValue.string_value_strindex, a varint, as its oneof.
fn is_known_refusal(error: &str) -> bool {
    let of_a_value = error.starts_with("failed to decode Protobuf message: AnyValue.value: ");
    let of_a_varint = error.ends_with("(expected Varint)") || error.ends_with("invalid varint");
    ["entity_refs", "key_strindex"].iter().any(|known| error.contains(known)) || of_a_value && of_a_varint
}

fn uses_fields_of_other_signals(request: &ExportTraceServiceRequest) -> bool {
    format!("{request:?}").contains("StringValueStrindex")
}

proptest! {
    #[test]
    fn protobuf_is_read_as_prost_reads_it(request in request()) {
        let body = request.encode_to_vec();
        let calls = from_proto(&body, &Limits::default(), OnError::Raise).unwrap();
        prop_assert_eq!(calls, expected(&request));
    }

    #[test]
    fn json_is_read_as_prost_reads_the_same_request(request in request()) {
        let body = serde_json::to_string(&request).unwrap();
        let calls = from_json(&body, &Limits::default(), OnError::Raise).unwrap();
        prop_assert_eq!(calls, expected(&request));
    }

    #[test]
    fn mutated_protobuf_is_refused_when_prost_refuses_it(
        request in request(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..5),
    ) {
        let mut body = request.encode_to_vec();
        for (index, byte, edit) in edits {
            let index = index.index(body.len().max(1));
            match edit {
                _ if body.is_empty() => body.push(byte),
                0 => body[index] = byte,
                1 => body.insert(index, byte),
                2 => drop(body.remove(index)),
                _ => body.truncate(index),
            }
        }
        agree_with_prost(&body)?;
    }

    #[test]
    fn concatenated_requests_are_one_request(first in request(), second in request()) {
        let mut body = first.encode_to_vec();
        second.encode(&mut body).unwrap();
        agree_with_prost(&body)?;
    }

    #[test]
    fn random_bytes_are_refused_when_prost_refuses_them(body in vec(any::<u8>(), 0..40)) {
        agree_with_prost(&body)?;
    }

    #[test]
    fn pieces_of_a_message_merge_as_prost_merges_them(pieces in vec(span(), 1..4)) {
        let merged: Vec<u8> = pieces.iter().flat_map(Message::encode_to_vec).collect();
        let scope_spans = field(2, &field(2, &merged));
        agree_with_prost(&field(1, &scope_spans))?;
    }
}

/// A length-delimited field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}
