//! `compat="posthog"` against the conformance vectors: requests with the events that PostHog's pipeline makes of them.
//!
//! Events are compared as a JSON consumer sees them: without key order, numbers as doubles (integers in our text are
//! exact where PostHog's worker rounds them), times as instants, and what PostHog invents at random as "some value".

use std::borrow::Cow;
use std::io::Read;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use spanmap_core::{Compat, Encoding, Options};

#[test]
fn every_vector_of_the_traces_endpoint_gives_the_expected_events() {
    let (mut cases, mut failures) = (0, Vec::new());
    for path in vector_files("json") {
        let area = path.file_stem().unwrap().to_string_lossy().into_owned();
        let vectors = parsed(&std::fs::read(&path).unwrap());
        for vector in vectors.as_array().unwrap() {
            if vector["signal"] != "traces" || vector["expected"]["status"] != 200 {
                continue;
            }
            // Some of our own cases are about the default mode.
            if vector["options"]["compat"] == "best" {
                continue;
            }
            cases += 1;
            let (body, encoding) = request(vector);
            let name = format!("{area}/{}", vector["name"].as_str().unwrap());
            failures.extend(difference(&name, &body, encoding, &vector["expected"]["events"]));
        }
    }
    assert!(cases > 500, "only {cases} vectors were found");
    assert!(failures.is_empty(), "{} of {cases} vectors differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_random_request_gives_the_expected_events() {
    let (mut cases, mut failures) = (0, Vec::new());
    for path in vector_files("gz") {
        let mut lines = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut lines).unwrap();
        for line in lines.lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            cases += 1;
            let body = serde_json::to_vec(&vector["request"]).unwrap();
            failures.extend(difference(vector["id"].as_str().unwrap(), &body, Encoding::Json, &vector["events"]));
        }
    }
    assert!(cases > 200, "only {cases} random requests were found");
    assert!(failures.is_empty(), "{} of {cases} requests differ:\n{}", failures.len(), failures.join("\n"));
}

fn vector_files(extension: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

/// The body of a vector in the encoding that it asks for, with repetitions written out.
fn request(vector: &Value) -> (Vec<u8>, Encoding) {
    match vector["transport"].as_str() {
        Some("protobuf") => (base64(vector["request_pb_base64"].as_str().unwrap()), Encoding::Protobuf),
        _ => (serde_json::to_vec(&expanded(&vector["request"])).unwrap(), Encoding::Json),
    }
}

/// Some vectors are about nesting, and lie in the file at a depth of their own.
fn parsed(text: &[u8]) -> Value {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    deserializer.disable_recursion_limit();
    Value::deserialize(&mut deserializer).unwrap()
}

/// What is wrong with the events that the body gives, if anything is.
fn difference(name: &str, body: &[u8], encoding: Encoding, expected: &Value) -> Option<String> {
    let options = Options { compat: Compat::Posthog, ..Options::default() };
    let batch = match spanmap_core::map(body, encoding, &options) {
        Ok(batch) => batch,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    if batch.events.len() + batch.drops.len() != batch.span_count {
        return Some(format!("{name}: spans are missing from the account"));
    }
    let mut text = Vec::new();
    spanmap_core::sink::json::write_events(&batch.events, &mut text);
    let actual = parsed(&text);
    let actual = actual.as_array().unwrap();
    let expected = expanded(expected);
    let expected = expected.as_array().unwrap();
    if actual.len() != expected.len() {
        return Some(format!("{name}: {} events instead of {}", actual.len(), expected.len()));
    }
    let mut differences = Vec::new();
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        compare_event(&format!("{name}[{index}]"), actual, expected, &mut differences);
    }
    if differences.is_empty() { None } else { Some(differences.join("\n")) }
}

fn compare_event(path: &str, actual: &Value, expected: &Value, differences: &mut Vec<String>) {
    for field in ["event", "distinct_id", "timestamp"] {
        let same = match expected[field].as_str().unwrap() {
            "<random-uuid>" => actual[field].as_str().is_some_and(|text| uuid::Uuid::parse_str(text).is_ok()),
            "<received-at>" => actual[field].is_null(),
            text if field == "timestamp" => actual[field].as_str().is_some_and(|found| instant(found) == instant(text)),
            text => actual[field] == text,
        };
        if !same {
            differences.push(format!("{path}.{field}: {} instead of {}", actual[field], expected[field]));
        }
    }
    let (actual, expected) = (actual["properties"].as_object().unwrap(), expected["properties"].as_object().unwrap());
    for (name, value) in expected {
        match actual.get(name) {
            Some(found) if same_value(found, value) => {}
            Some(found) => differences.push(format!("{path}.{name}: {} instead of {}", shown(found), shown(value))),
            None => differences.push(format!("{path}.{name}: missing, should be {}", shown(value))),
        }
    }
    for (name, value) in actual.iter().filter(|(name, _)| !expected.contains_key(*name)) {
        differences.push(format!("{path}.{name}: {} should not be there", shown(value)));
    }
}

fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_value(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same_value(value, other)))
        }
        _ => left == right,
    }
}

/// A time without the zeros that change nothing.
fn instant(text: &str) -> &str {
    let text = text.strip_suffix('Z').unwrap();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 300 { text.chars().take(300).chain("...".chars()).collect() } else { text }
}

/// `@@REPEAT:c:n@@` inside a string stands for n times the character c.
fn expanded(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(expanded_text(text).into_owned()),
        Value::Array(elements) => elements.iter().map(expanded).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), expanded(value))).collect(),
        other => other.clone(),
    }
}

fn expanded_text(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once("@@REPEAT:") else { return Cow::Borrowed(text) };
    let (repeat, behind) = rest.split_once("@@").unwrap();
    let (character, count) = repeat.split_once(':').unwrap();
    Cow::Owned(format!("{before}{}{}", character.repeat(count.parse().unwrap()), expanded_text(behind)))
}

fn base64(text: &str) -> Vec<u8> {
    let digit =
        |byte: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|&d| d == byte);
    let digits: Vec<usize> = text.bytes().filter_map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
        (0..chunk.len() - 1).map(move |index| (bits >> (16 - 8 * index)) as u8)
    });
    bytes.collect()
}
