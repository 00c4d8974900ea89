//! Spans of the Vercel AI SDK (<https://ai-sdk.dev/docs/ai-sdk-core/telemetry>) and of Eve, around the generic mapping: prompt
//! and answer become messages, metadata becomes properties, and what is left of the SDK's own names mostly goes.

use std::borrow::Cow;

use crate::event::{EventName, Name};
use crate::keys::Key;
use crate::wire::Value;

use super::Draft;
use super::bag::Bag;
use super::javascript::Number;
use super::values::{self, Reader};

const METADATA: &str = "ai.telemetry.metadata.";
const CONTEXT: &str = "ai.settings.context.";

const MARKERS: [Key; 6] = [
    Key::AI_OPERATION_ID,
    Key::AI_TELEMETRY_FUNCTION_ID,
    Key::EVE_VERSION,
    Key::EVE_SESSION_ID,
    Key::AI_SETTINGS_CONTEXT_EVE_VERSION,
    Key::AI_SETTINGS_CONTEXT_EVE_SESSION_ID,
];

/// Any of these shows that the SDK reports cached tokens as a part of the input tokens.
const CACHE_DETAILS: [Key; 3] = [
    Key::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    Key::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    Key::AI_USAGE_INPUT_TOKEN_DETAILS_NO_CACHE_TOKENS,
];

const REMOVED: [Key; 37] = [
    Key::AI_OPERATION_ID,
    Key::AI_TELEMETRY_FUNCTION_ID,
    Key::AI_MODEL_ID,
    Key::AI_MODEL_PROVIDER,
    Key::AI_SETTINGS_MAX_RETRIES,
    Key::AI_SETTINGS_MAX_OUTPUT_TOKENS,
    Key::AI_SETTINGS_OUTPUT,
    Key::AI_USAGE_PROMPT_TOKENS,
    Key::AI_USAGE_COMPLETION_TOKENS,
    Key::AI_USAGE_TOKENS,
    Key::AI_USAGE_INPUT_TOKEN_DETAILS_NO_CACHE_TOKENS,
    Key::AI_USAGE_OUTPUT_TOKEN_DETAILS_TEXT_TOKENS,
    Key::AI_RESPONSE_ID,
    Key::AI_RESPONSE_MODEL,
    Key::AI_RESPONSE_TIMESTAMP,
    Key::AI_RESPONSE_PROVIDER_METADATA,
    Key::AI_RESPONSE_AVG_COMPLETION_TOKENS_PER_SECOND,
    Key::AI_RESPONSE_MS_TO_FIRST_CHUNK,
    Key::AI_RESPONSE_MS_TO_FINISH,
    Key::AI_RESPONSE_REASONING,
    Key::AI_RESPONSE_OBJECT,
    Key::AI_RESPONSE_TOOL_CALLS,
    Key::AI_PROMPT,
    Key::AI_PROMPT_TOOLS,
    Key::AI_PROMPT_TOOL_CHOICE,
    Key::AI_VALUE,
    Key::AI_EMBEDDING,
    Key::AI_VALUES,
    Key::AI_EMBEDDINGS,
    Key::AI_SCHEMA,
    Key::AI_SCHEMA_NAME,
    Key::AI_SCHEMA_DESCRIPTION,
    Key::OPERATION_NAME,
    Key::RESOURCE_NAME,
    Key::EVE_SESSION_ID,
    Key::GEN_AI_REQUEST_MAX_TOKENS,
    Key::GEN_AI_RESPONSE_ID,
];

/// A metadata entry under both names that the SDK's versions give it.
#[derive(Clone, Copy)]
struct Metadata(Key, Key);

const DISTINCT_ID: Metadata =
    Metadata(Key::AI_TELEMETRY_METADATA_POSTHOG_DISTINCT_ID, Key::AI_SETTINGS_CONTEXT_POSTHOG_DISTINCT_ID);
const GROUPS: Metadata = Metadata(Key::AI_TELEMETRY_METADATA_P_GROUPS, Key::AI_SETTINGS_CONTEXT_P_GROUPS);
const SESSION_ID: Metadata =
    Metadata(Key::AI_TELEMETRY_METADATA_P_AI_SESSION_ID, Key::AI_SETTINGS_CONTEXT_P_AI_SESSION_ID);
