//! OTLP/JSON: every way of writing a member that is understood, and every refusal with its path.

mod recorder;

use recorder::{Call, from_json, from_proto, rejected, spans};
use spanmap_core::error::{Error, Kind};
use spanmap_core::limits::Limits;
use spanmap_core::wire::{OnError, Resource, Scope, Span, Value, json};

fn span_body(members: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#)
}

fn decode(body: &str) -> Result<Vec<Call<'_>>, Error> {
    from_json(body, &Limits::default(), OnError::Raise)
}

/// Asserts what one span's member becomes; `read` picks it out of the span.
fn understood<T: PartialEq + std::fmt::Debug>(cases: &[(&str, T)], read: impl Fn(&Span<'_>) -> T) {
    for (members, expected) in cases {
        let body = span_body(members);
        let calls = decode(&body).unwrap_or_else(|error| panic!("{members}: {error}"));
        assert_eq!(read(spans(&calls)[0]), *expected, "{members}");
    }
}

/// Asserts that the member is refused, at its own path and at the first byte of its value.
fn refused(path: &str, cases: &[&str]) {
    for members in cases {
        let body = span_body(members);
        let error = decode(&body).expect_err(members);
        assert_eq!(error.path(), format!("resource_spans[0].scope_spans[0].spans[0].{path}"), "{members}: {error}");
        assert_eq!(error.kind, Kind::Decode, "{members}: {error}");
        assert!(error.what.contains("where"), "{members}: {error}");
        assert!(error.advice.contains("OTLP/JSON"), "{members}: {error}");
        let before = body.as_bytes()[error.offset - 1];
        assert!(matches!(before, b':' | b'[' | b',' | b' '), "{members}: offset {} of {body}", error.offset);
        let skipped = from_json(&body, &Limits::default(), OnError::Skip).unwrap();
        assert_eq!(rejected(&skipped), [error.path()], "{members}");
        assert!(spans(&skipped).is_empty());
    }
}

fn value_of(json: &str) -> Result<Value<'static>, Error> {
    let body = span_body(&format!(r#""attributes":[{{"key":"k","value":{json}}}]"#));
    let body: &'static str = body.leak();
    decode(body).map(|calls| spans(&calls)[0].attributes[0].value.clone())
}

#[test]
fn test_ids_are_hex_of_either_case_or_base64_of_their_exact_length() {
    let sixteen: Vec<u8> = (0xf0..=0xff).collect();
    let eight = vec![0xfb, 0xff, 0xfe, 0, 1, 2, 3, 4];
    understood(
        &[
            (r#""traceId":"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff""#, sixteen.clone()),
            (r#""traceId":"F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF""#, sixteen.clone()),
            (r#""trace_id":"8PHy8/T19vf4+fr7/P3+/w==""#, sixteen.clone()),
            (r#""traceId":"8PHy8_T19vf4-fr7_P3-_w==""#, sixteen.clone()),
            (r#""traceId":"8PHy8/T19vf4+fr7/P3+/w""#, sixteen),
            (r#""traceId":"+//+AAECAwQ=""#, eight.clone()),
            (r#""traceId":"-__-AAECAwQ""#, eight),
            (r#""traceId":"""#, vec![]),
            (r#""traceId":null"#, vec![]),
            (r#""traceId":"AbCd""#, vec![0xab, 0xcd]),
            (r#""traceId":"\u0030\u0031""#, vec![1]),
            (r#""traceId":"000102030405060708090a0b""#, (0..12).collect()),
        ],
        |span| span.trace_id.to_vec(),
    );
    refused(
        "trace_id",
        &[
            r#""traceId":"abc""#,
            r#""traceId":"xy""#,
            r#""traceId": 5"#,
            r#""traceId":{}"#,
            r#""traceId":"8PHy8/T19vf4+fr7/P3+""#,
            r#""traceId":"8PHy8/T19vf4+fr7/P3+/w=""#,
            r#""traceId":"8PHy8/T19vf4+fr7/P3+/wAA""#,
            r#""traceId":"+//+AAECAw==""#,
            r#""traceId":"+//+ AAECAwQ""#,
        ],
    );
    understood(&[(r#""spanId":"01""#, vec![1]), (r#""span_id":"01""#, vec![1])], |span| span.span_id.to_vec());
    understood(&[(r#""parentSpanId":"01""#, vec![1]), (r#""parent_span_id":"01""#, vec![1])], |span| {
        span.parent_span_id.to_vec()
    });
}

#[test]
fn test_times_are_numbers_or_strings_of_64_bits() {
    understood(
        &[
            (r#""startTimeUnixNano":"18446744073709551615""#, u64::MAX),
            (r#""startTimeUnixNano":18446744073709551615"#, u64::MAX),
            (r#""start_time_unix_nano":"007""#, 7),
            (r#""startTimeUnixNano":1.7e18"#, 1_700_000_000_000_000_000),
            (r#""startTimeUnixNano":5.0"#, 5),
            (r#""startTimeUnixNano":-0"#, 0),
            (r#""startTimeUnixNano":-0.0"#, 0),
            (r#""startTimeUnixNano":null"#, 0),
            (r#""startTimeUnixNano" : 5 "#, 5),
        ],
        |span| span.start_unix_nano,
    );
    refused(
        "start_time_unix_nano",
        &[
            r#""startTimeUnixNano":"""#,
            r#""startTimeUnixNano":"+5""#,
            r#""startTimeUnixNano":"-5""#,
            r#""startTimeUnixNano":" 5""#,
            r#""startTimeUnixNano":"5.0""#,
            r#""startTimeUnixNano":-5"#,
            r#""startTimeUnixNano":5.5"#,
            r#""startTimeUnixNano":"18446744073709551616""#,
            r#""startTimeUnixNano":18446744073709551616"#,
            r#""startTimeUnixNano":18446744073709551616.0"#,
            r#""startTimeUnixNano":1e400"#,
            r#""startTimeUnixNano":true"#,
            r#""startTimeUnixNano":["5"]"#,
        ],
    );
    understood(&[(r#""endTimeUnixNano":5"#, 5), (r#""end_time_unix_nano":"5""#, 5)], |span| span.end_unix_nano);
    understood(&[(r#""events":[{"timeUnixNano":5}]"#, 5), (r#""events":[{"time_unix_nano":"5"}]"#, 5)], |span| {
        span.events[0].time_unix_nano
    });
    refused("events[1].time_unix_nano", &[r#""events":[{},{"timeUnixNano":-1}]"#]);
}

#[test]
fn test_flags_are_unsigned_and_have_32_bits() {
    understood(
        &[
            (r#""flags":257"#, 257),
            (r#""flags":"257""#, 257),
            (r#""flags":4294967295.0"#, u32::MAX),
            (r#""flags":null"#, 0),
        ],
        |span| span.flags,
    );
    refused("flags", &[r#""flags":4294967296"#, r#""flags":-1"#, r#""flags":{}"#]);
    refused("links[0].flags", &[r#""links":[{"flags":4294967296}]"#]);
}

#[test]
fn test_enums_are_numbers_or_names() {
    understood(
        &[
            (r#""kind":3"#, 3),
            (r#""kind":"3""#, 3),
            (r#""kind":"SPAN_KIND_CLIENT""#, 3),
            (r#""kind":"SPAN_KIND_UNSPECIFIED""#, 0),
            (r#""kind":"SPAN_KIND_CONSUMER""#, 5),
            (r#""kind":-2147483648"#, i32::MIN),
            (r#""kind":99"#, 99),
            (r#""kind":null"#, 0),
        ],
        |span| span.kind,
    );
    refused(
        "kind",
        &[
            r#""kind":"CLIENT""#,
            r#""kind":"SPAN_KIND_client""#,
            r#""kind":"STATUS_CODE_OK""#,
            r#""kind":2147483648"#,
            r#""kind":3.0"#,
            r#""kind":"""#,
            r#""kind":true"#,
        ],
    );
    understood(
        &[
            (r#""status":{"code":2,"message":"m"}"#, (2, "m".to_owned())),
            (r#""status":{"code":"STATUS_CODE_ERROR"}"#, (2, String::new())),
            (r#""status":{"code":"STATUS_CODE_UNSET"}"#, (0, String::new())),
            (r#""status":{}"#, (0, String::new())),
            (r#""status":null"#, (0, String::new())),
        ],
        |span| (span.status_code, span.status_message.to_string()),
    );
    refused("status.code", &[r#""status":{"code":"ERROR"}"#, r#""status":{"code":2.0}"#, r#""status":{"code":[]}"#]);
    refused("status.message", &[r#""status":{"message":5}"#]);
    refused("status", &[r#""status":2"#, r#""status":[]"#]);
}

#[test]
fn test_values_are_read_in_every_way_in_which_they_are_written() {
    let cases: &[(&str, Value<'_>)] = &[
        (r#"{"stringValue":"a\n\u00e9\ud83d\ude00"}"#, Value::Str("a\né😀".into())),
        (r#"{"string_value":"a"}"#, Value::Str("a".into())),
        (r#"{"stringValue":"\ud800x\udc00\ud800\u0041"}"#, Value::Str("\u{fffd}x\u{fffd}\u{fffd}A".into())),
        (r#"{"boolValue":true}"#, Value::Bool(true)),
        (r#"{"boolValue":"false"}"#, Value::Bool(false)),
        (r#"{"intValue":"-9223372036854775808"}"#, Value::Int(i64::MIN)),
        (r#"{"intValue":9223372036854775807}"#, Value::Int(i64::MAX)),
        (r#"{"intValue":"+5"}"#, Value::Int(5)),
        (r#"{"intValue":5.0}"#, Value::Int(5)),
        (r#"{"intValue":-1e3}"#, Value::Int(-1000)),
        (r#"{"intValue":-0}"#, Value::Int(0)),
        (r#"{"intValue":-9223372036854775808.0}"#, Value::Int(i64::MIN)),
        (r#"{"doubleValue":5}"#, Value::Double(5.0)),
        (r#"{"doubleValue":"1e-3"}"#, Value::Double(0.001)),
        (r#"{"doubleValue":"Infinity"}"#, Value::Double(f64::INFINITY)),
        (r#"{"doubleValue":"-Infinity"}"#, Value::Double(f64::NEG_INFINITY)),
        (r#"{"doubleValue":1e999}"#, Value::Double(f64::INFINITY)),
        (r#"{"bytesValue":"+/8="}"#, Value::Bytes(vec![0xfb, 0xff].into())),
        (r#"{"bytesValue":"-_8"}"#, Value::Bytes(vec![0xfb, 0xff].into())),
        (r#"{"bytesValue":""}"#, Value::Bytes(vec![].into())),
        (r#"{"arrayValue":{}}"#, Value::Array(vec![])),
        (r#"{"arrayValue":{"values":null}}"#, Value::Array(vec![])),
        (
            r#"{"array_value":{"values":[null,{},{"intValue":1},"a",{"stringValue":null}]}}"#,
            Value::Array(vec![Value::Int(1), Value::Str("a".into())]),
        ),
        (r#"{"kvlistValue":{}}"#, Value::Object(vec![])),
        (
            r#"{"kvlistValue":{"values":[{"key":"a","value":{"intValue":1}},null,{"key":"b"},{"value":"c"}]}}"#,
            Value::Object(vec![
                ("a".into(), Value::Int(1)),
                ("b".into(), Value::Null),
                ("".into(), Value::Str("c".into())),
            ]),
        ),
        (
            r#"{"kvlist_value":{"values":{"a":1,"b":2,"a":"x"}}}"#,
            Value::Object(vec![("a".into(), Value::Str("x".into())), ("b".into(), Value::Int(2))]),
        ),
        (r#""plain""#, Value::Str("plain".into())),
        ("true", Value::Bool(true)),
        ("5", Value::Int(5)),
        ("5.0", Value::Double(5.0)),
        ("9223372036854775808", Value::Double(9_223_372_036_854_775_808.0)),
        (
            r#"[1,null,["a",{"intValue":2}]]"#,
            Value::Array(vec![Value::Int(1), Value::Array(vec![Value::Str("a".into()), Value::Int(2)])]),
        ),
        ("null", Value::Null),
        ("{}", Value::Null),
        (r#"{"someValue":[1,{"a":2}]}"#, Value::Null),
        (r#"{"intValue":null,"stringValue":"a","boolValue":null}"#, Value::Str("a".into())),
        (r#"{"stringValue":"a","intValue":1}"#, Value::Str("a".into())),
        (r#"{"intValue":1,"boolValue":true,"arrayValue":{},"doubleValue":2}"#, Value::Int(1)),
        (r#"{"kvlistValue":{},"intValue":1}"#, Value::Object(vec![])),
        (r#"{"stringValue":"a","intValue":1,"stringValue":null}"#, Value::Int(1)),
        (r#"{"stringValue":"a","string_value":"b"}"#, Value::Str("b".into())),
        (r#"{"intValue":"x","intValue":1}"#, Value::Int(1)),
    ];
    for (text, expected) in cases {
        assert_eq!(value_of(text).unwrap_or_else(|error| panic!("{text}: {error}")), *expected, "{text}");
    }
    assert!(matches!(value_of(r#"{"doubleValue":"NaN"}"#).unwrap(), Value::Double(number) if number.is_nan()));
}

#[test]
fn test_values_that_cannot_be_understood_are_refused_at_their_member() {
    let cases: &[(&str, &[&str])] = &[
        ("string_value", &["5", "{}", "[]", "true"]),
        ("bool_value", &["1", r#""True""#, r#""""#, "{}"]),
        (
            "int_value",
            &[
                r#""""#,
                r#""x""#,
                r#""5.0""#,
                r#"" 5""#,
                "5.5",
                "1e19",
                "9223372036854775808",
                "9223372036854775808.0",
                "-9223372036854777856.0",
                "true",
                "{}",
            ],
        ),
        (
            "double_value",
            &[r#""""#, r#""inf""#, r#""nan""#, r#""+1""#, r#"".5""#, r#""1.""#, r#"" 1""#, r#""01""#, "true", "[]"],
        ),
        ("bytes_value", &[r#""A""#, r#""AA=""#, r#""AAA==""#, r#""A A=""#, r#""AA\n""#, r#""é""#, "5", "[0]"]),
        ("array_value", &["[]", "5", r#""a""#]),
        ("array_value.values", &[r#"{"values":{}}"#, r#"{"values":5}"#]),
        ("array_value.values[1].int_value", &[r#"{"values":[1,{"intValue":"x"}]}"#]),
        ("kvlist_value", &["[]", "5"]),
        ("kvlist_value.values", &[r#"{"values":5}"#]),
        ("kvlist_value.values[0]", &[r#"{"values":[5]}"#]),
        ("kvlist_value.values[0].key", &[r#"{"values":[{"key":5}]}"#]),
        ("kvlist_value.values.b.int_value", &[r#"{"values":{"a":1,"b":{"intValue":"x"}}}"#]),
    ];
    for (path, values) in cases {
        let member = path.split(['.', '[']).next().unwrap();
        for value in *values {
            let body = format!(r#""attributes":[{{"value":{{"{member}":{value}}}}}]"#);
            refused(&format!("attributes[0].value.{path}"), &[&body]);
        }
    }
    // A member that does not win has to be well-typed all the same.
    refused("attributes[0].value.int_value", &[r#""attributes":[{"value":{"intValue":"x","stringValue":"wins"}}]"#]);
}

#[test]
fn test_attributes_are_a_list_or_an_object() {
    type Pairs = Vec<(String, Value<'static>)>;
    let pair = |key: &str, number| (key.to_owned(), Value::Int(number));
    let cases: &[(&str, Pairs)] = &[
        (
            r#""attributes":[{"key":"a","value":{"intValue":1}},null,{"value":2,"key":"a"}]"#,
            vec![pair("a", 1), pair("a", 2)],
        ),
        (
            r#""attributes":[{"value":{"intValue":1}},{"key":null,"value":2},{}]"#,
            vec![pair("", 1), pair("", 2), (String::new(), Value::Null)],
        ),
        (
            r#""attributes":{"a":{"intValue":1},"b":2,"a":3,"c":null}"#,
            vec![pair("a", 3), pair("b", 2), ("c".into(), Value::Null)],
        ),
        (r#""attributes":{"a":{"intValue":"x"},"a":3}"#, vec![pair("a", 3)]),
        (r#""attributes":null"#, vec![]),
        (r#""attributes":[]"#, vec![]),
        (r#""attributes":{}"#, vec![]),
        (r#""attributes":[{"key":"a"}],"attributes":[{"key":"b","value":1}]"#, vec![pair("b", 1)]),
        (r#""attributes":[{"key":"a"}],"attributes":null"#, vec![]),
    ];
    understood(cases, |span| {
        let pairs = span.attributes.iter();
        pairs.map(|attribute| (attribute.key.to_string(), into_owned(&attribute.value))).collect()
    });
    refused("attributes", &[r#""attributes":5"#, r#""attributes":"a""#]);
    refused("attributes[1]", &[r#""attributes":[{},5]"#, r#""attributes":[null,"a"]"#]);
    refused("attributes[0].key", &[r#""attributes":[{"key":5}]"#]);
    refused("attributes.b.int_value", &[r#""attributes":{"a":1,"b":{"intValue":"x"}}"#]);
}

fn into_owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Int(number) => Value::Int(*number),
        Value::Null => Value::Null,
        other => panic!("{other:?}"),
    }
}

#[test]
fn test_many_duplicate_names_in_an_object_keep_their_first_place_and_last_value() {
    let names: Vec<String> = (0..300).map(|index| format!(r#""k{}":{index}"#, index % 100)).collect();
    let body = span_body(&format!(r#""attributes":{{{}}}"#, names.join(",")));
    let calls = decode(&body).unwrap();
    let attributes = &spans(&calls)[0].attributes;
    assert_eq!(attributes.len(), 100);
    for (index, attribute) in attributes.iter().enumerate() {
        assert_eq!(attribute.key, format!("k{index}"));
        assert_eq!(attribute.value, Value::Int(200 + index as i64));
    }
}

#[test]
fn test_last_duplicate_member_counts_and_the_ones_before_only_have_to_be_json() {
    let text = |text: &str| text.to_owned();
    understood(
        &[
            (r#""name":"a","name":"b""#, text("b")),
            (r#""name":5,"name":"b""#, text("b")),
            (r#""name":{"x":[1,2]},"kind":1,"name":"b","unknown":{}"#, text("b")),
            (r#""name":"a","name":null"#, text("")),
            (r#""name":5,"name":6,"name":"c""#, text("c")),
            (r#""n\u0061me":"escaped""#, text("escaped")),
        ],
        |span| span.name.to_string(),
    );
    understood(&[(r#""startTimeUnixNano":"x","start_time_unix_nano":5"#, 5)], |span| span.start_unix_nano);
    understood(&[(r#""status":{"code":2,"message":"m"},"status":{"code":1}"#, (1, text("")))], |span| {
        (span.status_code, span.status_message.to_string())
    });
    refused("name", &[r#""name":"a","name":5"#, r#""name":5,"kind":1"#]);
    // The first of two errors is told, and only if nothing replaces it.
    refused("kind", &[r#""name":5,"kind":"x","name":"a""#]);
}

#[test]
fn test_resource_and_scope_come_first_whatever_the_order_in_the_text() {
    let body = r#"{"resourceSpans":[{
        "scopeSpans":[{"spans":[{"name":"s"}],"schemaUrl":"u","scope":{"name":"n","version":"v","attributes":{"a":1}}}],
        "resource":{"attributes":{"r":1}}, "schema_url":null}]}"#;
    let calls = decode(body).unwrap();
    let [Call::Resource(resource), Call::Scope(scope), Call::Span(span)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(resource.attributes[0].key, "r");
    assert_eq!((scope.name.as_ref(), scope.version.as_ref(), scope.attributes.len()), ("n", "v", 1));
    assert_eq!(span.name, "s");
}

#[test]
fn test_duplicate_containers_are_replaced_as_a_whole() {
    let one = |name: &str| format!(r#"[{{"scopeSpans":[{{"spans":[{{"name":"{name}"}}]}}]}}]"#);
    let names = |body: &str| -> Vec<String> {
        let calls = from_json(body, &Limits { max_spans: 1, ..Limits::default() }, OnError::Raise).unwrap();
        assert_eq!(calls.iter().filter(|call| matches!(call, Call::Resource(_))).count(), 1);
        spans(&calls).iter().map(|span| span.name.to_string()).collect()
    };
    assert_eq!(names(&format!(r#"{{"resourceSpans":{},"resource_spans":{}}}"#, one("a"), one("b"))), ["b"]);
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}],"resource":{"attributes":{"r":1}},
        "scopeSpans":[{"spans":[{"name":5}],"spans":[{"name":"b"}],"scope":{"name":"x"},"scope":null}]}]}"#;
    assert_eq!(names(body), ["b"]);
    let calls = decode(body).unwrap();
    assert!(matches!(&calls[0], Call::Resource(resource) if resource.attributes.len() == 1));
    assert_eq!(calls[1], Call::Scope(Scope::default()));
    let nothing = format!(r#"{{"resourceSpans":{},"resourceSpans":null}}"#, one("a"));
    assert_eq!(decode(&nothing).unwrap(), []);
    let rejected_and_replaced = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}],"spans":[]}]}]}"#;
    let calls = from_json(rejected_and_replaced, &Limits::default(), OnError::Skip).unwrap();
    assert_eq!(rejected(&calls), [""; 0]);
}

#[test]
fn test_bodies_without_spans_are_no_error() {
    for body in [
        "{}",
        " \t\r\n{ } \n",
        "\u{feff}{}",
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":[null]}"#,
        r#"{"somethingElse":[{"a":[[]]}]}"#,
        r#"{"resource_spans":[]}"#,
    ] {
        assert_eq!(decode(body).unwrap(), [], "{body}");
    }
    for body in [
        r#"{"resourceSpans":[{}]}"#,
        r#"{"resourceSpans":[{"resource":null,"scopeSpans":null}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[null]}]}"#,
    ] {
        assert_eq!(decode(body).unwrap(), [Call::Resource(Resource::default())], "{body}");
    }
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}"#;
    assert_eq!(decode(body).unwrap().len(), 2);
}

#[test]
fn test_wrong_types_outside_spans_raise_even_when_skipping() {
    for (body, path) in [
        (r#"{"resourceSpans":5}"#, "resource_spans"),
        (r#"{"resourceSpans":{}}"#, "resource_spans"),
        (r#"{"resourceSpans":[5]}"#, "resource_spans[0]"),
        (r#"{"resourceSpans":[{"resource":[]}]}"#, "resource_spans[0].resource"),
        (r#"{"resourceSpans":[{"schemaUrl":5}]}"#, "resource_spans[0].schema_url"),
        (
            r#"{"resourceSpans":[{"scopeSpans":[null,{"scope":{"name":5}}]}]}"#,
            "resource_spans[0].scope_spans[1].scope.name",
        ),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}"#, "resource_spans[0].scope_spans[0].spans"),
        (r#"{"resourceSpans":[{"scopeSpans":[{"schema_url":[]}]}]}"#, "resource_spans[0].scope_spans[0].schema_url"),
    ] {
        for on_error in [OnError::Raise, OnError::Skip] {
            let error = from_json(body, &Limits::default(), on_error).expect_err(body);
            assert_eq!((error.path().as_str(), error.kind), (path, Kind::Decode), "{body}");
        }
    }
    for body in ["[]", "5", r#""text""#, "null"] {
        assert_eq!(decode(body).expect_err(body).what, "is not a JSON object");
    }
}

#[test]
fn test_text_that_is_not_json_raises_with_its_offset() {
    for (body, offset) in [
        (" ", 1),
        ("{", 1),
        ("{]", 1),
        ("{}}", 2),
        ("{} {}", 3),
        ("{},", 2),
        (r#"{"a":1,}"#, 7),
        (r#"{"a":[1,]}"#, 8),
        (r#"{"a":[,]}"#, 6),
        (r#"{"a" 1}"#, 5),
        (r#"{"a":}"#, 5),
        (r#"{a:1}"#, 1),
        (r#"{'a':1}"#, 1),
        (r#"{"a":NaN}"#, 5),
        (r#"{"a":Infinity}"#, 5),
        (r#"{"a":-Infinity}"#, 6),
        (r#"{"a":01}"#, 6),
        (r#"{"a":1.}"#, 7),
        (r#"{"a":.5}"#, 5),
        (r#"{"a":1e}"#, 7),
        (r#"{"a":+1}"#, 5),
        (r#"{"a":tru}"#, 5),
        (r#"{"a":nul}"#, 5),
        (r#"{"a":[1 2]}"#, 8),
        (r#"{"a":"b"#, 7),
        (r#"{"a":"\x"}"#, 6),
        (r#"{"a":"\u12g4"}"#, 6),
        (r#"{"a":"\u12"}"#, 6),
        ("{\"a\":\"\n\"}", 6),
        ("{\"a\":\"\u{0}\"}", 6),
        (r#"{"a":1 // comment"#, 7),
        ("{\u{feff}}", 1),
        (r#"{"a":[1}"#, 7),
        (r#"{"a":{"b":1]}"#, 11),
    ] {
        let error = decode(body).expect_err(body);
        assert_eq!(error.offset, offset, "{body}: {error}");
        assert!(error.what.starts_with("is not sound JSON: ") && error.advice.contains("RFC 8259"), "{error}");
        assert!(from_json(body, &Limits::default(), OnError::Skip).is_err(), "{body}");
    }
    assert_eq!(decode("").unwrap_err().what, "is empty");
}

#[test]
fn test_broken_json_in_a_span_raises_with_the_path_even_when_skipping() {
    for (members, path) in [
        (r#""name":tru"#, ".name"),
        (r#""name":"a" "kind":1"#, ""),
        (r#""attributes":[{"value":{"intValue":01}}]"#, ".attributes[0].value"),
        (r#""unknown":[1,}"#, ""),
        // Broken JSON is told before a wrong type in front of it.
        (r#""name":5,"kind":tru"#, ".kind"),
    ] {
        let body = span_body(members);
        for on_error in [OnError::Raise, OnError::Skip] {
            let error = from_json(&body, &Limits::default(), on_error).expect_err(members);
            assert!(error.what.contains("is not sound JSON"), "{error}");
            assert_eq!(error.path(), format!("resource_spans[0].scope_spans[0].spans[0]{path}"), "{members}");
        }
    }
}

#[test]
fn test_body_that_is_not_utf8_raises_with_the_byte() {
    let mut body = span_body(r#""name":"a""#).into_bytes();
    let at = body.len() / 2;
    body[at] = 0xff;
    let mut recorder = recorder::Recorder::default();
    let error = json::decode(&body, &Limits::default(), OnError::Skip, &mut recorder).unwrap_err();
    assert_eq!(error.offset, at);
    assert_eq!(error.what, "is not UTF-8 (byte 0xff)");
    assert!(recorder.calls.is_empty());
}

#[test]
fn test_nothing_is_delivered_of_a_request_that_fails() {
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":5}]}]}]}"#;
    let mut recorder = recorder::Recorder::default();
    json::decode(body.as_bytes(), &Limits::default(), OnError::Raise, &mut recorder).unwrap_err();
    assert!(recorder.calls.is_empty());
}

#[test]
fn test_skip_rejects_bad_spans_in_their_place() {
    let body =
        r#"{"resourceSpans":[null,{"scopeSpans":[{"spans":[{"name":"a"},{"name":5,"kind":1},7,{"name":"b"}]}]}]}"#;
    let calls = from_json(body, &Limits::default(), OnError::Skip).unwrap();
    let place = "resource_spans[1].scope_spans[0].spans";
    assert_eq!(rejected(&calls), [format!("{place}[1].name"), format!("{place}[2]")]);
    assert!(matches!(calls[3], Call::Rejected(_)), "in document order");
    assert_eq!(spans(&calls).len(), 2);
}

fn limit_of(body: &str, limits: &Limits, on_error: OnError) -> Option<&'static str> {
    match from_json(body, limits, on_error) {
        Err(error) => match error.kind {
            Kind::Limit(cap) => {
                assert!(error.advice.contains(&format!("limits.{cap}")), "{error}");
                Some(cap)
            }
            Kind::Decode => panic!("{error}"),
        },
        Ok(_) => None,
    }
}

#[test]
fn test_caps_hold_at_their_value_and_refuse_one_more() {
    let limits = Limits { max_spans: 2, max_attributes: 2, max_span_events: 2, max_nesting: 2, ..Limits::default() };
    let many = |one: &str, count: usize| vec![one; count].join(",");
    let nested = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let value = |value: String| span_body(&format!(r#""attributes":{{"k":{value}}}"#));
    type Body<'b> = &'b dyn Fn(usize) -> String;
    let cases: &[(&str, Body<'_>)] = &[
        ("max_spans", &|count| {
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, many("{}", count))
        }),
        ("max_attributes", &|count| span_body(&format!(r#""attributes":[{}]"#, many("{}", count)))),
        ("max_attributes", &|count| span_body(&format!(r#""attributes":{{{}}}"#, many(r#""a":1"#, count)))),
        ("max_attributes", &|count| span_body(&format!(r#""events":[{{"attributes":[{}]}}]"#, many("{}", count)))),
        ("max_attributes", &|count| span_body(&format!(r#""links":[{{"attributes":[{}]}}]"#, many("{}", count)))),
        ("max_span_events", &|count| span_body(&format!(r#""events":[{}]"#, many("{}", count)))),
        ("max_span_events", &|count| span_body(&format!(r#""links":[{}]"#, many("{}", count)))),
        ("max_nesting", &|count| value(nested("[", "]", count))),
        ("max_nesting", &|count| value(nested(r#"{"arrayValue":{"values":["#, "]}}", count))),
        ("max_nesting", &|count| value(nested(r#"{"kvlistValue":{"values":{"a":"#, "}}}", count))),
    ];
    for (cap, body) in cases {
        assert_eq!(limit_of(&body(2), &limits, OnError::Raise), None, "{cap}");
        assert_eq!(limit_of(&body(3), &limits, OnError::Raise), Some(*cap));
        let spared = if *cap == "max_spans" { Some(*cap) } else { None };
        assert_eq!(limit_of(&body(3), &limits, OnError::Skip), spared, "a cap in a span costs that span");
    }
}

#[test]
fn test_containers_nest_up_to_the_cap_in_any_member() {
    let limits = Limits { max_json_nesting: 9, ..Limits::default() };
    // The span's members lie in seven containers.
    for member in ["name", "unknown", "attributes"] {
        let body = |depth: usize| span_body(&format!(r#""{member}":{}{}"#, "[".repeat(depth), "]".repeat(depth)));
        let cap = |depth| match from_json(&body(depth), &limits, OnError::Skip).map_err(|error| error.kind) {
            Err(Kind::Limit(cap)) => Some(cap),
            _ => None,
        };
        assert_eq!(cap(2), None, "{member}");
        assert_eq!(cap(3), Some("max_json_nesting"), "{member}");
    }
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(2_000_000), "]".repeat(2_000_000));
    assert_eq!(limit_of(&deep, &Limits { max_json_nesting: usize::MAX, ..Limits::default() }, OnError::Raise), None);
}

#[test]
fn test_errors_in_nested_duplicates_cost_no_exponential_time() {
    let depth = 30;
    let open = r#"{"arrayValue":{"values":["#.repeat(depth);
    let close = r#"]},"stringValue":"a","stringValue":null}"#.repeat(depth);
    let body = span_body(&format!(r#""attributes":[{{"value":{open}{{"intValue":"x"}}{close}}}]"#));
    let error = decode(&body).unwrap_err();
    assert_eq!(error.path().matches("array_value.values[0]").count(), depth);
}

#[test]
fn test_one_request_in_both_encodings_gives_the_same_calls() {
    let json = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"r","value":{"stringValue":"v"}}]},"scopeSpans":[
        {"scope":{"name":"n","version":"1"},"spans":[{"traceId":"01","spanId":"02","parentSpanId":"03","traceState":"t",
        "flags":1,"name":"s","kind":3,"startTimeUnixNano":"4","endTimeUnixNano":"5","status":{"code":2,"message":"m"},
        "events":[{"name":"e","timeUnixNano":"6"}],"links":[{"traceId":"07","spanId":"08"}]}]}]}]}"#;
    let span = b"\x0a\x01\x01\x12\x01\x02\x1a\x01t\x22\x01\x03\x2a\x01s\x30\x03\
        \x39\x04\0\0\0\0\0\0\0\x41\x05\0\0\0\0\0\0\0\x5a\x0c\x09\x06\0\0\0\0\0\0\0\x12\x01e\
        \x6a\x06\x0a\x01\x07\x12\x01\x08\x7a\x05\x12\x01m\x18\x02\x85\x01\x01\0\0\0";
    let field = |number: u8, content: &[u8]| [&[number << 3 | 2, content.len() as u8], content].concat();
    let scope_spans = [field(1, b"\x0a\x01n\x12\x011"), field(2, span)].concat();
    let resource = field(1, b"\x0a\x01r\x12\x03\x0a\x01v");
    let proto = field(1, &[field(1, &resource), field(2, &scope_spans)].concat());
    assert_eq!(decode(json).unwrap(), from_proto(&proto, &Limits::default(), OnError::Raise).unwrap());
}
