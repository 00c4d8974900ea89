//! The two captured exports that every benchmark reads, and the proof that core and rival do the same work.

use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;
use spanmap_core::{Compat, Encoding, Options, sink};

use crate::plain;

pub struct Export {
    pub name: &'static str,
    pub protobuf: Vec<u8>,
    /// The same request as OTLP/JSON.
    pub json: Vec<u8>,
}

/// Reads the exports, and checks that the rival's events are those of the core.
pub fn load() -> [Export; 2] {
    ["500-mixed", "100-chat"].map(|name| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus");
        let protobuf =
            std::fs::read(folder.join(format!("bench-2.4b0-{name}/001.pb"))).expect("the corpus is checked in");
        let request = ExportTraceServiceRequest::decode(protobuf.as_slice()).expect("the export is sound");
        let json = serde_json::to_vec(&request).expect("a request serialises");
        let core: Value =
            serde_json::from_slice(&map_json(&protobuf, Encoding::Protobuf, Compat::Posthog)).expect("JSON");
        let from_json: Value = serde_json::from_slice(&map_json(&json, Encoding::Json, Compat::Posthog)).expect("JSON");
        assert_eq!(core, plain::map(&protobuf), "{name}: the rival maps differently");
        assert_eq!(core, from_json, "{name}: the encodings map differently");
        Export { name, protobuf, json }
    })
}

pub fn options(compat: Compat) -> Options {
    Options { compat, ..Options::default() }
}

/// The whole pipeline, from the bytes of a request to the bytes of its events.
pub fn map_json(body: &[u8], encoding: Encoding, compat: Compat) -> Vec<u8> {
    let batch = spanmap_core::map(body, encoding, &options(compat)).expect("the export is sound");
    let mut json = Vec::with_capacity(body.len());
    sink::json::write_events(&batch.events, &mut json);
    json
}
