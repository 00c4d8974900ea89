//! The rival in Rust: prost + opentelemetry-proto + serde_json, the usual way.
//!
//! Decodes the whole request into owned structs, filters by prefix, builds a `serde_json::Map` for each event, renames,
//! parses JSON inside strings into `serde_json::Value`, and serialises. GenAI spans only, as PostHog's own pipeline has
//! them: no dialects, no caps, no error paths. It does less than spanmap, so the comparison is in its favour.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Map, Value, json};
use uuid::Uuid;

const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x6f0b6a3e_9d0c_5a52_8f0b_2f6f7a9d1c11);
const PERSON_NAMESPACE: Uuid = Uuid::from_u128(0x392e81d5_3d13_4a6f_b541_bdbf6c865e56);
const RESOURCE_NOISE: [&str; 4] = ["host.", "process.", "os.", "telemetry."];
const JSON_TEXTS: [(&str, &str); 3] = [
    ("gen_ai.input.messages", "$ai_input"),
    ("gen_ai.output.messages", "$ai_output_choices"),
    ("gen_ai.tool.definitions", "$ai_tools"),
];
const RENAMES: [(&str, &str); 8] = [
    ("gen_ai.usage.input_tokens", "$ai_input_tokens"),
    ("gen_ai.usage.output_tokens", "$ai_output_tokens"),
    ("gen_ai.usage.cache_read.input_tokens", "$ai_cache_read_input_tokens"),
    ("gen_ai.usage.cache_creation.input_tokens", "$ai_cache_creation_input_tokens"),
    ("gen_ai.response.model", "$ai_model"),
    ("gen_ai.provider.name", "$ai_provider"),
    ("server.address", "$ai_base_url"),
    ("$otel_span_name", "$ai_span_name"),
];
const FALLBACKS: [(&str, &str); 4] = [
    ("gen_ai.system", "$ai_provider"),
    ("gen_ai.request.model", "$ai_model"),
    ("gen_ai.usage.prompt_tokens", "$ai_input_tokens"),
    ("gen_ai.usage.completion_tokens", "$ai_output_tokens"),
];
const REMOVED: [&str; 5] =
    ["gen_ai.operation.name", "user.id", "posthog.distinct_id", "telemetry.sdk.language", "posthog.ai.debug"];
const HTTP_STATUS: [&str; 5] =
    ["$ai_http_status", "http.response.status_code", "http.status_code", "http.status", "status_code"];

pub fn map_json(body: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&map(body)).expect("a value of string keys serialises")
}

pub fn map(body: &[u8]) -> Value {
    let request = ExportTraceServiceRequest::decode(body).expect("the bench export is sound");
    let mut events = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for resource_spans in request.resource_spans {
        let resource = to_map(resource_spans.resource.unwrap_or_default().attributes);
        for scope_spans in resource_spans.scope_spans {
            for span in scope_spans.spans {
                if span.attributes.iter().any(|attribute| attribute.key.starts_with("gen_ai.")) {
                    events.push(to_event(span, &resource, &mut seen));
                }
            }
        }
    }
    Value::Array(events)
}

