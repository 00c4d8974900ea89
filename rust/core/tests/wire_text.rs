//! JSON text inside strings: recognised, parsed and written, against serde_json.

use std::borrow::Cow;

use proptest::prelude::*;
use spanmap_core::json::{Kind, Shape, mend, parse, replace_lone_surrogates, to_text, validate};
use spanmap_core::wire::Value;

const DEPTH: usize = 128;

fn written(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    to_text(value, &mut out);
    String::from_utf8(out).unwrap()
}

fn text(text: &str) -> Value<'_> {
    Value::Str(text.into())
}

#[test]
fn test_shape_names_the_top_value() {
    for (json, kind) in [
        ("null", Kind::Null),
        ("true", Kind::Bool),
        ("false", Kind::Bool),
        ("-1.5e3", Kind::Number),
        (" \"\" ", Kind::String),
        ("\t[1, {}]\n", Kind::Array),
        ("\r{\"a\" : [ ] }", Kind::Object),
    ] {
        assert_eq!(validate(json, DEPTH), Some(Shape { kind, lone_surrogates: false, huge_numbers: false }), "{json}");
    }
}

#[test]
fn test_text_that_is_not_json_is_not_taken_for_it() {
    for plain in [
        "",
        " ",
        "hello",
        "nul",
        "nulll",
        "None",
        "True",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "0x1",
        "1 2",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\n\"",
        "[",
        "[1,]",
        "[,]",
        "[1 2]",
        "{",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "[}",
        "{]",
        "[1]]",
        "{} x",
        "\u{feff}{}",
        "\u{a0}1",
        "// x\n1",
    ] {
        assert_eq!(validate(plain, DEPTH), None, "{plain}");
        assert_eq!(parse(plain, DEPTH), None, "{plain}");
    }
}

#[test]
fn test_numbers_keep_what_they_are() {
    let json = |text: &'static str| Value::Json(Cow::Borrowed(text));
    for (source, value, output) in [
        ("0", Value::Int(0), "0"),
        ("-0", Value::Int(0), "0"),
        ("9223372036854775807", Value::Int(i64::MAX), "9223372036854775807"),
        ("-9223372036854775808", Value::Int(i64::MIN), "-9223372036854775808"),
        ("9223372036854775808", json("9223372036854775808"), "9223372036854775808"),
        ("-99999999999999999999999999", json("-99999999999999999999999999"), "-99999999999999999999999999"),
        ("1.0", Value::Double(1.0), "1.0"),
        ("-0.0", Value::Double(-0.0), "-0.0"),
        ("1e3", Value::Double(1000.0), "1000.0"),
        ("0.1", Value::Double(0.1), "0.1"),
        ("1e999", Value::Double(f64::INFINITY), "null"),
    ] {
        assert_eq!(parse(source, DEPTH), Some(value.clone()), "{source}");
        assert_eq!(written(&value), output, "{source}");
    }
}

