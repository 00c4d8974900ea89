//! The messages of an answer: a list of messages, or a provider's response body as an object. OpenAI chat and text
//! completion (`choices`), OpenAI Responses (`output`), Anthropic (`content`), Gemini (`candidates`), LangChain
//! (`generations`), OpenRouter (`completion`).

use super::langchain::{generations, with_reason};
use super::request::is_wrapper;
use super::{Members, Message, conversation, gemini_message, get, list, members, one_message, take, text, unread};
use crate::shape;
use crate::wire::Value;

/// The messages that an attribute's text or value holds. JSON text that is a list of messages stays unread.
pub fn from_attribute<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    unread(value).or_else(|| messages(shape::loose(value)))
}

pub fn messages(value: Value<'_>) -> Option<Value<'_>> {
    let wraps = is_wrapper(&value);
    let Value::Object(mut body) = value else { return conversation(value, "assistant") };
    for name in ["choices", "candidates"] {
        if is_array(&body, name) {
            return list(elements(&mut body, name).into_iter().filter_map(choice_message));
        }
    }
    if is_array(&body, "generations") {
        return generations(elements(&mut body, "generations"));
    }
    if wraps {
        return messages(take(&mut body, "value"));
    }
    if is_array(&body, "output") {
        return conversation(take(&mut body, "output"), "assistant");
    }
    if get(&body, "content").is_some_and(|content| get(members(content), "parts").is_some()) {
        let Value::Object(content) = take(&mut body, "content") else { return None };
        return list([gemini_message(content, "assistant")]);
    }
    if get(&body, "completion").is_some() {
        return openrouter_answer(body);
    }
    if is_array(&body, "messages") {
        return conversation(take(&mut body, "messages"), "assistant");
    }
    list(one_message(Value::Object(body), "assistant"))
}

fn is_array(members: &Members<'_>, name: &str) -> bool {
    matches!(get(members, name), Some(Value::Array(_)))
}

fn elements<'a>(members: &mut Members<'a>, name: &str) -> Vec<Value<'a>> {
    match take(members, name) {
        Value::Array(elements) => elements,
        _ => Vec::new(),
    }
}

/// One choice of a completion: `{message, finish_reason}`, or `{text, finish_reason}` of a text completion.
fn choice_message(choice: Value<'_>) -> Option<Value<'_>> {
    let Value::Object(mut choice) = choice else { return None };
    let message = if let Some(Value::Object(_)) = get(&choice, "message") {
        one_message(take(&mut choice, "message"), "assistant")
    } else if let Some(Value::Str(_)) = get(&choice, "text") {
        Some(Message::of("assistant").with("content", take(&mut choice, "text")).into_value())
    } else if let Some(Value::Object(_)) = get(&choice, "content") {
        one_message(take(&mut choice, "content"), "assistant")
    } else {
        None
    };
    let reason = ["finish_reason", "finishReason"].into_iter().find_map(|name| get(&choice, name).and_then(text));
    Some(with_reason(message?, reason))
}

/// OpenRouter's `{completion, reasoning, toolCalls}`.
fn openrouter_answer(mut body: Members<'_>) -> Option<Value<'_>> {
    let mut message = Message::of("assistant");
    if let completion @ Value::Str(_) = take(&mut body, "completion") {
        message.put("content", completion);
    }
    message.put_text("reasoning", get(&body, "reasoning"));
    match take(&mut body, "toolCalls") {
        Value::Array(calls) if !calls.is_empty() => message.put("tool_calls", Value::Array(calls)),
        _ => {}
    }
    message.says_something().then(|| Value::Array(vec![message.into_value()]))
}