fn to_event(mut span: Span, resource: &Map<String, Value>, seen: &mut HashMap<String, usize>) -> Value {
    let attributes = to_map(std::mem::take(&mut span.attributes));
    let mut name = match attributes.get("gen_ai.operation.name").and_then(Value::as_str) {
        Some("chat") => "$ai_generation",
        Some("embeddings") => "$ai_embedding",
        _ => "$ai_span",
    };
    let (trace_id, span_id) = (hex(&span.trace_id), hex(&span.span_id));
    let distinct_id = distinct_id(&attributes, resource, &trace_id);
    let mut properties: Map<String, Value> = resource
        .iter()
        .filter(|(key, _)| !RESOURCE_NOISE.iter().any(|prefix| key.starts_with(prefix)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    properties.extend(attributes);
    let geoip_disable = properties.remove("posthog.geoip_disable").unwrap_or(Value::Bool(true));
    properties.entry("$geoip_disable").or_insert(geoip_disable);
    properties.insert("$ai_trace_id".into(), json!(trace_id));
    properties.insert("$ai_span_id".into(), json!(span_id));
    if !span.parent_span_id.is_empty() {
        properties.insert("$ai_parent_id".into(), json!(hex(&span.parent_span_id)));
    } else if name == "$ai_span" {
        name = "$ai_trace";
    }
    properties.insert("$ai_ingestion_source".into(), json!("otel"));
    if !span.name.is_empty() {
        properties.insert("$otel_span_name".into(), json!(span.name));
    }
    if span.status.as_ref().is_some_and(|status| status.code == 2) {
        set_error(&mut properties, &mut span);
    }
    for (source, target) in JSON_TEXTS {
        if let Some(value) = properties.remove(source) {
            let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(value);
            properties.insert(target.into(), parsed);
        }
    }
    for (source, target) in RENAMES {
        if let Some(value) = properties.remove(source) {
            properties.insert(target.into(), value);
        }
    }
    for (source, target) in FALLBACKS {
        if let Some(value) = properties.remove(source) {
            properties.entry(target).or_insert(value);
        }
    }
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    if end > start {
        properties.insert("$ai_latency".into(), json!((end - start) as f64 / 1e9));
    }
    for key in REMOVED {
        properties.remove(key);
    }
    let mut identity = format!("{trace_id}:{span_id}:{name}");
    let count = seen.entry(identity.clone()).or_default();
    *count += 1;
    if *count > 1 {
        identity = format!("{identity}:{count}");
    }
    json!({
        "event": name,
        "distinct_id": distinct_id,
        "timestamp": timestamp(start),
        "uuid": Uuid::new_v5(&EVENT_NAMESPACE, identity.as_bytes()).to_string(),
        "properties": properties,
    })
}

fn to_map(attributes: Vec<KeyValue>) -> Map<String, Value> {
    attributes.into_iter().filter_map(|KeyValue { key, value, .. }| Some((key, to_value(value?)?))).collect()
}

fn to_value(value: AnyValue) -> Option<Value> {
    Some(match value.value? {
        any_value::Value::StringValue(text) => Value::String(text),
        any_value::Value::BoolValue(truth) => Value::Bool(truth),
        any_value::Value::IntValue(number) => json!(number),
        any_value::Value::DoubleValue(number) => json!(number),
        any_value::Value::ArrayValue(array) => array.values.into_iter().filter_map(to_value).collect(),
        any_value::Value::KvlistValue(list) => Value::Object(to_map(list.values)),
        any_value::Value::BytesValue(bytes) => Value::String(hex(&bytes)),
        _ => return None,
    })
}

fn set_error(properties: &mut Map<String, Value>, span: &mut Span) {
    properties.insert("$ai_is_error".into(), Value::Bool(true));
    let is_exception = |key: &str| key == "exception.message" || key == "exception.type";
    let exception = span
        .events
        .drain(..)
        .rfind(|event| {
            event.name == "exception" || event.attributes.iter().any(|attribute| is_exception(&attribute.key))
        })
        .map(|event| to_map(event.attributes))
        .unwrap_or_default();
    let text = |key| exception.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = match (text("exception.type"), text("exception.message")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(told), None) | (None, Some(told)) => told.to_owned(),
        (None, None) => span.status.take().map(|status| status.message).unwrap_or_default(),
    };
    let message = if message.is_empty() { "OpenTelemetry span status error".to_owned() } else { message };
    properties.entry("$ai_error").or_insert(Value::String(message));
    let status = [&exception, properties]
        .iter()
        .flat_map(|attributes| HTTP_STATUS.iter().filter_map(|&key| attributes.get(key)?.as_i64()))
        .find(|status| (100..600).contains(status))
        .unwrap_or(500);
    properties.entry("$ai_http_status").or_insert(json!(status));
}

fn distinct_id(attributes: &Map<String, Value>, resource: &Map<String, Value>, trace_id: &str) -> String {
    let text = |map: &Map<String, Value>, key: &str| {
        map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let known =
        [attributes, resource].iter().find_map(|map| text(map, "posthog.distinct_id").or_else(|| text(map, "user.id")));
    known.unwrap_or_else(|| {
        let session = ["$ai_session_id", "gen_ai.conversation.id"]
            .iter()
            .find_map(|key| text(attributes, key).or_else(|| text(resource, key)));
        let seed = session.map_or_else(|| format!("trace:{trace_id}"), |session| format!("session:{session}"));
        Uuid::new_v5(&PERSON_NAMESPACE, seed.as_bytes()).to_string()
    })
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|&byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn timestamp(nanos: u64) -> Option<String> {
    let (seconds, fraction) = ((nanos / 1_000_000_000) as i64, nanos % 1_000_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let whole = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    let fraction = match fraction {
        0 => String::new(),
        fraction if fraction % 1_000_000 == 0 => format!(".{:03}", fraction / 1_000_000),
        fraction if fraction % 1_000 == 0 => format!(".{:06}", fraction / 1_000),
        fraction => format!(".{fraction:09}"),
    };
    (nanos != 0).then(|| format!("{whole}{fraction}Z"))
}

/// The date of a day counted from 1970-01-01 in the proleptic Gregorian calendar.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
