//! The shapes of single facts: providers, stop reasons, parameters, durations.

use std::borrow::Cow;

use crate::shape;
use crate::wire::Value;

/// Frameworks put their own name where the provider belongs; the provider is then known from elsewhere or not at all.
fn is_framework(name: &str) -> bool {
    matches!(
        name,
        "agno"
            | "autogen"
            | "crewai"
            | "dspy"
            | "gcp.vertex.agent"
            | "google_adk"
            | "haystack"
            | "langchain"
            | "langfuse"
            | "langgraph"
            | "litellm"
            | "llama_index"
            | "llamaindex"
            | "mastra"
            | "microsoft.agent_framework"
            | "openai_agents"
            | "openinference"
            | "openlit"
            | "openrouter"
            | "pydantic_ai"
            | "pydantic-ai"
            | "semantic_kernel"
            | "smolagents"
            | "strands"
            | "strands-agents"
            | "traceloop"
            | "vercel"
    )
}

/// What several systems call one provider. The names on the right are those that PostHog's price list knows.
fn one_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "aws.bedrock" | "aws_bedrock" | "amazon_bedrock" => "bedrock",
        "az.ai.inference" | "az.ai.openai" | "azure.ai.inference" | "azure.ai.openai" | "azure_openai" => "azure",
        "gcp.gemini"
        | "gcp.gen_ai"
        | "google.generative-ai"
        | "google.generative_ai"
        | "google_genai"
        | "google_generativeai" => "gemini",
        "gcp.vertex_ai" | "google.vertex" => "vertex_ai",
        "ibm.watsonx.ai" => "watsonx",
        "mistral_ai" | "mistralai" => "mistral",
        "x_ai" | "x-ai" => "xai",
        _ => return None,
    })
}

/// Providers that Vercel and others extend by the API: `openai.chat`, `openai.responses`, `anthropic.messages`.
const DOTTED: [&str; 12] = [
    "openai",
    "anthropic",
    "mistral",
    "cohere",
    "groq",
    "xai",
    "azure",
    "google",
    "perplexity",
    "deepseek",
    "togetherai",
    "fireworks",
];

const MODEL_PREFIXES: [(&str, &str); 13] = [
    ("claude", "anthropic"),
    ("gpt-", "openai"),
    ("chatgpt", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("gemini", "gemini"),
    ("command", "cohere"),
    ("mistral", "mistral"),
    ("codestral", "mistral"),
    ("grok", "xai"),
    ("deepseek", "deepseek"),
];

/// What a recorded request may say of its model's parameters. Everything else in it is content, or somebody's data.
const PARAMETER_NAMES: [&str; 27] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
    "stop",
    "stop_sequences",
    "n",
    "stream",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "reasoning_effort",
    "response_format",
    "service_tier",
    "verbosity",
    "logprobs",
    "top_logprobs",
    "dimensions",
    "encoding_format",
    "maxRetries",
];

/// The text in lower case; most texts already are.
pub(super) fn lower_case<'t>(text: &'t str) -> Cow<'t, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.bytes().all(is_lower) { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// The provider in lower case, one name for each; a framework's name is none, `vendor/model` gives the vendor.
pub(super) fn provider<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    let text = shape::quoted_text(value)?;
    let lower = lower_case(text.trim_matches(is_space));
    let name = lower.split('/').next().unwrap_or_default();
    if name.is_empty() || is_framework(name) {
        return None;
    }
    if let Some(one) = one_name(name) {
        return Some(Cow::Borrowed(one));
    }
    if let Some((head, _)) = name.split_once('.')
        && let Some(&provider) = DOTTED.iter().find(|&&provider| provider == head)
    {
        return Some(Cow::Borrowed(provider));
    }
    if name == text { Some(text) } else { Some(Cow::Owned(name.to_owned())) }
}

/// White space as Python's `str.strip` knows it: the information separators count.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

/// The provider that a well-known model name belongs to: the last resort.
pub(super) fn provider_of_model<'a>(model: &str) -> Option<Cow<'a, str>> {
    let name = lower_case(model);
    if name.contains('/') {
        return provider(&Value::Str(Cow::Owned(name.into_owned())));
    }
    let found = MODEL_PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
    found.map(|&(_, provider)| Cow::Borrowed(provider))
}

/// The first reason of a list, of JSON text of a list, or the text itself; `FinishReason.STOP` is `stop`.
pub(super) fn stop_reason<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    let parsed = match value {
        Value::Str(text) if text.starts_with(['[', '"']) => shape::parse_json(text),
        _ => None,
    };
    let value = match &parsed {
        Some(found @ (Value::Array(_) | Value::Str(_))) => found,
        _ => value,
    };
    let reason = match value {
        Value::Array(reasons) => reasons.iter().find_map(shape::text)?,
        _ => shape::text(value)?,
    };
    Some(match reason.rsplit_once('.') {
        Some((head, tail)) if head.ends_with("FinishReason") => Cow::Owned(tail.to_lowercase()),
        _ => reason.clone(),
    })
}

pub(super) fn milliseconds<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    as_f64(&shape::number(value)?).map(|number| Value::Double(number / 1000.0))
}

/// A number as a double, whichever way it is held.
pub(super) fn as_f64(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        Value::Json(text) => text.parse().ok(),
        _ => None,
    }
}

/// The model parameters of a JSON object.
pub(super) fn parameters<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    let Some(Value::Object(mut members)) = shape::parse_container(value) else { return None };
    members.retain(|(name, value)| *value != Value::Null && PARAMETER_NAMES.contains(&name.as_ref()));
    (!members.is_empty()).then_some(Value::Object(members))
}
