//! What was said in a span, by every home and shape that libraries were seen to write it in.

use std::borrow::Cow;

use spanmap_core::content::{self, litellm};
use spanmap_core::messages::{finish_reason_of, has_user_text};
use spanmap_core::span::{Slots, View};
use spanmap_core::wire::{Attribute, Resource, Scope, Span, SpanEvent, Value};
use spanmap_core::{json, shape};

fn attributes<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<Attribute<'a>> {
    let value = |text| Value::Str(Cow::Borrowed(text));
    pairs.iter().map(|(key, text)| Attribute { key: Cow::Borrowed(key), value: value(*text) }).collect()
}

/// What `read` makes of a span with these attributes and events, as a tree, so that spacing makes no difference.
fn told<'a>(
    pairs: &[(&'a str, &'a str)],
    events: &[(&'a str, &[(&'a str, &'a str)])],
    read: impl for<'s> FnOnce(&View<'s, 'a>) -> Option<Value<'a>>,
) -> Option<Value<'static>> {
    let event = |(name, pairs): &(&'a str, &[(&'a str, &'a str)])| SpanEvent {
        name: Cow::Borrowed(*name),
        attributes: attributes(pairs),
        ..SpanEvent::default()
    };
    let mut span =
        Span { attributes: attributes(pairs), events: events.iter().map(event).collect(), ..Span::default() };
    shape::make_plain(&mut span.attributes);
    let mut slots = Slots::default();
    slots.index(&span.attributes);
    let (scope, resource) = (Scope::default(), Resource::default());
    read(&View { span: &span, scope: &scope, resource: &resource, slots: &slots }).map(tree)
}

fn tree(value: Value<'_>) -> Value<'static> {
    let mut text = Vec::new();
    json::to_text(&value, &mut text);
    let text = String::from_utf8(text).expect("JSON is UTF-8");
    json::parse(&text, 128).expect("what was read can be written").into_owned()
}

fn parsed(text: &str) -> Option<Value<'static>> {
    Some(json::parse(text, 128).expect("the test's expectation is JSON").into_owned())
}

#[track_caller]
fn assert_input(pairs: &[(&str, &str)], expected: &str) {
    assert_eq!(told(pairs, &[], |view| content::input_messages(view)), parsed(expected));
}

#[track_caller]
fn assert_output(pairs: &[(&str, &str)], expected: &str) {
    assert_eq!(told(pairs, &[], |view| content::output_messages(view)), parsed(expected));
}

#[test]
fn a_list_of_messages_passes_unread() {
    let text = r#"[ {"role":"user","parts":[{"type":"text","content":"hi"}]} ]"#;
    let found = told(&[("gen_ai.input.messages", text)], &[], |view| {
        let found = content::input_messages(view);
        assert_eq!(found, Some(Value::Json(Cow::Borrowed(text))));
        found
    });
    assert_eq!(found, parsed(text));
}

#[test]
fn system_instructions_stand_in_front_unless_a_message_says_them() {
    let instructions = ("gen_ai.system_instructions", r#"[{"type":"text","content":"Be good."}]"#);
    let user = ("gen_ai.input.messages", r#"[{"role":"user","content":"hi"}]"#);
    let said = r#"[{"role":"system","parts":[{"type":"text","content":"Be good."}]},{"role":"user","content":"hi"}]"#;
    assert_input(&[instructions, user], r#"[{"role":"system","content":"Be good."},{"role":"user","content":"hi"}]"#);
    assert_input(&[instructions, ("gen_ai.input.messages", said)], said);
    assert_input(&[instructions], r#"[{"role":"system","content":"Be good."}]"#);
}

#[test]
fn gemini_messages_get_the_role_assistant_and_content() {
    assert_input(
        &[(
            "input.value",
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"ho"}]}],"config":{"system_instruction":"Be good."}}"#,
        )],
        r#"[{"role":"system","content":"Be good."},{"role":"user","parts":[{"text":"hi"}]},{"role":"assistant","content":[{"text":"ho"}]}]"#,
    );
}

