//! What must not travel: blobs, vectors, secrets; and, in privacy mode, content.
//!
//! Comes in: an attribute's key, or a value on its way into an event. Goes out: a verdict on the key, or the value with
//! a marker in place of everything harmful. Refuses nothing.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::shape::{self, MAX_NESTING};
use crate::wire::Value;

mod blob;

/// So many numbers are a vector, and so many numbered bytes a blob.
const MIN_NUMBERS: usize = 64;

/// The value with base64 of 1 KiB and more, vectors and byte maps replaced by a marker that says kind and size.
pub fn scrub(mut value: Value<'_>) -> Value<'_> {
    scrub_in_place(&mut value);
    value
}

/// As [`scrub`]. Whether anything was replaced.
pub fn scrub_in_place(value: &mut Value<'_>) -> bool {
    let marker = match value {
        Value::Str(text) => blob::scrubbed(text),
        Value::Json(text) if blob::may_hide_in_json(text) => {
            let Some(mut read) = crate::json::parse(text, MAX_NESTING).map(Value::into_owned) else { return false };
            // An integer beyond 64 bits stays JSON text when it is read: it would be read again and again.
            if matches!(read, Value::Json(_)) || !scrub_in_place(&mut read) {
                return false;
            }
            *value = read;
            return true;
        }
        Value::Array(elements) if elements.len() >= MIN_NUMBERS && elements.iter().all(is_number) => {
            Some(blob::vector_marker(elements.len()))
        }
        Value::Object(members) if members.len() >= MIN_NUMBERS && members.iter().all(is_numbered_byte) => {
            Some(blob::byte_map_marker(members.len()))
        }
        Value::Array(elements) => {
            return elements.iter_mut().fold(false, |changed, element| scrub_in_place(element) | changed);
        }
        Value::Object(members) => {
            return members.iter_mut().fold(false, |changed, (_, member)| scrub_in_place(member) | changed);
        }
        _ => None,
    };
    let Some(marker) = marker else { return false };
    *value = Value::Str(Cow::Owned(marker));
    true
}

fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Int(_) | Value::Double(_) | Value::Json(_))
}

fn is_numbered_byte((name, value): &(Cow<'_, str>, Value<'_>)) -> bool {
    let is_index = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    is_index && matches!(value, Value::Int(0..))
}

/// What may travel of a value that no rule has read: the value without secret members, scrubbed.
pub fn clean(mut value: Value<'_>) -> Value<'_> {
    strip_secrets(&mut value);
    scrub(value)
}

/// Takes secret members out, at whatever depth; JSON text or a Python literal that holds one is opened. Whether it held one.
fn strip_secrets(value: &mut Value<'_>) -> bool {
    match value {
        Value::Object(members) => {
            let count = members.len();
            members.retain(|(name, _)| !is_secret(name));
            let inner = members.iter_mut().fold(false, |changed, (_, member)| strip_secrets(member) | changed);
            inner || members.len() != count
        }
        Value::Array(elements) => elements.iter_mut().fold(false, |changed, element| strip_secrets(element) | changed),
        Value::Str(text) | Value::Json(text) if may_hold_secret(text) => {
            let Some(mut found) = shape::parse_literal(value).map(Value::into_owned) else { return false };
            let changed = strip_secrets(&mut found);
            if changed {
                *value = found;
            }
            changed
        }
        _ => false,
    }
}

/// Whether a text is a container that is worth opening to look for a secret member.
fn may_hold_secret(text: &str) -> bool {
    const HINTS: [&str; 10] =
        ["key", "authorization", "cookie", "password", "token", "header", "requester", "hidden", "entity", "creator"];
    if !text.starts_with(['{', '[']) {
        return false;
    }
    let text = text.to_ascii_lowercase();
    HINTS.iter().any(|hint| text.contains(hint))
}

/// Attributes and metadata that hold credentials, or tell about the account behind them. Keys are compared in lower case,
/// with `_` for `-`.
pub fn is_secret(key: &str) -> bool {
    const ENDINGS: [&str; 8] =
        ["api_key", "authorization", "cookie", "password", "access_token", "auth_token", "refresh_token", "secret_key"];
    let fold = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    let folded: SmallVec<[u8; 64]> = key.bytes().map(fold).collect();
    // The text, or its part behind a dot or underscore, is the word.
    let ends_with = |text: &[u8], word: &str| match text.strip_suffix(word.as_bytes()) {
        Some(rest) => matches!(rest.last(), None | Some(b'.' | b'_')),
        None => false,
    };
    let mut segments = folded.split(|&byte| byte == b'.').peekable();
    let mut before: &[u8] = b"";
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let is_of_account = before == b"openrouter" && matches!(segment, b"entity_id" | b"creator_user_id");
        let is_header = ends_with(segment, "header") || ends_with(segment, "headers");
        let is_proxy = segment.starts_with(b"user_api_key") || segment.starts_with(b"requester_");
        if is_proxy || is_header || (is_last && (is_of_account || segment == b"hidden_params")) {
            return true;
        }
        before = segment;
    }
    ENDINGS.iter().any(|word| ends_with(&folded, word))
}

