//! What a call used and cost: whether input tokens include the cached ones, and which costs PostHog may add up.

use super::facts::Facts;
use super::shapes::as_f64;
use super::traits::Traits;
use crate::keys::Key;
use crate::shape;
use crate::span::View;
use crate::wire::Value;

/// Which libraries leave cached tokens out of their input tokens, for documents; [`is_exclusive`] says the same.
pub(super) const CACHE_CONVENTIONS: [(&str, &str); 5] = [
    ("scope openlit*", "exclusive for Anthropic's models"),
    (
        "vercel",
        "exclusive for Anthropic's models, unless ai.usage.inputTokenDetails.* or openinference.span.kind is there",
    ),
    ("langfuse", "exclusive where usage_details has input, and for Anthropic's models without prompt_tokens"),
    ("any, more cached tokens than input tokens", "exclusive"),
    ("all others", "inclusive"),
];

/// States whether input tokens leave out the cached ones: a fact of the library, not of the key.
pub(super) fn set_cache_convention<'a>(view: &View<'_, 'a>, traits: Traits, facts: &mut Facts<'a>) {
    let read = facts.int(Key::P_AI_CACHE_READ_INPUT_TOKENS);
    let written = facts.int(Key::P_AI_CACHE_CREATION_INPUT_TOKENS);
    if read.is_none() && written.is_none() {
        return;
    }
    let exclusive = match view.get(Key::P_AI_CACHE_REPORTING_EXCLUSIVE) {
        Some(Value::Bool(explicit)) => *explicit,
        _ => {
            let cached = i128::from(read.unwrap_or(0)) + i128::from(written.unwrap_or(0));
            // With more cached tokens than input tokens the input cannot include them, and no bucket may go negative.
            facts.int(Key::P_AI_INPUT_TOKENS).is_some_and(|tokens| i128::from(tokens) < cached)
                || is_exclusive(view, traits, facts)
        }
    };
    facts.set(Key::P_AI_CACHE_REPORTING_EXCLUSIVE, Value::Bool(exclusive));
}

fn is_exclusive(view: &View<'_, '_>, traits: Traits, facts: &Facts<'_>) -> bool {
    let claude = |model: &str| model.to_lowercase().contains("claude");
    let anthropic = facts.text(Key::P_AI_PROVIDER).is_some_and(|provider| provider == "anthropic")
        || facts.text(Key::P_AI_MODEL).is_some_and(|model| claude(model));
    if view.scope.name.starts_with("openlit") {
        return anthropic;
    }
    if traits.has(Traits::VERCEL) && view.scope.name != "gen_ai" {
        return anthropic && !traits.has(Traits::TOKEN_DETAILS) && !view.has(Key::OPENINFERENCE_SPAN_KIND);
    }
    if traits.has(Traits::LANGFUSE) {
        let usage = view.get(Key::LANGFUSE_OBSERVATION_USAGE_DETAILS).and_then(shape::parse_container);
        let Some(Value::Object(usage)) = usage else { return false };
        let names = |name: &str| usage.iter().any(|(member, _)| member == name);
        return names("input") || (anthropic && !names("prompt_tokens"));
    }
    false
}

/// Keeps what the source reports; a total alone is marked, so that PostHog does not estimate over it.
pub(super) fn settle_costs(view: &View<'_, '_>, traits: Traits, facts: &mut Facts<'_>) {
    // Openlit says 0 when its price list does not know the model: that is no cost.
    let total = facts.get(Key::P_AI_TOTAL_COST_USD).and_then(as_f64);
    if total == Some(0.0) && view.scope.name.starts_with("openlit") {
        facts.take(Key::P_AI_TOTAL_COST_USD);
    }
    let parts = (facts.get(Key::P_AI_INPUT_COST_USD), facts.get(Key::P_AI_OUTPUT_COST_USD));
    let (has_parts, sum) = match parts {
        (Some(input), Some(output)) => (true, sum(input, output)),
        _ => (false, None),
    };
    facts.offer(Key::P_AI_TOTAL_COST_USD, sum);
    if facts.has(Key::P_AI_TOTAL_COST_USD) && (!has_parts || traits.has(Traits::OPENROUTER)) {
        facts.set(Key::P_AI_COST_PASSTHROUGH, Value::Bool(true));
    }
}

fn sum<'a>(a: &Value<'_>, b: &Value<'_>) -> Option<Value<'a>> {
    if let (Value::Int(a), Value::Int(b)) = (a, b)
        && let Some(sum) = a.checked_add(*b)
    {
        return Some(Value::Int(sum));
    }
    Some(Value::Double(as_f64(a)? + as_f64(b)?)).filter(|sum| !matches!(sum, Value::Double(sum) if !sum.is_finite()))
}
