//! The texts that an embedding call was given.

use crate::keys::Key;
use crate::messages::{indexed, take};
use crate::shape::{parse_json, parse_literal};
use crate::span::View;
use crate::wire::Value;

/// One text or a list of texts, from the first home that has some.
pub(super) fn texts<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let own = [Key::AI_VALUES, Key::AI_VALUE, Key::INPUTS];
    let bodies = [Key::LANGFUSE_OBSERVATION_INPUT, Key::MLFLOW_SPAN_INPUTS, Key::INPUT_VALUE];
    indexed::embedding_texts(&view.span.attributes)
        .or_else(|| own.into_iter().find_map(|key| one_or_several(view.get(key)?)))
        .or_else(|| bodies.into_iter().find_map(|key| in_body(view, key)))
}

fn in_body<'a>(view: &View<'_, 'a>, key: Key) -> Option<Value<'a>> {
    match parse_literal(view.get(key)?) {
        Some(Value::Object(mut body)) => one_or_several(&take(&mut body, "input")),
        Some(Value::Array(items)) => several(items),
        _ => view.text(key).cloned().map(Value::Str),
    }
}

/// One text or a list of texts, each possibly as JSON text.
fn one_or_several<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    let text = match value {
        Value::Array(items) => return several(items.clone()),
        Value::Str(text) if !text.is_empty() => text,
        _ => return None,
    };
    let read = if text.starts_with(['"', '[']) { parse_json(text) } else { None };
    match read {
        Some(Value::Array(items)) => several(items),
        Some(Value::Str(inner)) => (!inner.is_empty()).then_some(Value::Str(inner)),
        _ => Some(value.clone()),
    }
}

fn several(mut items: Vec<Value<'_>>) -> Option<Value<'_>> {
    for item in &mut items {
        if let Value::Str(text) = item
            && text.starts_with('"')
        {
            *item = parse_json(text)?;
        }
    }
    let are_texts = !items.is_empty() && items.iter().all(|item| matches!(item, Value::Str(_)));
    are_texts.then_some(Value::Array(items))
}
