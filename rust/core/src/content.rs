//! What was said: the messages of a call, and the input and output of everything else.
//!
//! Comes in: a span whose attributes are plain ([`shape::make_plain`]). Goes out: the content from the first home that
//! has some. Refuses nothing: what cannot be read as content is left where it is.

use crate::keys::Key;
use crate::messages::{indexed, into_items, list, member_text, members, request, response, unread, with_system};
use crate::shape::{self, is_empty, parse_container};
use crate::span::View;
use crate::wire::{Attribute, Value};

pub mod embedding;
pub mod events;
pub mod litellm;
mod vercel;

/// Homes of a whole request, tried after those that only ever hold messages.
const INPUT_HOMES: [Key; 7] = [
    Key::GEN_AI_PROMPT,
    Key::LANGWATCH_INPUT,
    Key::GCP_VERTEX_AGENT_LLM_REQUEST,
    Key::LLM_PROMPTS,
    Key::INPUT_VALUE,
    Key::LLM_PROMPT,
    Key::PROMPT,
];
/// Homes of a whole answer, tried after those that only ever hold messages.
const OUTPUT_HOMES: [Key; 7] = [
    Key::GEN_AI_COMPLETION,
    Key::LANGWATCH_OUTPUT,
    Key::GCP_VERTEX_AGENT_LLM_RESPONSE,
    Key::OUTPUT_VALUE,
    Key::LLM_COMPLETION,
    Key::LLM_RESPONSE,
    Key::COMPLETION,
];
/// Attributes that hold a request body, whose tools nothing else names.
const TOOL_HOMES: [Key; 4] =
    [Key::MLFLOW_SPAN_INPUTS, Key::INPUT_VALUE, Key::LANGFUSE_OBSERVATION_INPUT, Key::GEN_AI_PROMPT];

/// The conversation that a generation was asked to continue, from the first home that has one.
pub fn input_messages<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let attributes = &view.span.attributes;
    let request_in = |keys: &[Key]| keys.iter().find_map(|key| view.get(*key).and_then(request::from_attribute));
    let found = stored_input(view)
        .or_else(|| request_in(&[Key::AI_PROMPT]))
        .or_else(|| indexed::traceloop(attributes, "gen_ai.prompt.", "user"))
        .or_else(|| indexed::openinference(attributes, "llm.input_messages.", "user"))
        .or_else(|| request_in(&[Key::LANGFUSE_OBSERVATION_INPUT, Key::MLFLOW_SPAN_INPUTS]))
        .or_else(|| list(events::in_attribute(view, events::Side::Input)))
        .or_else(|| events::input_in_span_events(view))
        .or_else(|| request_in(&INPUT_HOMES));
    match view.get(Key::GEN_AI_SYSTEM_INSTRUCTIONS) {
        Some(instructions) => with_system(found, instructions),
        None => match pydantic_instructions(view) {
            Some(instructions) => with_system(found, &instructions),
            None => found,
        },
    }
}

/// The attributes made for input messages. The first that has content decides, even if that is no message.
fn stored_input<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    for key in [Key::GEN_AI_INPUT_MESSAGES, Key::AI_PROMPT_MESSAGES] {
        let Some(value) = view.get(key) else { continue };
        if let Some(messages) = unread(value) {
            return Some(messages);
        }
        if let Some(found) = parse_container(value).filter(|found| !is_empty(found)) {
            return request::messages(found);
        }
    }
    None
}

/// Pydantic AI keeps the instructions of a failed call only in `model_request_parameters`.
fn pydantic_instructions<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let parameters = view.get(Key::MODEL_REQUEST_PARAMETERS)?;
    shape::json_member(parameters, "instruction_parts")?.filter(|parts| matches!(parts, Value::Array(_)))
}

/// What the model answered, from the first home that has something.
pub fn output_messages<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let attributes = &view.span.attributes;
    let response_in = |keys: &[Key]| keys.iter().find_map(|key| view.get(*key).and_then(response::from_attribute));
    if let Some(stored) = stored_output(view) {
        return stored;
    }
    vercel::answer(view)
        .or_else(|| indexed::traceloop(attributes, "gen_ai.completion.", "assistant"))
        .or_else(|| indexed::openinference(attributes, "llm.output_messages.", "assistant"))
        .or_else(|| response_in(&[Key::LANGFUSE_OBSERVATION_OUTPUT, Key::MLFLOW_SPAN_OUTPUTS]))
        .or_else(|| list(events::in_attribute(view, events::Side::Output)))
        .or_else(|| events::output_in_span_events(view))
        .or_else(|| response_in(&OUTPUT_HOMES))
}

