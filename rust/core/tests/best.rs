//! What `compat="best"` makes of whole requests: owners of calls, trees, users' rules, explanations.

use spanmap_core::event::EventName;
use spanmap_core::wire::Value;
use spanmap_core::{Batch, Encoding, Event, Options, UserRules, map};

const MODEL: &str = r#""gen_ai.operation.name":"chat","gen_ai.request.model":"gpt-4o""#;

fn body(spans: &[String]) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","))
}

fn span(id: u8, parent: u8, attributes: &str) -> String {
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    format!(
        r#"{{"traceId":"0000000000000000000000000000000a","spanId":"{id:016x}","parentSpanId":"{parent}","name":"span {id}",
        "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001000000000","attributes":{{{attributes}}}}}"#
    )
}

fn mapped<'a>(body: &'a str, options: &Options) -> Batch<'a> {
    map(body.as_bytes(), Encoding::Json, options).expect("the body is sound")
}

fn property<'e, 'a>(event: &'e Event<'a>, name: &str) -> Option<&'e Value<'a>> {
    event.properties.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value)
}

fn text<'e>(event: &'e Event<'_>, name: &str) -> Option<&'e str> {
    match property(event, name)? {
        Value::Str(text) => Some(text),
        _ => None,
    }
}

fn generations(batch: &Batch<'_>) -> usize {
    batch.events.iter().filter(|event| event.name == EventName::Generation).count()
}

#[test]
fn nested_spans_of_one_call_have_one_owner_in_whatever_order_they_come() {
    let tokens = format!(r#"{MODEL},"gen_ai.usage.input_tokens":5"#);
    let spans = [span(1, 0, MODEL), span(2, 1, &tokens), span(3, 2, MODEL)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let body = body(&order.map(|place: usize| spans[place].clone()));
        assert_eq!(generations(&mapped(&body, &Options::default())), 1, "{order:?}");
    }
}

#[test]
fn a_wrapper_of_several_calls_is_no_call() {
    let body = body(&[span(1, 0, MODEL), span(2, 1, MODEL), span(3, 1, MODEL)]);
    let batch = mapped(&body, &Options::default());
    let names: Vec<_> = batch.events.iter().map(|event| event.name).collect();
    assert_eq!(names, [EventName::Trace, EventName::Generation, EventName::Generation]);
}

#[test]
fn a_parent_that_was_filtered_out_gives_way_to_the_nearest_kept_one() {
    let body =
        body(&[span(1, 0, MODEL), span(2, 1, r#""http.method":"GET""#), span(3, 2, r#""gen_ai.tool.name":"t""#)]);
    let batch = mapped(&body, &Options::default());
    assert_eq!(batch.events.len(), 2);
    assert_eq!(text(&batch.events[1], "$ai_parent_id"), Some("0000000000000001"));
}

#[test]
fn spans_in_a_circle_are_mapped() {
    let body = body(&[span(1, 3, MODEL), span(2, 1, "\"a\":1"), span(3, 2, "\"a\":1"), span(4, 4, MODEL)]);
    let batch = mapped(&body, &Options::default());
    assert_eq!((batch.events.len(), batch.drops.len()), (2, 2));
}

#[test]
fn the_last_of_several_attributes_of_one_key_wins_and_null_never_does() {
    let attributes =
        r#"[{"key":"gen_ai.x","value":{"intValue":1}},{"key":"gen_ai.x","value":{"intValue":2}},{"key":"gen_ai.x"}]"#;
    let span = span(1, 0, "").replace(r#""attributes":{}"#, &format!(r#""attributes":{attributes}"#));
    let body = body(&[span]);
    let batch = mapped(&body, &Options::default());
    assert_eq!(property(&batch.events[0], "gen_ai.x"), Some(&Value::Int(2)));
}

#[test]
fn users_rules_drop_then_rename_then_set() {
    let rules = UserRules {
        drop: vec!["internal.*".to_owned()],
        rename: vec![("deployment".to_owned(), "gen_ai.request.model".to_owned())],
        set: vec![("team".to_owned(), Value::Str("search".into()))],
        prefixes: vec!["deploy".to_owned()],
    };
    let body = body(&[
        span(1, 0, &format!(r#"{MODEL},"deployment":"mine","internal.x":1"#)),
        span(2, 0, r#""deployed":true,"team":"own""#),
    ]);
    let batch = mapped(&body, &Options { rules, ..Options::default() });
    let [first, second] = batch.events.as_slice() else { panic!("{:?}", batch.drops) };
    assert_eq!(text(first, "$ai_model"), Some("mine"));
    assert_eq!(text(first, "team"), Some("search"));
    assert_eq!(property(first, "internal.x"), None);
    assert_eq!(text(second, "team"), Some("own"));
}

#[test]
fn an_explanation_names_a_rule_for_every_property() {
    let attributes = r#""gen_ai.response.model":"gpt-4o-1","metadata.plan":"pro","own":1,"logfire.metrics":"m","x":"""#;
    let body = body(&[span(1, 0, &format!("{MODEL},{attributes}"))]);
    let batch = mapped(&body, &Options { explain: true, ..Options::default() });
    let explanations = batch.explanations.expect("asked for");
    let (event, explanation) = (&batch.events[0], &explanations[0]);
    for (name, _) in &event.properties {
        assert!(explanation.notes.iter().any(|note| note.property == name.as_str()), "{}", name.as_str());
    }
    assert_eq!(explanation.notes.len(), event.properties.len());
    let note = |property: &str| explanation.notes.iter().find(|note| note.property == property).expect(property);
    assert!(note("$ai_model").rule.ends_with(".model"));
    assert_eq!(note("$ai_model").source.as_deref(), Some("gen_ai.response.model"));
    assert_eq!(note("$ai_model").losers, ["gen_ai.request.model"]);
    assert_eq!((note("plan").rule, note("own").rule), ("custom", "pass_through"));
    let reason = |key: &str| explanation.unused.iter().find(|unused| unused.key == key).map(|unused| unused.reason);
    assert_eq!((reason("logfire.metrics"), reason("x")), (Some("noise"), Some("empty")));
    assert_eq!(reason("own"), None);
}

#[test]
fn every_rule_has_an_id_and_no_two_rows_of_tables_share_one() {
    let rules = spanmap_core::dialect::rules();
    let mut ids: Vec<_> = rules.iter().filter(|rule| !rule.dialect.is_empty()).map(|rule| &rule.id).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(rules.iter().all(|rule| !rule.id.is_empty() && !rule.to.is_empty()));
}