const PROMPT_NAME: Metadata =
    Metadata(Key::AI_TELEMETRY_METADATA_P_AI_PROMPT_NAME, Key::AI_SETTINGS_CONTEXT_P_AI_PROMPT_NAME);
const PROMPT_VERSION: Metadata =
    Metadata(Key::AI_TELEMETRY_METADATA_P_AI_PROMPT_VERSION, Key::AI_SETTINGS_CONTEXT_P_AI_PROMPT_VERSION);
const SPAN_NAME: Metadata =
    Metadata(Key::AI_TELEMETRY_METADATA_P_AI_SPAN_NAME, Key::AI_SETTINGS_CONTEXT_P_AI_SPAN_NAME);

impl Metadata {
    /// An entry of the first kind hides one of the second, even if it is empty.
    fn get<'v, 'a>(self, bag: &'v Bag<'a>) -> Option<&'v Value<'a>> {
        bag.get(self.0).or_else(|| bag.get(self.1))
    }

    fn text<'v, 'a>(self, bag: &'v Bag<'a>) -> Option<&'v Cow<'a, str>> {
        self.get(bag).and_then(values::non_empty_text)
    }
}

pub(super) fn speaks(bag: &Bag) -> bool {
    MARKERS.iter().any(|&key| bag.has(key))
}

/// What [`prepare`] found out and [`map`] needs.
pub(super) struct Prepared {
    is_eve: bool,
}

/// Puts the SDK's own attributes where the generic mapping looks for them.
pub(super) fn prepare(draft: &mut Draft) -> Prepared {
    let (bag, reader) = (&mut *draft.bag, draft.reader);
    lift_eve(bag);
    let is_eve = bag.has(Key::EVE_VERSION) || bag.has(Key::EVE_SESSION_ID);
    let names = [Key::P_OTEL_SPAN_NAME, Key::P_AI_SPAN_NAME];
    if is_eve && names.iter().any(|&key| bag.text(key).is_some_and(|name| name == "ai.eve.turn")) {
        bag.remove(Key::P_AI_PARENT_ID);
    }
    if CACHE_DETAILS.iter().any(|&key| bag.has(key)) {
        bag.set_if_absent(Key::P_AI_CACHE_REPORTING_EXCLUSIVE, Value::Bool(false));
    }
    prepare_input(bag, reader);
    if let Some(text) = bag.remove(Key::AI_RESPONSE_TEXT) {
        bag.set_if_absent(Key::GEN_AI_OUTPUT_MESSAGES, Value::Array(vec![values::message("assistant", text)]));
    }
    if let Some(Value::Array(tools)) = bag.get(Key::AI_PROMPT_TOOLS) {
        let tools = tools.iter().cloned().map(|tool| reader.parse_if_json(tool)).collect();
        bag.set_if_absent(Key::GEN_AI_TOOL_DEFINITIONS, Value::Array(tools));
    }
    if let Some(groups) = GROUPS.text(bag).cloned() {
        bag.set_if_absent(Key::P_GROUPS, Value::Str(groups));
    }
    Prepared { is_eve }
}

/// Eve's attributes may come by way of the runtime context.
fn lift_eve(bag: &mut Bag) {
    for (name, value) in bag.remove_prefix("ai.settings.context.eve.") {
        let name = &name.as_str()[CONTEXT.len()..];
        let own = bag.remove_name(name).filter(|own| *own != Value::Null);
        bag.set_name(named(Cow::Owned(name.to_owned())), own.unwrap_or(value));
    }
}

fn prepare_input(bag: &mut Bag, reader: Reader) {
    let messages = bag.remove(Key::AI_PROMPT_MESSAGES);
    if bag.has(Key::GEN_AI_INPUT_MESSAGES) {
        return;
    }
    let messages = messages.or_else(|| prompt_messages(bag.get(Key::AI_PROMPT)?.clone(), reader));
    if let Some(messages) = messages {
        bag.set(Key::GEN_AI_INPUT_MESSAGES, messages);
    }
}

