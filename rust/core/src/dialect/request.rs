//! What a call was asked: the parameters of the model, and LiteLLM's record of the provider's own request.

use std::borrow::Cow;

use super::facts::Facts;
use super::keyset::KeySet;
use super::rule::Shape;
use super::shapes;
use crate::content::litellm;
use crate::keys::Key;
use crate::shape;
use crate::span::View;
use crate::wire::Value;

/// A model's parameters, by the name that they have in PostHog: every attribute that may hold one.
pub const PARAMETERS: [(&str, &[Key]); 11] = [
    ("temperature", &[Key::GEN_AI_REQUEST_TEMPERATURE, Key::AI_SETTINGS_TEMPERATURE]),
    ("top_p", &[Key::GEN_AI_REQUEST_TOP_P, Key::AI_SETTINGS_TOP_P]),
    ("top_k", &[Key::GEN_AI_REQUEST_TOP_K, Key::AI_SETTINGS_TOP_K]),
    ("max_tokens", &[Key::GEN_AI_REQUEST_MAX_TOKENS, Key::AI_SETTINGS_MAX_OUTPUT_TOKENS, Key::AI_SETTINGS_MAX_TOKENS]),
    (
        "frequency_penalty",
        &[Key::GEN_AI_REQUEST_FREQUENCY_PENALTY, Key::LLM_FREQUENCY_PENALTY, Key::AI_SETTINGS_FREQUENCY_PENALTY],
    ),
    (
        "presence_penalty",
        &[Key::GEN_AI_REQUEST_PRESENCE_PENALTY, Key::LLM_PRESENCE_PENALTY, Key::AI_SETTINGS_PRESENCE_PENALTY],
    ),
    ("stop", &[Key::GEN_AI_REQUEST_STOP_SEQUENCES, Key::AI_SETTINGS_STOP_SEQUENCES]),
    ("seed", &[Key::GEN_AI_REQUEST_SEED, Key::GEN_AI_OPENAI_REQUEST_SEED, Key::AI_SETTINGS_SEED]),
    ("n", &[Key::GEN_AI_REQUEST_CHOICE_COUNT]),
    ("stream", &[Key::GEN_AI_REQUEST_STREAM, Key::GEN_AI_IS_STREAMING, Key::LLM_IS_STREAMING]),
    ("reasoning_effort", &[Key::GEN_AI_REQUEST_REASONING_EFFORT]),
];

/// Collects the parameters that attributes hold, and adds them to those of a recorded request.
pub(super) fn set_parameters<'a>(view: &View<'_, 'a>, consumed: &mut KeySet, facts: &mut Facts<'a>) {
    let mut found: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    for (name, keys) in PARAMETERS {
        let mut is_found = false;
        for &key in keys {
            let Some(value) = view.get(key) else { continue };
            consumed.insert(key);
            if !is_found && !shape::is_empty(value) {
                found.push((Cow::Borrowed(name), value.clone()));
                is_found = true;
            }
        }
    }
    if found.is_empty() {
        return;
    }
    let given = facts.get(Key::P_AI_MODEL_PARAMETERS).and_then(shape::parse_container);
    let parameters = match given {
        Some(Value::Object(mut given)) => {
            found.retain(|(name, _)| given.iter().all(|(other, _)| other != name));
            given.append(&mut found);
            given
        }
        _ => found,
    };
    facts.set(Key::P_AI_MODEL_PARAMETERS, Value::Object(parameters));
}

/// Reads LiteLLM's raw request, if the span is one. Gives the provider's name as it stands in the consumed keys
/// `llm.<provider>.<member>`.
pub(super) fn read_raw_request<'a>(view: &View<'_, 'a>, facts: &mut Facts<'a>) -> Option<String> {
    let raw = litellm::raw_request(view)?;
    facts.offer(Key::P_AI_MODEL, raw.model.map(Value::Str));
    let provider = Value::Str(Cow::Owned(raw.provider.clone()));
    let provider = shapes::provider(&provider).filter(|_| raw.provider != "None");
    facts.offer(Key::P_AI_PROVIDER, provider.map(Value::Str));
    facts.offer(Key::P_AI_COMPLETION_ID, raw.completion_id.map(Value::Str));
    facts.offer(Key::P_AI_INPUT_TOKENS, raw.input_tokens.map(Value::Int));
    facts.offer(Key::P_AI_CACHE_READ_INPUT_TOKENS, raw.cache_read_input_tokens.map(Value::Int));
    facts.offer(Key::P_AI_REASONING_TOKENS, raw.reasoning_tokens.map(Value::Int));
    facts.offer(Key::P_AI_OUTPUT_TOKENS, raw.output_tokens.map(Value::Int));
    facts.offer(Key::P_AI_STOP_REASON, raw.stop_reason.as_ref().and_then(|reason| Shape::StopReason.read(reason)));
    facts.offer(Key::P_AI_TOOLS, raw.tools.as_ref().and_then(|tools| Shape::Tools.read(tools)));
    facts.offer(Key::P_AI_INPUT, raw.input);
    facts.offer(Key::P_AI_OUTPUT_CHOICES, raw.output);
    Some(raw.provider)
}
