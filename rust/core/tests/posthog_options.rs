//! `compat="posthog"`: what the options change, and what holds for every request whatever they are.

use spanmap_core::wire::OnError;
use spanmap_core::{Batch, Compat, DropReason, Encoding, Options, sink};

fn posthog() -> Options {
    Options { compat: Compat::Posthog, ..Options::default() }
}

fn map<'a>(body: &'a str, options: &Options) -> Batch<'a> {
    spanmap_core::map(body.as_bytes(), Encoding::Json, options).unwrap()
}

/// A request with one resource and these spans, each the inside of a JSON object.
fn request(spans: &[&str]) -> String {
    let spans = spans.iter().map(|span| format!("{{{span}}}")).collect::<Vec<_>>().join(",");
    let resource = r#"{"attributes":{"service.name":"shop","host.name":"box"}}"#;
    format!(r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)
}

fn json(batch: &Batch) -> serde_json::Value {
    let mut text = Vec::new();
    sink::json::write_events(&batch.events, &mut text);
    serde_json::from_slice(&text).unwrap()
}

const CHAT: &str = r#""traceId":"0102","spanId":"03","name":"chat","startTimeUnixNano":"5","attributes":
    {"gen_ai.operation.name":"chat","gen_ai.input.messages":"[{\"role\":\"user\",\"content\":\"hi\",\"n\":1.10}]"}"#;

#[test]
fn privacy_mode_takes_content_and_its_debug_copy_out() {
    let body = request(&[&CHAT.replace("{\"gen_ai.op", "{\"posthog.ai.debug\":true,\"$ai_model\":\"m\",\"gen_ai.op")]);
    let properties = &json(&map(&body, &posthog()))[0]["properties"];
    assert!(properties["$ai_input"].is_array() && properties["$ai_debug_data"].is_object());

    let private = &json(&map(&body, &Options { privacy_mode: true, ..posthog() }))[0]["properties"];
    assert!(private.get("$ai_input").is_none() && private.get("$ai_debug_data").is_none());
    assert!(!private.to_string().contains("hi"));
    assert_eq!(private["$ai_model"], "m");
}

#[test]
fn every_span_is_an_event_or_a_drop_with_a_reason() {
    let noise = r#""traceId":"0a","spanId":"0b","name":"GET /","attributes":{"http.route":"/"}"#;
    let bad = r#""name":"bad","startTimeUnixNano":"soon""#;
    let body = request(&[noise, bad, CHAT]);
    assert!(spanmap_core::map(body.as_bytes(), Encoding::Json, &posthog()).is_err());

    let batch = map(&body, &Options { on_error: OnError::Skip, ..posthog() });
    assert_eq!((batch.span_count, batch.events.len(), batch.rejected.len()), (3, 1, 1));
    let drops: Vec<_> = batch.drops.iter().map(|drop| (drop.reason, drop.reason.name(), &*drop.name)).collect();
    let expected = [(DropReason::NoAiPrefix, "no_ai_prefix", "GET /"), (DropReason::Unreadable, "unreadable", "")];
    assert_eq!(drops, expected);
    assert_eq!((&batch.drops[0].trace_id[..], &batch.drops[0].span_id[..]), (&[10][..], &[11][..]));
}

#[test]
fn prefixes_decide_what_is_kept_but_not_what_it_becomes() {
    let custom = r#""spanId":"01","attributes":{"acme.step":"1"}"#;
    let operation = r#""spanId":"02","attributes":{"acme.step":"2","gen_ai.operation.name":"embeddings"}"#;
    let body = request(&[custom, operation, CHAT]);
    let batch = map(&body, &Options { prefixes: Some(vec!["acme.".into()]), ..posthog() });
    let names: Vec<_> = batch.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["$ai_trace", "$ai_embedding"]);
    assert_eq!(batch.drops.len(), 1);
}

#[test]
fn the_resource_loses_the_prefixes_that_are_asked_for() {
    let body = request(&[CHAT]);
    let properties = &json(&map(&body, &posthog()))[0]["properties"];
    assert_eq!((properties.get("host.name"), &properties["service.name"]), (None, &"shop".into()));

    let options = Options { drop_resource_prefixes: vec!["service.".into()], ..posthog() };
    let properties = &json(&map(&body, &options))[0]["properties"];
    assert_eq!((&properties["host.name"], properties.get("service.name")), (&"box".into(), None));
}

#[test]
fn the_same_payload_gives_the_same_bytes_and_no_uuid_twice() {
    let nobody = r#""spanId":"07","name":"first","startTimeUnixNano":"9","attributes":{"gen_ai.system":"x"}"#;
    let body = request(&[CHAT, CHAT, CHAT, nobody, &nobody.replace("07", "08")]);
    let write = || {
        let mut text = Vec::new();
        sink::json::write_events(&map(&body, &posthog()).events, &mut text);
        text
    };
    assert_eq!(write(), write());

    let batch = map(&body, &posthog());
    let mut uuids: Vec<_> = batch.events.iter().map(|event| event.uuid).collect();
    uuids.sort();
    uuids.dedup();
    assert_eq!(uuids.len(), 5);
    // Without user, session and trace the id is made from the first such span and shared by all of them.
    let namespace = uuid::uuid!("392e81d5-3d13-4a6f-b541-bdbf6c865e56");
    let unknown = uuid::Uuid::new_v5(&namespace, b"request:07:9:first").to_string();
    assert_eq!((&*batch.events[3].distinct_id, &*batch.events[4].distinct_id), (&*unknown, &*unknown));
}

#[test]
fn numbers_and_message_text_come_out_as_they_went_in() {
    let big =
        CHAT.replace("{\"gen_ai.op", r#"{"gen_ai.usage.input_tokens":{"intValue":"9007199254740993"},"gen_ai.op"#);
    let body = request(&[&big]);
    let mut text = Vec::new();
    sink::json::write_events(&map(&body, &posthog()).events, &mut text);
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(r#""$ai_input_tokens":9007199254740993"#), "{text}");
    assert!(text.contains(r#""$ai_input":[{"role":"user","content":"hi","n":1.10}]"#), "{text}");
}

#[test]
fn a_span_with_very_many_attributes_keeps_them_all() {
    let attributes: Vec<_> = (0..4_000).map(|number| format!(r#""acme.{number}":{number}"#)).collect();
    let body = request(&[&format!(r#""attributes":{{"gen_ai.system":"x",{}}}"#, attributes.join(","))]);
    let properties = &json(&map(&body, &posthog()))[0]["properties"];
    assert_eq!(properties["acme.0"], 0);
    assert_eq!(properties["acme.3999"], 3_999);
}
