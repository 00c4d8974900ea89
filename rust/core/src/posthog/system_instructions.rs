//! `gen_ai.system_instructions` becomes a system message in front of the input. The attribute is removed either way.

use std::borrow::Cow;

use crate::keys::Key;
use crate::wire::Value;

use super::Draft;
use super::javascript::stringify;
use super::values::{self, Reader};

const MAX_LENGTH: usize = 500_000;

pub(super) fn map(draft: &mut Draft) {
    let Some(value) = draft.bag.remove(Key::GEN_AI_SYSTEM_INSTRUCTIONS) else { return };
    let Some(text) = text_of(value, draft.reader).filter(|text| !text.is_empty()) else { return };
    let message = values::message("system", Value::Str(text));
    let Some(input) = draft.bag.get(Key::P_AI_INPUT) else {
        draft.bag.set(Key::P_AI_INPUT, Value::Array(vec![message]));
        return;
    };
    let Some(elements) = draft.reader.elements(input) else { return };
    if elements.first().and_then(|first| values::member_text(first, "role")) != Some("system")
        && let Some(input) = draft.bag.remove(Key::P_AI_INPUT).and_then(|input| values::prepend(message, input))
    {
        draft.bag.set(Key::P_AI_INPUT, input);
    }
}

fn text_of<'a>(value: Value<'a>, reader: Reader) -> Option<Cow<'a, str>> {
    match &value {
        Value::Null => return None,
        Value::Str(text) if values::longer_than(text, MAX_LENGTH) => return None,
        _ => {}
    }
    let tree = match reader.parse_if_json(value) {
        Value::Str(text) => return Some(text),
        parsed => reader.tree(&parsed),
    };
    Some(Cow::Owned(match &tree {
        Value::Array(parts) => {
            let is_text = |part: &&Value| values::member_text(part, "type") == Some("text");
            let texts = parts.iter().filter(is_text).filter_map(|part| values::member_text(part, "content"));
            texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
        }
        other => stringify(other),
    }))
}