/// The messages that `ai.prompt` stands for: a list of them, a text of the user, or an object with a system text and
/// either of both.
fn prompt_messages<'a>(prompt: Value<'a>, reader: Reader) -> Option<Value<'a>> {
    let prompt = reader.parse_if_json(prompt);
    if let Value::Str(text) = prompt {
        return Some(Value::Array(vec![values::message("user", Value::Str(text))]));
    }
    let tree = reader.tree(&prompt);
    match tree {
        Value::Array(_) => return Some(prompt),
        Value::Object(_) => {}
        _ => return None,
    }
    let mut messages = Vec::new();
    let text = |name| values::member(&tree, name).and_then(values::non_empty_text).cloned();
    messages.extend(text("system").map(|system| values::message("system", Value::Str(system))));
    match values::member(&tree, "messages") {
        Some(Value::Array(more)) => messages.extend(more.iter().cloned()),
        _ => messages.extend(text("prompt").map(|prompt| values::message("user", Value::Str(prompt)))),
    }
    if messages.is_empty() { None } else { Some(Value::Array(messages)) }
}

pub(super) fn map(draft: &mut Draft, prepared: Prepared) {
    let operation = draft.bag.text(Key::AI_OPERATION_ID).cloned().unwrap_or_default();
    let is_top_level = draft.name == EventName::Trace
        || matches!(&*operation, "ai.generateText" | "ai.streamText" | "ai.generateObject" | "ai.streamObject");
    let (bag, reader) = (&mut *draft.bag, draft.reader);
    if is_top_level && draft.name != EventName::Generation {
        top_level_states(bag, reader);
    }
    if operation == "ai.toolCall" {
        tool_call(bag, reader);
    }
    if let Some(function) = bag.text(Key::AI_TELEMETRY_FUNCTION_ID).filter(|text| !text.is_empty()).cloned() {
        if is_top_level {
            bag.set(Key::P_AI_SPAN_NAME, Value::Str(function.clone()));
        }
        bag.set_if_absent(Key::FUNCTION_ID, Value::Str(function));
    }
    if let Some(user) = DISTINCT_ID.text(bag).cloned() {
        bag.set_if_absent(Key::PROMOTED_DISTINCT_ID, Value::Str(user.clone()));
        draft.distinct_id = user;
    }
    metadata(bag, is_top_level);
    stop_reason(bag, reader);
    if prepared.is_eve
        && let Some(session) = bag.get(Key::EVE_SESSION_ID).and_then(values::non_empty_text).cloned()
    {
        bag.set_if_absent(Key::P_AI_SESSION_ID, Value::Str(session));
    }
    bag.set(Key::P_AI_LIB, values::string("opentelemetry/vercel-ai"));
    if bag.get(Key::P_AI_FRAMEWORK).is_none_or(|framework| *framework == Value::Null) {
        bag.set(Key::P_AI_FRAMEWORK, values::string(if prepared.is_eve { "eve" } else { "vercel" }));
    }
    output_token_details(bag);
    bag.remove_all(&REMOVED);
    for prefix in [METADATA, CONTEXT, "ai.request.headers."] {
        bag.remove_prefix(prefix);
    }
}

/// What the user last asked and what came of it.
fn top_level_states(bag: &mut Bag, reader: Reader) {
    let inputs = bag.get(Key::P_AI_INPUT).and_then(|input| reader.elements(input)).unwrap_or_default();
    let is_user = |message: &Value| values::member_text(message, "role") == Some("user");
    if let Some(message) = inputs.into_iter().rfind(is_user) {
        bag.set_if_absent(Key::P_AI_INPUT_STATE, message);
    }
    let outputs = bag.get(Key::P_AI_OUTPUT_CHOICES).and_then(|output| reader.elements(output)).unwrap_or_default();
    if let Some(message) = outputs.into_iter().next_back() {
        bag.set_if_absent(Key::P_AI_OUTPUT_STATE, message);
    }
}

fn tool_call(bag: &mut Bag, reader: Reader) {
    bag.rename(Key::AI_TOOL_CALL_NAME, Key::P_AI_SPAN_NAME);
    let states = [(Key::AI_TOOL_CALL_ARGS, Key::P_AI_INPUT_STATE), (Key::AI_TOOL_CALL_RESULT, Key::P_AI_OUTPUT_STATE)];
    for (from, to) in states {
        if let Some(value) = bag.remove(from) {
            bag.set(to, reader.parse_if_json(value));
        }
    }
    bag.remove(Key::AI_TOOL_CALL_ID);
}

