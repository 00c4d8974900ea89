//! One span becomes a draft of one event: facts by the rules of its dialects, content, and what passes through.

use std::borrow::Cow;

use super::TABLES;
use super::explain::{EXPLICIT, Explanation, text_of};
use super::facts::Facts;
use super::keyset::KeySet;
use super::kind::{Kind, kind_of};
use super::pass_through::{self, Carried};
use super::rule::{Shape, Source};
use super::traits::Traits;
use super::{errors, request, shapes, timing, usage};
use crate::content;
use crate::event::Name;
use crate::identity::hex;
use crate::keys::Key;
use crate::messages;
use crate::shape;
use crate::span::View;
use crate::wire::{Id, Value, id_of};

/// An event in the making. What it needs of its span, beside the facts, stands in the span's record.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// The place of its span's record.
    pub record: usize,
    pub kind: Kind,
    pub library: &'static str,
    pub library_version: Cow<'a, str>,
    pub facts: Facts<'a>,
    /// The application's own data.
    pub custom: Vec<(Cow<'a, str>, Value<'a>)>,
    /// Attributes that keep their names.
    pub passed: Vec<(Name<'a>, Value<'a>)>,
    pub parent: Id,
    /// The parent that the span names but the request does not hold.
    pub remote_parent: Option<Id>,
    pub is_root: bool,
    /// How much it says of a call; counted before privacy mode takes the content away.
    pub richness: u8,
    /// Records of spans that describe the same call and gave it up: what they know of user and session holds here.
    pub twins: Vec<usize>,
    /// LiteLLM's record of the provider's own request, which repeats the span above it.
    pub is_raw_request: bool,
    pub states_geoip: bool,
    /// Only where the options ask for one.
    pub explanation: Option<Box<Explanation>>,
}

/// What is known of a span before its rules run.
pub(super) struct Reading<'s, 'a> {
    pub view: View<'s, 'a>,
    /// The traits of each attribute.
    pub each: &'s [Traits],
    /// The traits of all of them, those of scope and resource added.
    pub traits: Traits,
    pub has_values: bool,
    pub privacy_mode: bool,
    pub explain: bool,
}

/// Facts of the wire, or of identity, that no attribute may claim.
const NOT_EXPLICIT: [&str; 9] = [
    "$ai_trace_id",
    "$ai_span_id",
    "$ai_parent_id",
    "$ai_ingestion_source",
    "$ai_lib",
    "$ai_lib_version",
    "$ai_latency",
    "$ai_session_id",
    "$ai_is_error",
];

const CONTENT: [Key; 5] =
    [Key::P_AI_INPUT, Key::P_AI_OUTPUT_CHOICES, Key::P_AI_INPUT_STATE, Key::P_AI_OUTPUT_STATE, Key::P_AI_INSTRUCTIONS];

pub(super) fn draft_of<'a>(reading: &Reading<'_, 'a>, record: usize) -> Draft<'a> {
    let view = &reading.view;
    let (span, scope) = (view.span, view.scope);
    let kind = kind_of(view, reading.traits, reading.has_values);
    // The event of a chat span of the semantic conventions has about so many properties.
    let mut facts = Facts::with_capacity(36);
    let mut consumed = KeySet::default();
    let mut explanation = reading.explain.then(Box::<Explanation>::default);

    if reading.traits.has(Traits::EXPLICIT) {
        set_explicit(reading, &mut facts, explanation.as_deref_mut());
    }
    apply_rules(reading, kind, &mut consumed, &mut facts, explanation.as_deref_mut());
    let raw_request = if scope.name == "litellm" { request::read_raw_request(view, &mut facts) } else { None };
    if reading.traits.has(Traits::PARAMETER) {
        request::set_parameters(view, &mut consumed, &mut facts);
    }
    if kind.is_call() {
        set_call(reading, &mut facts);
    } else {
        facts.take(Key::P_AI_TIME_TO_FIRST_TOKEN);
    }
    set_content(reading, kind, &mut facts);
    errors::set(view, &mut facts);
    facts.set(Key::P_AI_TRACE_ID, Value::Str(Cow::Owned(hex(&span.trace_id))));
    facts.set(Key::P_AI_SPAN_ID, Value::Str(Cow::Owned(hex(&span.span_id))));
    if let Some(latency) = timing::seconds_between(span.start_unix_nano, span.end_unix_nano) {
        facts.set(Key::P_AI_LATENCY, Value::Double(latency));
    }
    if let Some(name) = span_name(view, kind, &facts) {
        facts.set(Key::P_AI_SPAN_NAME, Value::Str(name));
    }
    if kind != Kind::Tool {
        facts.take(Key::P_AI_TOOL_NAME);
    }
    let Carried { custom, passed } = pass_through::carry(reading, &mut consumed, raw_request.as_deref());
    if let Some(explanation) = &mut explanation {
        explanation.account_for(reading, &consumed);
    }
    let richness = richness(&facts);
    if reading.privacy_mode {
        for key in CONTENT {
            facts.take(key);
        }
    }
    facts.scrub();
    let library = TABLES.iter().find(|(mark, _)| speaks(reading.traits, *mark)).map(|(_, table)| table.library);
    Draft {
        record,
        kind,
        library: library.unwrap_or_default(),
        library_version: scope.version.clone(),
        facts,
        custom,
        passed,
        parent: id_of(&span.parent_span_id),
        remote_parent: None,
        is_root: false,
        richness,
        twins: Vec::new(),
        is_raw_request: kind == Kind::Generation && scope.name == "litellm" && !view.has(Key::GEN_AI_OPERATION_NAME),
        states_geoip: view.has(Key::P_GEOIP_DISABLE),
        explanation,
    }
}

