//! The JSON decoder never panics and keeps its offsets inside the body; what it takes for JSON is JSON to serde_json.

#![no_main]

mod counter;

use counter::Counter;
use libfuzzer_sys::fuzz_target;
use spanmap_core::json::{parse, replace_lone_surrogates, to_text, validate};
use spanmap_core::limits::Limits;
use spanmap_core::wire::{OnError, json};

/// serde_json's own limit on containers inside one another.
const MAX_NESTING: usize = 127;

fuzz_target!(|body: &[u8]| {
    let limits = Limits { max_json_nesting: MAX_NESTING, ..Limits::default() };
    let (mut raised, mut skipped) = (Counter::default(), Counter::default());
    let raise = json::decode(body, &limits, OnError::Raise, &mut raised);
    let skip = json::decode(body, &limits, OnError::Skip, &mut skipped);
    for error in [&raise, &skip].into_iter().filter_map(|result| result.as_ref().err()) {
        assert!(error.offset <= body.len(), "{error}");
    }
    if raise.is_ok() {
        assert!(skip.is_ok());
        assert_eq!((skipped.spans, skipped.rejected), (raised.spans, 0));
    }
    let Ok(text) = std::str::from_utf8(body) else {
        assert!(skip.is_err());
        return;
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shape = validate(text, MAX_NESTING);
    assert!(shape.is_some() || skip.is_err(), "a body that is decoded is JSON");
    let value = parse(text, MAX_NESTING);
    assert_eq!(shape.is_some(), value.is_some(), "validate and parse agree");
    agree_with_serde_json(text, shape.is_some(), shape.is_some_and(|shape| shape.lone_surrogates));
    if let Some(value) = value {
        let mut written = Vec::new();
        to_text(&value, &mut written);
        let written = String::from_utf8(written).unwrap();
        assert!(validate(&written, MAX_NESTING).is_some_and(|shape| !shape.lone_surrogates), "{written}");
        assert_eq!(parse(&replace_lone_surrogates(text), MAX_NESTING), Some(value));
    }
});

fn agree_with_serde_json(text: &str, is_json: bool, lone_surrogates: bool) {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => assert!(is_json, "only serde_json reads it"),
        // Lone surrogates and numbers that no double can hold are JSON by the RFC's grammar.
        Err(error) => assert!(!is_json || lone_surrogates || error.to_string().contains("out of range"), "{error}"),
    }
}