fn metadata(bag: &mut Bag, is_top_level: bool) {
    for (entry, key) in [(SESSION_ID, Key::P_AI_SESSION_ID), (PROMPT_NAME, Key::P_AI_PROMPT_NAME)] {
        if let Some(text) = entry.text(bag).cloned() {
            bag.set_if_absent(key, Value::Str(text));
        }
    }
    let is_version = |version: &&Value| match version {
        Value::Str(text) => !text.is_empty(),
        Value::Int(number) => *number > 0,
        Value::Double(number) => *number > 0.0 && number.fract() == 0.0,
        _ => false,
    };
    if let Some(version) = PROMPT_VERSION.get(bag).filter(is_version).cloned() {
        bag.set_if_absent(Key::P_AI_PROMPT_VERSION, version);
    }
    if let Some(name) = SPAN_NAME.text(bag).filter(|_| is_top_level).cloned() {
        bag.set(Key::P_AI_SPAN_NAME, Value::Str(name));
    }
    for prefix in [METADATA, CONTEXT] {
        let promoted = bag.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(prefix)?.strip_prefix("posthog_")?;
            let is_reserved = name.is_empty() || name.starts_with('$') || name == "distinct_id" || name == "__proto__";
            (!is_reserved).then(|| (name.to_owned(), value.clone()))
        });
        for (name, value) in promoted.collect::<Vec<_>>() {
            if !bag.has_name(&name) {
                bag.set_name(named(Cow::Owned(name)), value);
            }
        }
    }
}

fn stop_reason(bag: &mut Bag, reader: Reader) {
    let reasons = bag.remove(Key::GEN_AI_RESPONSE_FINISH_REASONS).and_then(|reasons| reader.elements(&reasons));
    let first = reasons.and_then(|reasons| reasons.into_iter().next());
    if let Some(reason) = bag.remove(Key::AI_RESPONSE_FINISH_REASON).or(first) {
        bag.set_if_absent(Key::P_AI_STOP_REASON, reason);
    }
}

/// Reasoning tokens, and for the models whose reasoning PostHog prices apart the text tokens beside them.
fn output_token_details(bag: &mut Bag) {
    let details = bag.get(Key::AI_USAGE_OUTPUT_TOKEN_DETAILS_REASONING_TOKENS).cloned();
    let has_details = details.is_some();
    if let Some(reasoning) = details {
        bag.set_if_absent(Key::P_AI_REASONING_TOKENS, reasoning);
    }
    if !bag.text(Key::P_AI_MODEL).is_some_and(|model| is_split(model)) {
        return;
    }
    let number = |key| bag.get(key).and_then(Number::or_zero_if_blank);
    let text_tokens = number(Key::AI_USAGE_OUTPUT_TOKEN_DETAILS_TEXT_TOKENS).or_else(|| {
        let (output, reasoning) = (number(Key::P_AI_OUTPUT_TOKENS)?, number(Key::P_AI_REASONING_TOKENS)?);
        has_details.then(|| output.minus_or_zero(reasoning))
    });
    if let Some(text_tokens) = text_tokens {
        bag.set_if_absent(Key::P_AI_TEXT_OUTPUT_TOKENS, text_tokens.into_value());
    }
}

/// Whether the model's name begins with `gemini-2.5-`, `gemini-3-` or `gemini-3.N-`, in either case.
fn is_split(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    let Some(version) = model.strip_prefix("gemini-") else { return false };
    version.starts_with("2.5-")
        || version.strip_prefix('3').is_some_and(|rest| {
            let minor = rest
                .strip_prefix('.')
                .map(|minor| (minor, minor.trim_start_matches(|digit: char| digit.is_ascii_digit())));
            match minor {
                Some((minor, rest)) => minor.len() > rest.len() && rest.starts_with('-'),
                None => rest.starts_with('-'),
            }
        })
}

fn named(text: Cow<'_, str>) -> Name<'_> {
    Key::of(&text).map_or(Name::Other(text), Name::Known)
}