#[test]
fn test_objects_keep_each_key_once_at_its_first_place_with_its_last_value() {
    assert_eq!(
        parse(r#"{"a":1,"b":2,"a":[3],"c":4,"\u0061":{"x":5,"x":6}}"#, DEPTH),
        Some(Value::Object(vec![
            ("a".into(), Value::Object(vec![("x".into(), Value::Int(6))])),
            ("b".into(), Value::Int(2)),
            ("c".into(), Value::Int(4)),
        ]))
    );
}

#[test]
fn test_strings_are_borrowed_unless_they_hold_escapes() {
    assert!(matches!(parse("\"plain é\"", DEPTH), Some(Value::Str(Cow::Borrowed("plain é")))));
    assert_eq!(parse(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, DEPTH), Some(text("\"\\/\u{8}\u{c}\n\r\té😀")));
}

#[test]
fn test_every_length_of_plain_text_before_a_special_byte_is_measured() {
    for length in 0..40 {
        for special in ["\\n", "\\\"", "é\\\\", "\\u0041"] {
            let run = "x".repeat(length);
            let json = format!("\"{run}{special}{run}\"");
            let expected: String = serde_json::from_str(&json).unwrap();
            assert_eq!(parse(&json, DEPTH), Some(text(&expected)), "{json}");
            assert_eq!(serde_json::from_str::<String>(&written(&text(&expected))).unwrap(), expected);
        }
        for control in (0..0x20u8).chain([0x7f]) {
            let json = format!("\"{}{}{}\"", "x".repeat(length), char::from(control), "y".repeat(9));
            assert_eq!(validate(&json, DEPTH).is_some(), control == 0x7f, "{json:?}");
        }
    }
}

#[test]
fn test_numbers_beyond_the_doubles_become_null() {
    for (json, mended) in [
        ("[1e400, -1E+400,{\"1e400\":\"\\\"1e400\"}]", "[null, null,{\"1e400\":\"\\\"1e400\"}]"),
        ("[\"\\udfff\",1.5e309]", "[\"\\ufffd\",null]"),
        ("[1e308,1e0000001,1e-400]", "[1e308,1e0000001,1e-400]"),
    ] {
        assert_eq!(mend(json, validate(json, DEPTH).unwrap()), mended);
    }
    let digits = "9".repeat(400);
    let shape = validate(&digits, DEPTH).unwrap();
    assert_eq!(mend(&digits, shape), digits);
    let fraction = format!("{digits}.5");
    assert_eq!(mend(&fraction, validate(&fraction, DEPTH).unwrap()), "null");
}

#[test]
fn test_lone_surrogates_are_told_and_replaced() {
    for (json, mended) in [
        (r#""\ud800""#, r#""\ufffd""#),
        (r#"{"a\uDFFF":["\ud83d\ud83d\ude00x"]}"#, r#"{"a\ufffd":["\ufffd\ud83d\ude00x"]}"#),
        (r#""\\ud800\ude00""#, r#""\\ud800\ufffd""#),
        (r#""\ud800\n\udc00""#, r#""\ufffd\n\ufffd""#),
        (r#""\ud800\\udc00""#, r#""\ufffd\\udc00""#),
    ] {
        assert!(validate(json, DEPTH).unwrap().lone_surrogates, "{json}");
        let replaced = replace_lone_surrogates(json);
        assert_eq!(replaced, mended);
        assert_eq!(validate(&replaced, DEPTH).map(|shape| shape.lone_surrogates), Some(false));
        assert_eq!(parse(&replaced, DEPTH), parse(json, DEPTH));
    }
    for json in [r#""\ud83d\ude00""#, r#""\\ud800""#, r#""é""#, "[]"] {
        assert!(!validate(json, DEPTH).unwrap().lone_surrogates, "{json}");
        assert!(matches!(replace_lone_surrogates(json), Cow::Borrowed(_)), "{json}");
    }
}

#[test]
fn test_containers_nest_up_to_the_cap() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let levels = open.matches(['[', '{']).count();
        let json = |depth: usize| format!("{}1{}", open.repeat(depth / levels), close.repeat(depth / levels));
        assert!(validate(&json(12), 12).is_some() && parse(&json(12), 12).is_some(), "{open}");
        assert!(validate(&json(14), 12).is_none() && parse(&json(14), 12).is_none(), "{open}");
    }
    assert!(validate("1", 0).is_some() && parse("[]", 0).is_none());
    // Siblings do not add up.
    assert!(validate("[[],[],[[]]]", 3).is_some() && parse("[[],[],[[]]]", 3).is_some());
}

#[test]
fn test_values_are_written_compactly() {
    let value = Value::Object(vec![
        ("a\"\u{1}\u{1f}\u{7f}/".into(), Value::Array(vec![Value::Null, Value::Bool(true), Value::Bool(false)])),
        ("".into(), Value::Bytes(vec![0x00, 0xff, 0x0a].into())),
        (
            "n".into(),
            Value::Array(vec![Value::Double(f64::NAN), Value::Double(f64::NEG_INFINITY), Value::Double(1e300)]),
        ),
        ("j".into(), Value::Json(r#"{"x" : 1}"#.into())),
        ("e".into(), Value::Array(vec![Value::Array(vec![]), Value::Object(vec![])])),
    ]);
    let expected = r#"{"a\"\u0001\u001f"#.to_owned()
        + "\u{7f}"
        + r#"/":[null,true,false],"":"00ff0a","n":[null,null,1e300],"j":{"x" : 1},"e":[[],{}]}"#;
    assert_eq!(written(&value).replace("1e+300", "1e300"), expected);
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        proptest::num::f64::NORMAL.prop_map(Into::into),
        ".{0,20}".prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::vec((".{0,4}", inner), 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn test_what_serde_json_writes_is_read_and_written_back(value in json_value()) {
        for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert!(validate(&json, DEPTH).is_some());
            let parsed = parse(&json, DEPTH).unwrap();
            let back: serde_json::Value = serde_json::from_str(&written(&parsed)).unwrap();
            prop_assert_eq!(&back, &value);
        }
    }

    #[test]
    fn test_damaged_json_is_json_when_serde_json_says_so(
        value in json_value(), at in any::<prop::sample::Index>(), edit in "[\\[\\]{},:\"0-9a-z.\\\\ \u{1}é-]{0,2}",
    ) {
        let mut json: Vec<char> = value.to_string().chars().collect();
        let at = at.index(json.len());
        json.splice(at..(at + 1).min(json.len()), edit.chars());
        let json: String = json.into_iter().collect();
        let ours = validate(&json, DEPTH);
        prop_assert_eq!(ours.is_some(), parse(&json, DEPTH).is_some());
        // Numbers beyond a double and lone surrogates are JSON here and not there.
        let theirs = serde_json::from_str::<serde_json::Value>(&json);
        if !json.contains(['e', 'E']) && !ours.is_some_and(|shape| shape.lone_surrogates) {
            prop_assert_eq!(ours.is_some(), theirs.is_ok(), "{}", json);
        }
    }
}