#[test]
fn request_bodies_of_providers_become_messages() {
    assert_input(
        &[(
            "langfuse.observation.input",
            r#"{"model":"claude","system":"Be good.","messages":[{"role":"user","content":"hi"}]}"#,
        )],
        r#"[{"role":"system","content":"Be good."},{"role":"user","content":"hi"}]"#,
    );
    assert_input(
        &[(
            "mlflow.spanInputs",
            r#"{"input":[{"type":"function_call","name":"f","arguments":"{}","call_id":"c1"},{"type":"function_call_output","call_id":"c1","output":"4"}],"instructions":"Be good."}"#,
        )],
        r#"[{"role":"system","content":"Be good."},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"4","tool_call_id":"c1"}]"#,
    );
    assert_input(&[("ai.prompt", r#"{"prompt":"hi"}"#)], r#"[{"role":"user","content":"hi"}]"#);
    assert_input(
        &[("gen_ai.prompt", "{'messages': [{'role': 'user', 'content': 'it\\'s'}]}")],
        r#"[{"role":"user","content":"it's"}]"#,
    );
    assert_input(
        &[("langwatch.input", r#"{"type":"chat_messages","value":[{"role":"user","content":"hi"}]}"#)],
        r#"[{"role":"user","content":"hi"}]"#,
    );
}

#[test]
fn langchain_messages_are_read_in_all_three_forms() {
    let expected = r#"[{"role":"user","content":"hi"},{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":{"x":1}}}]}]"#;
    let call = r#""content":"","tool_calls":[{"name":"f","args":{"x":1},"id":"c1"}]"#;
    for (user, assistant) in [
        (r#"{"type":"human","content":"hi"}"#.to_owned(), format!(r#"{{"type":"ai",{call}}}"#)),
        (r#"{"type":"human","data":{"content":"hi"}}"#.to_owned(), format!(r#"{{"type":"ai","data":{{{call}}}}}"#)),
        (
            r#"{"lc":1,"type":"constructor","id":["langchain","HumanMessage"],"kwargs":{"content":"hi"}}"#.to_owned(),
            format!(r#"{{"lc":1,"type":"constructor","id":["x","AIMessage"],"kwargs":{{{call}}}}}"#),
        ),
    ] {
        assert_input(&[("input.value", &format!(r#"{{"messages":[[{user},{assistant}]]}}"#))], expected);
    }
}

#[test]
fn indexed_attributes_become_messages_in_the_order_of_their_indexes() {
    assert_input(
        &[
            ("gen_ai.prompt.10.content", "last"),
            ("gen_ai.prompt.2.role", "assistant"),
            ("gen_ai.prompt.2.tool_calls.0.name", "f"),
            ("gen_ai.prompt.2.tool_calls.0.arguments", r#""{\"x\":1}""#),
            ("gen_ai.prompt.0.role", "user"),
            ("gen_ai.prompt.0.content", r#"[{"type":"text","text":"hi"}]"#),
        ],
        r#"[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},{"role":"user","content":"last"}]"#,
    );
    assert_output(
        &[
            ("llm.output_messages.0.message.role", "assistant"),
            ("llm.output_messages.0.message.contents.0.message_content.type", "text"),
            ("llm.output_messages.0.message.contents.0.message_content.text", "ho"),
            ("llm.output_messages.0.message.contents.1.tool_call.id", "c1"),
            ("llm.output_messages.0.message.contents.1.tool_call.function.name", "f"),
            ("llm.output_messages.0.message.contents.1.tool_call.function.arguments", "{}"),
        ],
        r#"[{"role":"assistant","content":[{"type":"text","text":"ho"}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
    );
}

#[test]
fn span_events_of_the_older_conventions_become_messages() {
    let events: &[(&str, &[(&str, &str)])] = &[
        ("gen_ai.system.message", &[("content", "Be good.")]),
        ("gen_ai.user.message", &[("content", r#"[{"text":"hi"},{"toolResult":{"toolUseId":"t1","content":[]}}]"#)]),
        ("gen_ai.tool.message", &[("content", "4"), ("id", "c1")]),
        (
            "gen_ai.choice",
            &[
                ("message", r#"[{"toolUse":{"toolUseId":"t2","name":"f","input":{"x":1}}}]"#),
                ("finish_reason", "tool_use"),
            ],
        ),
    ];
    assert_eq!(
        told(&[], events, |view| content::input_messages(view)),
        parsed(
            r#"[{"role":"system","content":"Be good."},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"tool_result","tool_use_id":"t1","content":[]}]},{"role":"tool","content":"4","tool_call_id":"c1"}]"#
        ),
    );
    assert_eq!(
        told(&[], events, |view| content::output_messages(view)),
        parsed(
            r#"[{"role":"assistant","content":[{"type":"tool_use","id":"t2","name":"f","input":{"x":1}}],"finish_reason":"tool_use"}]"#
        ),
    );
    assert_eq!(told(&[], events, |view| content::tool_input(view)), parsed(r#""4""#));
}

#[test]
fn the_first_format_of_pydantic_ai_is_read_from_the_events_attribute() {
    let events = r#"[{"event.name":"gen_ai.user.message","role":"user","content":"hi"},{"event.name":"gen_ai.choice","index":0,"message":{"role":"assistant","content":"ho"}},{"event.name":"other"}]"#;
    assert_input(&[("events", events)], r#"[{"role":"user","content":"hi"}]"#);
    assert_output(&[("events", events)], r#"[{"role":"assistant","content":"ho"}]"#);
}

#[test]
fn vercels_answer_is_one_message() {
    assert_output(
        &[
            ("ai.response.text", "ho"),
            ("ai.response.reasoning", "hm"),
            ("ai.response.toolCalls", r#"[{"toolCallId":"c1","toolName":"f","input":"{}"}]"#),
        ],
        r#"[{"role":"assistant","content":[{"type":"reasoning","text":"hm"},{"type":"text","text":"ho"}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
    );
    assert_output(&[("ai.response.text", "")], r#"[{"role":"assistant","content":""}]"#);
    assert_output(&[("ai.response.object", "{}")], r#"[{"role":"assistant","content":"{}"}]"#);
}

#[test]
fn answers_of_providers_become_messages() {
    let choice = r#"{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"ho"}}]}"#;
    let expected = r#"[{"role":"assistant","content":"ho","finish_reason":"stop"}]"#;
    assert_output(&[("output.value", choice)], expected);
    assert_output(
        &[("mlflow.spanOutputs", &choice.replace("choices", "candidates").replace("message", "content"))],
        expected,
    );
    let generation = r#"{"generations":[[{"text":"x","generation_info":{"finish_reason":"stop"},"message":{"type":"ai","content":"ho"}}]]}"#;
    assert_output(&[("output.value", generation)], expected);
    assert_output(
        &[(
            "output.value",
            r#"{"output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},{"type":"message","role":"assistant","status":"completed","content":[]}]}"#,
        )],
        r#"[{"role":"assistant","content":[{"type":"reasoning","text":"hm"}]},{"type":"message","role":"assistant","status":"completed","content":[]}]"#,
    );
    assert_output(
        &[("gen_ai.completion", r#"{"completion":"ho","reasoning":"hm"}"#)],
        r#"[{"role":"assistant","content":"ho","reasoning":"hm"}]"#,
    );
}

#[test]
fn texts_of_an_embedding_are_told_from_messages() {
    let embedding = |pairs: &[(&str, &str)]| told(pairs, &[], |view| content::embedding_input(view));
    assert_eq!(embedding(&[("ai.values", r#"["\"a\"","b"]"#)]), parsed(r#"["a","b"]"#));
    assert_eq!(embedding(&[("ai.value", "\"a\"")]), parsed("\"a\""));
    assert_eq!(embedding(&[("input.value", r#"{"input":["a"],"model":"m"}"#)]), parsed(r#"["a"]"#));
    assert_eq!(embedding(&[("embedding.embeddings.0.embedding.text", "a")]), parsed(r#"["a"]"#));
    assert_eq!(embedding(&[("gen_ai.prompt.0.content", "a")]), parsed(r#"[{"role":"user","content":"a"}]"#));
}

#[test]
fn a_span_that_is_no_call_keeps_its_state_as_it_is() {
    let state = |pairs: &[(&str, &str)]| told(pairs, &[], |view| content::span_input(view));
    assert_eq!(state(&[("langfuse.observation.input", r#"{"args":[1]}"#)]), parsed(r#"{"args":[1]}"#));
    assert_eq!(state(&[("langfuse.observation.input", "plain")]), parsed("\"plain\""));
    let output = |pairs: &[(&str, &str)]| told(pairs, &[], |view| content::span_output(view));
    assert_eq!(output(&[("final_result", r#"{"city":"Paris"}"#)]), parsed(r#"{"city":"Paris"}"#));
    let all = r#"[{"role":"user","parts":[]},{"role":"assistant","parts":[1]},{"role":"user","parts":[]}]"#;
    assert_eq!(output(&[("pydantic_ai.all_messages", all)]), parsed(r#"{"role":"assistant","parts":[1]}"#));
}

#[test]
fn tools_are_found_where_only_the_request_names_them() {
    let body = r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"}}]}"#;
    let tools = parsed(r#"[{"type":"function","function":{"name":"f"}}]"#);
    assert_eq!(told(&[("input.value", body)], &[], |view| content::request_tools(view)), tools);
    assert_eq!(told(&[("llm.request.functions.0.name", "f")], &[], |view| content::traceloop_tools(view)), tools);
    let schema = r#"{"type":"function","function":{"name":"f"}}"#;
    assert_eq!(
        told(&[("llm.tools.0.tool.json_schema", schema)], &[], |view| content::openinference_tools(view)),
        tools
    );
}

#[test]
fn litellms_raw_request_is_read_from_python_literals() {
    let pairs = [
        ("llm.openai.messages", "[{'role': 'user', 'content': 'hi'}]"),
        ("llm.openai.model", "gpt-4o-mini"),
        ("llm.openai.choices", "[{'finish_reason': 'stop', 'message': {'role': 'assistant', 'content': None}}]"),
        (
            "llm.openai.usage",
            "{'prompt_tokens': 3, 'completion_tokens': 4, 'prompt_tokens_details': {'cached_tokens': 1}}",
        ),
    ];
    told(&pairs, &[], |view| {
        let raw = litellm::raw_request(view).expect("the keys are those of a raw request");
        assert_eq!((raw.provider.as_str(), raw.model.as_deref()), ("openai", Some("gpt-4o-mini")));
        assert_eq!((raw.input_tokens, raw.cache_read_input_tokens, raw.output_tokens), (Some(3), Some(1), Some(4)));
        assert_eq!(raw.stop_reason, Some(Value::Str(Cow::Borrowed("stop"))));
        assert_eq!(raw.input.map(tree), parsed(r#"[{"role":"user","content":"hi"}]"#));
        assert_eq!(raw.output.map(tree), parsed(r#"[{"role":"assistant","content":null,"finish_reason":"stop"}]"#));
        None
    });
}

#[test]
fn reasons_and_roles_are_read_out_of_unread_messages() {
    let messages = |text| Value::Json(Cow::Borrowed(text));
    assert_eq!(
        finish_reason_of(&messages(r#"[{"role":"assistant"},{"finish_reason":"stop"}]"#)).as_deref(),
        Some("stop")
    );
    assert_eq!(
        finish_reason_of(&messages(r#"[{"type":"message","status":"completed"}]"#)).as_deref(),
        Some("completed")
    );
    assert_eq!(finish_reason_of(&messages(r#"[{"status":"completed"}]"#)), None);
    assert!(has_user_text(&messages(r#"[{"role":"system"},{"role":"user"}]"#)));
    assert!(!has_user_text(&messages(r#"[{"role":"system","content":{"role":"user"}}]"#)));
}
