//! How often memory is asked for: a fixed number of times for a span that becomes an event, and not at all for one that
//! is dropped, beside the lists that grow with the request.
//!
//! `cargo test -p spanmap-core --test allocations -- --nocapture` prints the figures.

use allocation_counter::measure;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use spanmap_core::{Compat, Encoding, Options, sink};

/// Lists and tables double as they grow: so many more times may memory be asked for when a request doubles.
const GROWTH: u64 = 24;

/// A captured export with those of its spans that are chosen, in their order.
fn export(name: &str, mut is_chosen: impl FnMut(&Span) -> bool) -> Vec<u8> {
    let path = format!("{}/../../tests/corpus/bench-2.4b0-{name}/001.pb", env!("CARGO_MANIFEST_DIR"));
    let body = std::fs::read(path).expect("the corpus is checked in");
    let mut request = ExportTraceServiceRequest::decode(body.as_slice()).expect("the export is sound");
    for scope in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
        scope.spans.retain(&mut is_chosen);
    }
    request.encode_to_vec()
}

fn is_generative(span: &Span) -> bool {
    span.attributes.iter().any(|attribute| attribute.key.starts_with("gen_ai."))
}

/// How often memory is asked for from the body to the events' JSON, and the number of spans.
fn allocations(body: &[u8], compat: Compat) -> (u64, usize) {
    let options = Options { compat, ..Options::default() };
    let mut spans = 0;
    let mut run = || {
        let batch = spanmap_core::map(body, Encoding::Protobuf, &options).expect("the export is sound");
        let mut json = Vec::new();
        sink::json::write_events(&batch.events, &mut json);
        spans = batch.span_count;
    };
    // What is made once in a process is made now.
    run();
    (measure(&mut run).count_total, spans)
}

#[test]
fn a_span_costs_a_fixed_number_of_allocations() {
    for (compat, most) in [(Compat::Posthog, 8), (Compat::Best, 9)] {
        let of_first = |count: usize| {
            let mut left = count;
            let body = export("100-chat", |_| {
                let is_chosen = left > 0;
                left -= usize::from(is_chosen);
                is_chosen
            });
            allocations(&body, compat)
        };
        let ((half, _), (all, spans)) = (of_first(50), of_first(100));
        println!("100-chat, {compat:?}: {:.2} allocations a span", all as f64 / spans as f64);
        assert!(all - half <= 50 * most + GROWTH, "{compat:?}: {half} for 50 spans, {all} for {spans}");
    }
}

#[test]
fn a_dropped_span_costs_no_allocation() {
    for compat in [Compat::Posthog, Compat::Best] {
        // Exceptions are recorded as events of a span, and those are a list of their own.
        let is_noise = |span: &Span| !is_generative(span) && span.events.is_empty();
        let mut count = 0;
        let half = export("500-mixed", |span| {
            count += usize::from(is_noise(span));
            is_noise(span) && count % 2 == 0
        });
        let ((half, _), (all, spans)) =
            (allocations(&half, compat), allocations(&export("500-mixed", is_noise), compat));
        println!("{spans} dropped spans of 500-mixed, {compat:?}: {all} allocations in all");
        assert!(all - half <= GROWTH, "{compat:?}: {half} for half of the spans, {all} for {spans}");
    }
}

#[test]
fn a_mixed_export_costs_less_than_two_allocations_a_span() {
    for compat in [Compat::Posthog, Compat::Best] {
        let (count, spans) = allocations(&export("500-mixed", |_| true), compat);
        println!("500-mixed, {compat:?}: {:.2} allocations a span", count as f64 / spans as f64);
        assert!(count < 2 * spans as u64, "{compat:?}: {count} for {spans} spans");
    }
}