/// How much a span says of a call: tokens weigh more than an answer, and an answer more than a question.
fn richness(facts: &Facts<'_>) -> u8 {
    let has = |key| u8::from(facts.has(key));
    let usage = facts.has(Key::P_AI_INPUT_TOKENS) || facts.has(Key::P_AI_OUTPUT_TOKENS);
    4 * u8::from(usage) + 2 * has(Key::P_AI_OUTPUT_CHOICES) + has(Key::P_AI_INPUT)
}

/// Whether a span speaks the dialect: all speak those at the end of the list, which no trait marks.
fn speaks(traits: Traits, mark: Traits) -> bool {
    mark == Traits::NONE || traits.has(mark)
}

/// An attribute that already has a property's name says what that property is.
fn set_explicit<'a>(reading: &Reading<'_, 'a>, facts: &mut Facts<'a>, mut explanation: Option<&mut Explanation>) {
    let view = &reading.view;
    for (position, attribute) in view.span.attributes.iter().enumerate() {
        let key = &attribute.key;
        let is_explicit = reading.each[position].has(Traits::EXPLICIT);
        if !is_explicit || NOT_EXPLICIT.contains(&key.as_ref()) || key.starts_with("$ai_gateway") {
            continue;
        }
        let shape = match key.as_ref() {
            "$ai_time_to_first_token" => Shape::Number,
            _ if key.ends_with("_tokens") => Shape::Count,
            _ if key.ends_with("_cost_usd") => Shape::Number,
            _ => Shape::Whatever,
        };
        let known = view.slots.key_at(position);
        if known.is_some_and(|known| !view.slots.is_at(known, position)) {
            continue;
        }
        let Some(value) = shape.read(&attribute.value) else { continue };
        if let Some(explanation) = &mut explanation {
            explanation.took(key, EXPLICIT, key.to_string());
        }
        match known {
            Some(known) => facts.set(known, value),
            None => facts.add_other(key.clone(), value),
        }
    }
}

/// The first source of the first rule that gives a property decides it; all sources named are consumed.
fn apply_rules<'a>(
    reading: &Reading<'_, 'a>,
    kind: Kind,
    consumed: &mut KeySet,
    facts: &mut Facts<'a>,
    mut explanation: Option<&mut Explanation>,
) {
    let view = &reading.view;
    let mut opened = Opened::default();
    for (mark, table) in &TABLES {
        if !speaks(reading.traits, *mark) {
            continue;
        }
        for rule in table.rules {
            // A call has messages, not states.
            let is_unwanted = kind.is_call() && matches!(rule.to, Key::P_AI_INPUT_STATE | Key::P_AI_OUTPUT_STATE);
            for &source in rule.from {
                let Some(value) = view.get(source.key()) else { continue };
                consumed.insert(source.key());
                if is_unwanted || facts.has(rule.to) {
                    if let Some(explanation) = &mut explanation {
                        explanation.lost(rule.to.as_str(), source);
                    }
                    continue;
                }
                let found = match source {
                    Source::Key(_) => rule.shape.read(value),
                    Source::Member(key, path) => {
                        opened.member(key, value, path).and_then(|value| rule.shape.read(value))
                    }
                };
                let Some(found) = found else { continue };
                if let Some(explanation) = &mut explanation {
                    explanation.took(rule.to.as_str(), rule.id, text_of(source));
                }
                facts.set(rule.to, found);
            }
        }
    }
}

/// The JSON in attributes that rules have looked into: each is parsed once for all rules.
#[derive(Default)]
struct Opened<'a> {
    containers: Vec<(Key, Option<Value<'a>>)>,
}