/// Attributes that repeat what an event already says, describe the exporter, or only make sense to it.
pub fn is_noise(key: &str) -> bool {
    matches!(
        key,
        "logfire.json_schema"
            | "logfire.msg_template"
            | "logfire.span_type"
            | "logfire.level_num"
            | "logfire.metrics"
            | "langfuse.internal.is_app_root"
            | "langfuse.internal.as_root"
            | "mlflow.spanLogLevel"
            | "mlflow.traceRequestId"
            | "mlflow.message.format"
            | "input.mime_type"
            | "output.mime_type"
            | "gen_ai.client.token.usage"
            | "gen_ai.usage.total_tokens"
            | "llm.usage.total_tokens"
            | "llm.token_count.total"
            | "span.level"
            | "span.type"
            | "code.filepath"
            | "code.function"
            | "code.lineno"
            | "error.stack_trace"
            | "pydantic_ai.new_message_index"
            | "operation.name"
            | "resource.name"
    ) || key.starts_with("telemetry.sdk.")
        || key.starts_with("mlflow.chunk.")
}

/// Attributes that hold what was said: read by rules, never passed through raw, and gone in privacy mode.
pub fn is_content(key: &str) -> bool {
    is_content_key(key) || is_in_content_family(key) || is_raw_request(key)
}

fn is_content_key(key: &str) -> bool {
    matches!(
        key,
        "input.value"
            | "output.value"
            | "inputs"
            | "traceloop.entity.input"
            | "traceloop.entity.output"
            | "langfuse.observation.input"
            | "langfuse.observation.output"
            | "langfuse.trace.input"
            | "langfuse.trace.output"
            | "mlflow.spanInputs"
            | "mlflow.spanOutputs"
            | "mlflow.chat.tools"
            | "pydantic_ai.all_messages"
            | "all_messages_events"
            | "events"
            | "final_result"
            | "request_data"
            | "response_data"
            | "model_request_parameters"
            | "tool_arguments"
            | "tool_response"
            | "instructions"
            | "tools"
            | "messages"
            | "prompt"
            | "input"
            | "output"
            | "span.input"
            | "span.output"
            | "trace.input"
            | "trace.output"
            | "langwatch.input"
            | "langwatch.output"
            | "anthropic.tool_result.content"
            | "tool.parameters"
            | "gcp.vertex.agent.llm_request"
            | "gcp.vertex.agent.llm_response"
            | "gcp.vertex.agent.tool_call_args"
            | "gcp.vertex.agent.tool_response"
            | "gcp.vertex.agent.data"
            | "logfire.msg"
            | "metadata.usage_object"
            | "gen_ai.usage.raw"
    )
}

/// Names of attributes that hold content themselves, and so do all attributes below them, by the name's first part.
const GEN_AI: [&str; 11] = [
    "input",
    "output",
    "prompt",
    "completion",
    "system_instructions",
    "content",
    "tool.call.arguments",
    "tool.call.result",
    "tool.args",
    "task.input",
    "task.output",
];
const LLM: [&str; 8] = [
    "input_messages",
    "output_messages",
    "prompts",
    "completions",
    "request.functions",
    "tools",
    "prompt_template.template",
    "prompt_template.variables",
];
const AI: [&str; 14] = [
    "prompt",
    "value",
    "values",
    "embedding",
    "embeddings",
    "schema",
    "response.text",
    "response.object",
    "response.reasoning",
    "response.toolCalls",
    "response.files",
    "response.providerMetadata",
    "toolCall.args",
    "toolCall.result",
];
/// Prefixes below which everything is content.
const CONTENT_PREFIXES: [&str; 5] =
    ["mlflow.chunk.", "embedding.embeddings.", "retrieval.documents.", "reranker.", "lk."];

fn is_in_content_family(key: &str) -> bool {
    let is_below = |rest: &str, names: &[&str]| {
        names.iter().any(|name| rest.strip_prefix(name).is_some_and(|below| below.is_empty() || below.starts_with('.')))
    };
    let (first, rest) = key.split_once('.').unwrap_or((key, ""));
    match first {
        "gen_ai" => is_below(rest, &GEN_AI),
        "llm" => is_below(rest, &LLM),
        "ai" => is_below(rest, &AI),
        _ => CONTENT_PREFIXES.iter().any(|prefix| key.starts_with(prefix)),
    }
}

