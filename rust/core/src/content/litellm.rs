//! LiteLLM's raw request.

use std::borrow::Cow;

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
pub fn raw_request_provider(_key: &str) -> Option<&str> {
    None
}

/// The raw request that a span of LiteLLM carries.
pub fn raw_request<'a>(_view: &View<'_, 'a>) -> Option<RawRequest<'a>> {
    None
}
