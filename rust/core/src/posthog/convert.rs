//! What PostHog's ingestion worker makes of a captured span: the mapping that all spans go through, and around it the
//! dialect of the library that made the span. Of several dialects the first in the list below wins.

use std::borrow::Cow;

use crate::event::{EventName, Name};
use crate::keys::Key;
use crate::wire::Value;

use super::{Draft, anthropic, generic, pydantic_ai, traceloop, values, vercel};

pub(super) fn convert(draft: &mut Draft) {
    keep_debug_data(draft);
    if pydantic_ai::speaks(draft.bag) {
        generic::map(draft);
        pydantic_ai::map(draft);
    } else if traceloop::speaks(draft.bag) {
        generic::map(draft);
        traceloop::map(draft);
    } else if vercel::speaks(draft.bag) {
        let span = vercel::prepare(draft);
        generic::map(draft);
        vercel::map(draft, span);
    } else if anthropic::speaks(draft.bag) {
        let span = anthropic::prepare(draft);
        generic::map(draft);
        anthropic::map(draft, span);
    } else {
        generic::map(draft);
    }
    if let Some(conversation) = draft.bag.text(Key::GEN_AI_CONVERSATION_ID).filter(|text| !text.is_empty()).cloned() {
        draft.bag.set_if_absent(Key::P_AI_SESSION_ID, Value::Str(conversation));
    }
}

/// On demand of the span a copy of the captured properties travels with the event.
fn keep_debug_data<'a>(draft: &mut Draft<'_, 'a>) {
    // The worker reads the times from these two properties and removes them; here the draft knows them, so that they
    // are written only where they can be seen.
    draft.bag.remove_all(&[Key::P_OTEL_START_TIME_UNIX_NANO, Key::P_OTEL_END_TIME_UNIX_NANO]);
    if !draft.bag.get(Key::POSTHOG_AI_DEBUG).is_some_and(values::is_truthy) {
        return;
    }
    let text = |name: &Name<'a>| match name {
        Name::Known(key) => Cow::Borrowed(key.as_str()),
        Name::Other(text) => text.clone(),
    };
    let mut copy: Vec<_> = draft.bag.iter().map(|(name, value)| (text(name), value.clone())).collect();
    // An evaluation is a moment, and is captured without these two.
    let times = [
        (Key::P_OTEL_START_TIME_UNIX_NANO, draft.start_unix_nano),
        (Key::P_OTEL_END_TIME_UNIX_NANO, draft.end_unix_nano),
    ];
    for (key, unix_nano) in times.into_iter().filter(|_| draft.name != EventName::Evaluation) {
        copy.push((Cow::Borrowed(key.as_str()), Value::Str(Cow::Owned(unix_nano.to_string()))));
    }
    draft.bag.set(Key::P_AI_DEBUG_DATA, Value::Object(copy));
    draft.bag.set(Key::P_AI_DEBUG, Value::Bool(true));
}