/// LiteLLM's `llm.<provider>.<member>`, but for names that other libraries gave a meaning.
fn is_raw_request(key: &str) -> bool {
    const MEMBERS: [&str; 11] = [
        "messages",
        "choices",
        "input",
        "contents",
        "candidates",
        "system_instruction",
        "tools",
        "usage",
        "usageMetadata",
        "prompt",
        "output",
    ];
    const OTHERS: [&str; 5] = ["usage", "token_count", "request", "response", "cost"];
    let Some((provider, member)) = key.strip_prefix("llm.").and_then(|rest| rest.split_once('.')) else { return false };
    MEMBERS.contains(&member)
        && !provider.is_empty()
        && provider.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && !OTHERS.iter().any(|other| provider.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str) -> Value<'_> {
        scrub(Value::Json(Cow::Borrowed(text)))
    }

    #[test]
    fn vectors_and_byte_maps_in_json_text_are_replaced_and_the_rest_stays() {
        let numbers: Vec<String> = (0..64).map(|number| format!("{number}.5")).collect();
        let text = format!("{{\"a\":[{}],\"b\":1}}", numbers.join(","));
        let marker = Value::Str(Cow::Borrowed("[vector removed: 64 numbers]"));
        let expected = [(Cow::Borrowed("a"), marker), (Cow::Borrowed("b"), Value::Int(1))];
        assert_eq!(scrubbed(&text), Value::Object(expected.to_vec()));
        let bytes: Vec<String> = (0..64).map(|index| format!("\"{index}\": 255")).collect();
        let text = format!("{{{}}}", bytes.join(", "));
        assert_eq!(scrubbed(&text), Value::Str(Cow::Borrowed("[bytes removed: 64 bytes]")));
    }

    #[test]
    fn json_text_without_harm_stays_unread() {
        let numbers: Vec<String> = (0..63).map(|number| format!("{number}.25")).collect();
        for text in [format!("[{}]", numbers.join(",")), format!("[\"{}\"]", "word ".repeat(1000)), "[]".to_owned()] {
            assert_eq!(scrubbed(&text), Value::Json(Cow::Borrowed(text.as_str())));
        }
    }

    #[test]
    fn a_number_of_many_digits_is_read_once_and_stays() {
        let digits = "1".repeat(400);
        assert_eq!(scrubbed(&digits), Value::Json(Cow::Borrowed(digits.as_str())));
        let text = format!("[{digits}]");
        assert_eq!(scrubbed(&text), Value::Json(Cow::Borrowed(text.as_str())));
    }

    #[test]
    fn base64_with_escaped_slashes_in_json_text_is_found() {
        let text = format!("[\"{}\"]", "ab\\/\\u0041".repeat(256));
        let expected = Value::Array(vec![Value::Str(Cow::Borrowed("[base64 removed: 768 bytes]"))]);
        assert_eq!(scrubbed(&text), expected);
    }

    #[test]
    fn secrets_are_known_by_a_part_of_the_key() {
        for key in [
            "user_api_key_hash",
            "metadata.user_api_key_alias",
            "metadata.requester_ip_address",
            "llm.headers",
            "ai.request.headers.user-agent",
            "api_key",
            "x.api_key",
            "authorization",
            "http.request.header.cookie",
            "trace.metadata.openrouter.entity_id",
            "a.headers.b",
            "request.header.x",
            "Authorization",
            "metadata.X-Api-Key",
            "metadata.extra_headers",
            "hidden_params",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in ["api_key_name", "trace.metadata.openrouter.api_key_name", "myheaders", "user.id", "hidden_params.x"]
        {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn content_is_known_by_its_key() {
        for key in [
            "gen_ai.prompt.0.content",
            "gen_ai.input.messages",
            "gen_ai.tool.call.arguments",
            "llm.openai.messages",
            "llm.None.usage",
            "input.value",
            "ai.prompt",
            "ai.response.text",
            "embedding.embeddings.0.x",
            "lk.chat_ctx",
            "llm.request.functions.0.name",
            "mlflow.chunk.item.0",
            "events",
        ] {
            assert!(is_content(key), "{key}");
        }
        for key in [
            "gen_ai.prompts",
            "gen_ai.tool.name",
            "llm.usage.input",
            "llm.costly.input",
            "ai.responses",
            "inputs.x",
            "ai.response.id",
            "llm.open-ai.messages",
            "events.x",
            "llm..messages",
        ] {
            assert!(!is_content(key), "{key}");
        }
    }
}