/// The attribute made for output messages, if it has content: whatever it holds then decides.
fn stored_output<'a>(view: &View<'_, 'a>) -> Option<Option<Value<'a>>> {
    let value = view.get(Key::GEN_AI_OUTPUT_MESSAGES)?;
    let found = match unread(value) {
        Some(messages) => Some(messages),
        None => response::messages(parse_container(value).filter(|found| !is_empty(found))?),
    };
    if !view.has(Key::GEN_AI_COMPLETION_0_FUNCTION_CALL_NAME) {
        return Some(found);
    }
    // LiteLLM leaves the tool calls out of its messages and writes them as indexed attributes.
    let calls = indexed::traceloop(&view.span.attributes, "gen_ai.completion.", "assistant");
    Some(list([found, calls].into_iter().flatten().flat_map(into_items)))
}

/// The input of a span that is no call: its own state first, else the conversation it carries.
pub fn span_input<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    let states = [Key::GEN_AI_INPUT_MESSAGES, Key::PYDANTIC_AI_ALL_MESSAGES, Key::LANGFUSE_OBSERVATION_INPUT];
    let state =
        states.into_iter().find_map(|key| shape::container_text(view.get(key)?).filter(|state| !is_empty(state)));
    state
        .or_else(|| view.text(Key::LANGFUSE_OBSERVATION_INPUT).cloned().map(Value::Str))
        .or_else(|| input_messages(view))
}

/// The output of a span that is no call.
pub fn span_output<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    if let Some(result) = view.get(Key::FINAL_RESULT).filter(|result| !is_empty(result)) {
        return Some(shape::container_text(result).unwrap_or_else(|| result.clone()));
    }
    output_messages(view).or_else(|| view.text(Key::LANGFUSE_OBSERVATION_OUTPUT).cloned().map(Value::Str)).or_else(
        || {
            let messages = into_items(parse_container(view.get(Key::PYDANTIC_AI_ALL_MESSAGES)?)?);
            let is_answer =
                |message: &Value<'_>| member_text(members(message), "role").is_some_and(|role| role == "assistant");
            messages.into_iter().rev().find(is_answer)
        },
    )
}

/// The arguments of a tool run that no attribute names: Strands puts them in a span event.
pub fn tool_input<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    told(view, "gen_ai.tool.message", "content").or_else(|| state(view, Key::LANGFUSE_OBSERVATION_INPUT))
}

/// The result of a tool run that no attribute names.
pub fn tool_output<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    told(view, "gen_ai.choice", "message").or_else(|| state(view, Key::LANGFUSE_OBSERVATION_OUTPUT))
}

/// What the first span event of this name tells under a key.
fn told<'a>(view: &View<'_, 'a>, event: &str, key: &str) -> Option<Value<'a>> {
    let mut events = view.span.events.iter().filter(|candidate| candidate.name == event);
    events.find_map(|event| last(&event.attributes, key).filter(|value| !is_empty(value))).map(shape::loose_text)
}

fn state<'a>(view: &View<'_, 'a>, key: Key) -> Option<Value<'a>> {
    view.get(key).filter(|value| !is_empty(value)).map(shape::loose_text)
}

/// The last attribute with this key that has a value.
fn last<'v, 'a>(attributes: &'v [Attribute<'a>], key: &str) -> Option<&'v Value<'a>> {
    let mut named = attributes.iter().rev().filter(|attribute| attribute.key == key);
    named.find(|attribute| attribute.value != Value::Null).map(|attribute| &attribute.value)
}

/// What was embedded: one text, a list of texts, or messages where the source wrote messages.
pub fn embedding_input<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    embedding::texts(view).or_else(|| input_messages(view))
}

/// Tools that only the recorded request body names.
pub fn request_tools<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    TOOL_HOMES.into_iter().find_map(|key| shape::tools(&shape::member(view.get(key)?, "tools")?))
}

/// `llm.request.functions.N.name|description|parameters`.
pub fn traceloop_tools<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    indexed::traceloop_tools(&view.span.attributes)
}

/// `llm.tools.N.tool.json_schema`.
pub fn openinference_tools<'a>(view: &View<'_, 'a>) -> Option<Value<'a>> {
    indexed::openinference_tools(&view.span.attributes)
}
