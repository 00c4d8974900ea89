//! The protobuf decoder never panics, keeps its offsets inside the body, and refuses what prost refuses.

#![no_main]

mod counter;

use counter::Counter;
use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use spanmap_core::error::Kind;
use spanmap_core::limits::Limits;
use spanmap_core::wire::{OnError, proto};

fuzz_target!(|body: &[u8]| {
    let limits = Limits::default();
    let (mut raised, mut skipped) = (Counter::default(), Counter::default());
    let raise = proto::decode(body, &limits, OnError::Raise, &mut raised);
    let skip = proto::decode(body, &limits, OnError::Skip, &mut skipped);
    for error in [&raise, &skip].into_iter().filter_map(|result| result.as_ref().err()) {
        assert!(error.offset <= body.len(), "{error}");
    }
    if raise.is_ok() {
        assert!(skip.is_ok());
        assert_eq!((skipped.spans, skipped.rejected), (raised.spans, 0));
    }
    match (raise, ExportTraceServiceRequest::decode(body)) {
        (Ok(()), Ok(request)) => {
            let scopes = request.resource_spans.iter().flat_map(|resource_spans| &resource_spans.scope_spans);
            assert_eq!(raised.spans, scopes.map(|scope_spans| scope_spans.spans.len()).sum::<usize>());
        }
        (Ok(()), Err(error)) => assert!(is_known_refusal(&error.to_string()), "only prost refuses: {error}"),
        (Err(error), Ok(_)) => assert!(body.is_empty() || error.kind != Kind::Decode, "only spanmap refuses: {error}"),
        (Err(_), Err(_)) => {}
    }
});

/// Prost knows fields of other signals, which are unknown fields here: Resource.entity_refs, KeyValue.key_strindex, and
/// AnyValue.string_value_strindex, a varint, which it reports as its oneof. It also has one cap on all nesting together.
fn is_known_refusal(error: &str) -> bool {
    let of_a_value = error.starts_with("failed to decode Protobuf message: AnyValue.value: ");
    let of_a_varint = error.ends_with("(expected Varint)") || error.ends_with("invalid varint");
    ["entity_refs", "key_strindex", "recursion limit"].iter().any(|known| error.contains(known))
        || of_a_value && of_a_varint
}
