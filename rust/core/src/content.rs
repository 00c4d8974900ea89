//! What was said in a span.

use crate::span::View;
use crate::wire::Value;

pub mod litellm;

/// The conversation that a generation was asked to continue.
pub fn input_messages<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// What the model answered.
pub fn output_messages<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// What was embedded.
pub fn embedding_input<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// The input of a span that is no call.
pub fn span_input<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// The output of a span that is no call.
pub fn span_output<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// The arguments of a tool run that no attribute names.
pub fn tool_input<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// The result of a tool run that no attribute names.
pub fn tool_output<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// Tools that only the recorded request body names.
pub fn request_tools<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// `llm.request.functions.N.name|description|parameters`.
pub fn traceloop_tools<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}

/// `llm.tools.N.tool.json_schema`.
pub fn openinference_tools<'a>(_view: &View<'_, 'a>) -> Option<Value<'a>> {
    None
}