impl<'a> Opened<'a> {
    fn member(&mut self, key: Key, value: &Value<'a>, path: &str) -> Option<&Value<'a>> {
        let place = match self.containers.iter().position(|(opened, _)| *opened == key) {
            Some(place) => place,
            None => {
                self.containers.push((key, shape::parse_literal(value)));
                self.containers.len() - 1
            }
        };
        let container = self.containers.get(place)?.1.as_ref()?;
        path.split('.').try_fold(container, |value, name| match value {
            Value::Object(members) => members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value),
            Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

/// What only a call has: a model and its provider, a price, a first token.
fn set_call<'a>(reading: &Reading<'_, 'a>, facts: &mut Facts<'a>) {
    let view = &reading.view;
    if !facts.has(Key::P_AI_MODEL) && !reading.has_values {
        facts.offer(Key::P_AI_MODEL, behind_space(&view.span.name).map(Value::Str));
    }
    if !facts.has(Key::P_AI_PROVIDER) {
        let by_scope = provider_of_scope(&view.scope.name).map(Cow::Borrowed);
        let provider = by_scope.or_else(|| shapes::provider_of_model(facts.text(Key::P_AI_MODEL)?));
        facts.offer(Key::P_AI_PROVIDER, provider.map(Value::Str));
    }
    usage::set_cache_convention(view, reading.traits, facts);
    timing::set_time_to_first_token(view, facts);
    usage::settle_costs(view, reading.traits, facts);
}

fn behind_space<'a>(name: &Cow<'a, str>) -> Option<Cow<'a, str>> {
    match name {
        Cow::Borrowed(name) => name.split_once(' ').map(|(_, model)| Cow::Borrowed(model)),
        Cow::Owned(name) => name.split_once(' ').map(|(_, model)| Cow::Owned(model.to_owned())),
    }
}

/// Instrumentations of one provider's client are named after it: `openlit.instrumentation.anthropic`.
fn provider_of_scope(scope: &str) -> Option<&'static str> {
    let tail = scope.rsplit('.').next().unwrap_or_default();
    ["openai", "anthropic", "cohere", "groq"].into_iter().find(|&provider| provider == tail)
}

/// The content: messages of a call, texts of an embedding, input and output of all else.
fn set_content<'a>(reading: &Reading<'_, 'a>, kind: Kind, facts: &mut Facts<'a>) {
    let view = &reading.view;
    if kind.is_call() {
        facts.take(Key::P_AI_INPUT_STATE);
        facts.take(Key::P_AI_OUTPUT_STATE);
    }
    let (input, output) = match kind {
        Kind::Generation => (Key::P_AI_INPUT, Some(Key::P_AI_OUTPUT_CHOICES)),
        Kind::Embedding => (Key::P_AI_INPUT, None),
        Kind::Tool | Kind::Span => (Key::P_AI_INPUT_STATE, Some(Key::P_AI_OUTPUT_STATE)),
    };
    if !facts.has(input) {
        let found = match kind {
            Kind::Generation => content::input_messages(view),
            Kind::Embedding => content::embedding_input(view),
            Kind::Tool => content::tool_input(view),
            Kind::Span => content::span_input(view),
        };
        facts.offer(input, found);
    }
    if let Some(output) = output
        && !facts.has(output)
    {
        let found = match kind {
            Kind::Generation => content::output_messages(view),
            Kind::Tool => content::tool_output(view),
            Kind::Embedding | Kind::Span => content::span_output(view),
        };
        facts.offer(output, found);
    }
    if kind != Kind::Generation {
        return;
    }
    if !facts.has(Key::P_AI_STOP_REASON) {
        let reason = facts.get(Key::P_AI_OUTPUT_CHOICES).and_then(messages::finish_reason_of);
        facts.offer(Key::P_AI_STOP_REASON, reason.map(Value::Str));
    }
    if !facts.has(Key::P_AI_TOOLS) {
        let tools = content::traceloop_tools(view).or_else(|| content::openinference_tools(view));
        facts.offer(Key::P_AI_TOOLS, tools.or_else(|| content::request_tools(view)));
    }
}

/// The tool's name for a tool run, the agent's for an agent run, a Logfire template's message, else the span's.
fn span_name<'a>(view: &View<'_, 'a>, kind: Kind, facts: &Facts<'a>) -> Option<Cow<'a, str>> {
    let span = view.span;
    let fact = |key| facts.text(key).filter(|text| !text.is_empty());
    let named = match span.name.as_ref() {
        _ if view.text(Key::P_AI_SPAN_NAME).is_some() => view.text(Key::P_AI_SPAN_NAME),
        _ if kind == Kind::Tool && fact(Key::P_AI_TOOL_NAME).is_some() => fact(Key::P_AI_TOOL_NAME),
        "agent run" | "running tool" if fact(Key::P_AI_AGENT_NAME).is_some() => fact(Key::P_AI_AGENT_NAME),
        name if name.contains('{') && view.text(Key::LOGFIRE_MSG).is_some() => view.text(Key::LOGFIRE_MSG),
        _ if kind != Kind::Generation => view.text(Key::TRACELOOP_ENTITY_NAME),
        _ => None,
    };
    named.cloned().or_else(|| Some(span.name.clone()).filter(|name| !name.is_empty()))
}
