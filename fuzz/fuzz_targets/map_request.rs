//! The whole map never panics, gives the same bytes twice, and writes sound JSON in which no two events share a uuid.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use spanmap_core::wire::OnError;
use spanmap_core::{Batch, Compat, Encoding, Options, map, sink};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, body)) = input.split_first() else { return };
    let encoding = if choice & 1 == 0 { Encoding::Protobuf } else { Encoding::Json };
    let options = Options {
        compat: if choice & 2 == 0 { Compat::Best } else { Compat::Posthog },
        on_error: if choice & 4 == 0 { OnError::Raise } else { OnError::Skip },
        privacy_mode: choice & 8 != 0,
        ..Options::default()
    };
    let Ok(batch) = map(body, encoding, &options) else { return };
    let first = json_of(&batch);
    let again = map(body, encoding, &options).map(|batch| json_of(&batch));
    assert_eq!(again.as_ref(), Ok(&first));
    let events: Vec<serde_json::Value> = serde_json::from_slice(&first).expect("the sink writes sound JSON");
    assert_eq!(events.len(), batch.events.len());
    let uuids: HashSet<_> = batch.events.iter().map(|event| event.uuid).collect();
    assert_eq!(uuids.len(), batch.events.len());
});

fn json_of(batch: &Batch<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    sink::json::write_events(&batch.events, &mut out);
    out
}
