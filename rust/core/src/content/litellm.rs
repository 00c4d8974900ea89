//! LiteLLM's raw request: `llm.<provider>.*`, the provider's own request and answer, as Python literals.

use std::borrow::Cow;

use crate::messages::{Members, request, response};
use crate::shape::{at, count, is_empty, parse_literal, text};
use crate::span::View;
use crate::wire::Value;

/// What a raw request says, in the provider's own words: provider, stop reason and tools still want their shapes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawRequest<'a> {
    /// The middle of `llm.<provider>.<member>`, as written; all attributes below `llm.<provider>.` are consumed.
    /// It may be the text `None`, which is no provider.
    pub provider: String,
    pub model: Option<Cow<'a, str>>,
    pub completion_id: Option<Cow<'a, str>>,
    pub input_tokens: Option<i64>,
    pub cache_read_input_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub stop_reason: Option<Value<'a>>,
    pub tools: Option<Value<'a>>,
    pub input: Option<Value<'a>>,
    pub output: Option<Value<'a>>,
}

/// The provider's name in a key `llm.<provider>.(messages|contents|choices|candidates)`.
pub fn raw_request_provider(key: &str) -> Option<&str> {
    let (provider, member) = key.strip_prefix("llm.")?.split_once('.')?;
    let is_raw = !provider.is_empty() && matches!(member, "messages" | "contents" | "choices" | "candidates");
    is_raw.then_some(provider)
}

/// The members of a request body that hold content.
const REQUEST_MEMBERS: [&str; 8] =
    ["messages", "input", "contents", "prompt", "config", "system", "instructions", "system_instruction"];
// The usage object of OpenAI's API and of Gemini's.
const INPUT_TOKENS: [&str; 3] = ["prompt_tokens", "input_tokens", "promptTokenCount"];
const CACHE_READ_INPUT_TOKENS: [&str; 2] = ["prompt_tokens_details.cached_tokens", "cachedContentTokenCount"];
const REASONING_TOKENS: [&str; 2] = ["completion_tokens_details.reasoning_tokens", "thoughtsTokenCount"];
const OUTPUT_TOKENS: [&str; 3] = ["completion_tokens", "output_tokens", "candidatesTokenCount"];

/// The raw request that a span of LiteLLM carries.
pub fn raw_request<'a>(view: &View<'_, 'a>) -> Option<RawRequest<'a>> {
    let attributes = || view.span.attributes.iter().filter(|attribute| attribute.value != Value::Null);
    let provider = attributes().find_map(|attribute| raw_request_provider(&attribute.key))?;
    let prefix = format!("llm.{provider}.");
    let body: Vec<(&str, &Value<'a>)> = attributes()
        .filter_map(|attribute| Some((attribute.key.strip_prefix(prefix.as_str())?, &attribute.value)))
        .collect();
    let value = |name: &str| body.iter().rev().find(|(member, _)| *member == name).map(|(_, value)| *value);
    let text_in = |names: [&str; 2]| names.into_iter().find_map(|name| value(name).and_then(text)).cloned();
    let literal = |name: &str| value(name).and_then(parse_literal);
    let filled = |name: &str| literal(name).filter(|found| !is_empty(found));

    let usage = filled("usage").or_else(|| literal("usageMetadata")).unwrap_or_default();
    let tokens = |paths: &[&str]| paths.iter().find_map(|path| at(&usage, path).and_then(count));
    let (answers_name, answers) = match filled("choices") {
        Some(choices) => ("choices", choices),
        None => ("candidates", filled("candidates").unwrap_or_default()),
    };
    let reason = ["0.finish_reason", "0.finishReason"]
        .into_iter()
        .find_map(|path| at(&answers, path).filter(|reason| is_truthy(reason)));
    let member = |name: &&'static str| Some((Cow::Borrowed(*name), literal(name)?));
    let request: Members<'a> = REQUEST_MEMBERS.iter().filter_map(member).collect();
    Some(RawRequest {
        model: text_in(["model", "modelVersion"]),
        completion_id: text_in(["id", "responseId"]),
        input_tokens: tokens(&INPUT_TOKENS),
        cache_read_input_tokens: tokens(&CACHE_READ_INPUT_TOKENS),
        reasoning_tokens: tokens(&REASONING_TOKENS),
        output_tokens: tokens(&OUTPUT_TOKENS),
        stop_reason: reason.cloned(),
        tools: literal("tools"),
        input: request::messages(Value::Object(request)),
        output: if is_empty(&answers) { None } else { response::messages(answer(answers_name, answers)) },
        provider: provider.to_owned(),
    })
}

fn answer<'a>(name: &'static str, answers: Value<'a>) -> Value<'a> {
    Value::Object(vec![(Cow::Borrowed(name), answers)])
}

fn is_truthy(value: &Value<'_>) -> bool {
    !is_empty(value) && !matches!(value, Value::Bool(false) | Value::Int(0)) && *value != Value::Double(0.0)
}
