//! Drafts become events: identity, the application's data, the parent, and every property once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::draft::Draft;
use super::explain::{Explanation, Parts};
use super::kind::Kind;
use super::mapper::{Request, Trace};
use super::ownership::{SUMMED, USAGE_FLAGS};
use super::people::People;
use super::shapes::as_f64;
use super::tree::Tree;
use crate::evaluation::Evaluations;
use crate::event::{Event, EventName, Name};
use crate::identity::{self, EventUuids, hex};
use crate::keys::Key;
use crate::options::Options;
use crate::shape;
use crate::wire::{Id, Value};

/// `$ai_ingestion_source` of every event.
const SOURCE: &str = "spanmap";

/// Events, and one explanation for each where the options ask for them.
type Explained<'a> = (Vec<Event<'a>>, Option<Vec<Explanation>>);

/// The events of a request, in the order of their spans; then roots that had to be made, then evaluations.
pub(super) fn events<'a>(mut request: Request<'a>, tree: &Tree, options: &Options) -> Explained<'a> {
    share_custom_data(&mut request);
    let only: Vec<People<'a>> = request.traces.iter().map(|trace| only_people(&request, trace)).collect();
    let nobody = nobody_of(&request);
    let drafts = std::mem::take(&mut request.drafts);
    let mut uuids = EventUuids::default();
    let mut names = Names::default();
    let mut events = Vec::with_capacity(drafts.len());
    let mut explanations = options.explain.then(Vec::new);
    for mut draft in drafts {
        let parts = explanations.as_ref().map(|_| Parts::of(&mut draft));
        let event = finish(draft, &request, tree, &only, nobody.as_deref(), &mut uuids, &mut names);
        if let (Some(explanations), Some(parts)) = (&mut explanations, parts) {
            explanations.push(parts.explanation(&event));
        }
        events.push(event);
    }

    let mut evaluations = Evaluations::new(options);
    for (record, evaluation) in std::mem::take(&mut request.evaluations) {
        let resource = request.resources[request.records[record].resource].properties.clone();
        let people = people_of(record, &request, tree, &only);
        events.extend(evaluations.map_span_event(evaluation, resource, people));
    }
    if let Some(explanations) = &mut explanations {
        // No rule of a dialect has a say in evaluations.
        explanations.resize_with(events.len(), Explanation::default);
    }
    (events, explanations)
}

/// Whose one span is.
fn people_of<'a>(record: usize, request: &Request<'a>, tree: &Tree, only: &[People<'a>]) -> People<'a> {
    let record_of = &request.records[record];
    let (only, resource) = (&only[record_of.trace], &request.resources[record_of.resource].people);
    let nearest = |place: Option<usize>| place.map_or(only, |place| request.people_of(place));
    People {
        user: nearest(tree.user_of(record)).user.clone().or_else(|| resource.user.clone()),
        session: nearest(tree.session_of(record)).session.clone().or_else(|| resource.session.clone()),
        conversation: nearest(tree.conversation_of(record)).conversation.clone(),
    }
}

fn finish<'a>(
    mut draft: Draft<'a>,
    request: &Request<'a>,
    tree: &Tree,
    only: &[People<'a>],
    nobody: Option<&str>,
    uuids: &mut EventUuids,
    names: &mut Names,
) -> Event<'a> {
    let record = &request.records[draft.record];
    let resource = &request.resources[record.resource];
    // A root that nobody sent says no more than that it is there.
    let inherited = if tree.is_made(draft.record) { &[] } else { resource.properties.as_slice() };
    let name = match draft.kind {
        Kind::Generation => EventName::Generation,
        Kind::Embedding => EventName::Embedding,
        Kind::Span if draft.is_root => EventName::Trace,
        Kind::Span | Kind::Tool => EventName::Span,
    };
    let facts = &mut draft.facts;
    if !draft.kind.is_call() {
        for (summed, reported) in SUMMED {
            if let Some(value) = facts.take(summed) {
                facts.set(reported, value);
            }
        }
        USAGE_FLAGS.iter().for_each(|&flag| drop(facts.take(flag)));
    }
    if !draft.parent.is_empty() {
        facts.set(Key::P_AI_PARENT_ID, Value::Str(Cow::Owned(hex(&draft.parent))));
    }

    let spans = || std::iter::once(draft.record).chain(draft.twins.iter().copied());
    let known = |nearest: fn(&Tree, usize) -> Option<usize>,
                 of: for<'p> fn(&'p People<'a>) -> &'p Option<Cow<'a, str>>| {
        spans().find_map(|span| match nearest(tree, span) {
            Some(place) => of(request.people_of(place)).clone(),
            None => of(&only[request.records[span].trace]).clone(),
        })
    };
    let user = known(Tree::user_of, |people| &people.user).or_else(|| resource.people.user.clone());
    let session = known(Tree::session_of, |people| &people.session)
        .or_else(|| resource.people.session.clone())
        .or_else(|| known(Tree::conversation_of, |people| &people.conversation));
    facts.set(Key::P_AI_INGESTION_SOURCE, Value::Str(Cow::Borrowed(SOURCE)));
    facts.set(Key::P_AI_LIB, Value::Str(Cow::Borrowed(draft.library)));
    if !draft.library_version.is_empty() {
        facts.set(Key::P_AI_LIB_VERSION, Value::Str(draft.library_version));
    }
    if !draft.states_geoip {
        facts.set(Key::P_GEOIP_DISABLE, Value::Bool(true));
    }
    let id = |key| facts.text(key).map_or("", AsRef::as_ref);
    let trace_id = id(Key::P_AI_TRACE_ID);
    let uuid = uuids.next(trace_id, id(Key::P_AI_SPAN_ID), name);
    let is_known = user.is_some();
    let distinct_id = user.unwrap_or_else(|| {
        Cow::Owned(match (&session, nobody) {
            (Some(session), _) => derived(&["session:", session]),
            (None, Some(nobody)) if is_zero(&request.traces[record.trace].id) => nobody.to_owned(),
            (None, _) => derived(&["trace:", trace_id]),
        })
    });
    if !is_known {
        facts.set(Key::P_PROCESS_PERSON_PROFILE, Value::Bool(false));
    }
    if let Some(session) = session {
        facts.set(Key::P_AI_SESSION_ID, Value::Str(session));
    }
    let remote_parent =
        draft.remote_parent.map(|parent| (Name::Known(Key::OTEL_PARENT_SPAN_ID), Value::Str(Cow::Owned(hex(&parent)))));

    let custom =
        draft.custom.into_iter().map(|(name, value)| (Key::of(&name).map_or(Name::Other(name), Name::Known), value));
    let carried = custom.chain(remote_parent).chain(draft.passed).chain(inherited.iter().cloned());
    // The first of several properties of one name wins: facts, then the application's data, then what passed through.
    let (mut properties, mut present) = draft.facts.into_parts();
    properties.reserve(carried.size_hint().0);
    names.begin_event(&properties);
    for property in carried {
        let is_new = match &property.0 {
            Name::Known(key) => present.insert(*key),
            Name::Other(text) => names.is_new(text, &properties),
        };
        if is_new {
            properties.push(property);
        }
    }
    Event {
        name,
        distinct_id,
        timestamp_unix_nano: Some(record.start_unix_nano).filter(|&start| start != 0),
        uuid,
        properties,
    }
}

/// Up to so many names that are no keys are compared with each other; beyond that they are hashed.
const COMPARED_NAMES: usize = 16;

/// The properties of the event at hand whose names are no keys, each name once.
#[derive(Default)]
struct Names {
    /// Their places.
    places: Vec<usize>,
    hashes: HashSet<u64>,
    hasher: RandomState,
}

impl Names {
    fn begin_event(&mut self, facts: &[(Name<'_>, Value<'_>)]) {
        self.places.clear();
        self.places.extend((0..facts.len()).filter(|&place| matches!(facts[place].0, Name::Other(_))));
        self.hashes.clear();
    }

    /// Whether no property so far has the name; remembers that the next one has it.
    fn is_new(&mut self, name: &str, so_far: &[(Name<'_>, Value<'_>)]) -> bool {
        let is_new = if self.places.len() < COMPARED_NAMES {
            self.places.iter().all(|&place| so_far[place].0.as_str() != name)
        } else {
            if self.hashes.is_empty() {
                self.hashes.extend(self.places.iter().map(|&place| self.hasher.hash_one(so_far[place].0.as_str())));
            }
            self.hashes.insert(self.hasher.hash_one(name))
        };
        if is_new {
            self.places.push(so_far.len());
        }
        is_new
    }
}

/// What exactly one user, session or conversation of a trace is called, if all spans that name one name the same.
fn only_people<'a>(request: &Request<'a>, trace: &Trace) -> People<'a> {
    if request.people.is_empty() {
        return People::default();
    }
    let only = |of: for<'p> fn(&'p People<'a>) -> &'p Option<Cow<'a, str>>| {
        let mut named =
            request.records_of(trace).iter().filter_map(|&(_, record)| of(request.people_of(record)).as_ref());
        let first = named.next()?;
        named.all(|other| other == first).then(|| first.clone())
    };
    People {
        user: only(|people| &people.user),
        session: only(|people| &people.session),
        conversation: only(|people| &people.conversation),
    }
}

fn is_zero(id: &Id) -> bool {
    id.iter().all(|&byte| byte == 0)
}

/// One id for all events of a request that name no user, no session and no trace, made of the first of them.
fn nobody_of(request: &Request<'_>) -> Option<String> {
    let records = request.drafts.iter().map(|draft| &request.records[draft.record]);
    let first = records.into_iter().find(|record| is_zero(&request.traces[record.trace].id))?;
    let (span_id, start, name) = (hex(&first.span_id), first.start_unix_nano, &first.name);
    Some(derived(&["request:", &span_id, ":", &start.to_string(), ":", name]))
}

/// The id of somebody unknown, derived from what is known instead.
fn derived(name: &[&str]) -> String {
    identity::text_of(identity::derived_distinct_id(name))
}

/// What the application says of a trace on one of its spans holds for the others, unless two spans disagree.
fn share_custom_data(request: &mut Request<'_>) {
    for trace in &request.traces {
        let has_data = |draft: &usize| !request.drafts[*draft].custom.is_empty();
        if trace.drafts.len() < 2 || !trace.drafts.iter().any(has_data) {
            continue;
        }
        let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
        let mut known: Vec<(Cow<'_, str>, Option<Value<'_>>)> = Vec::new();
        for (name, value) in trace.drafts.iter().flat_map(|&draft| &request.drafts[draft].custom) {
            match places.get(name) {
                None => {
                    places.insert(name.clone(), known.len());
                    known.push((name.clone(), Some(value.clone())));
                }
                Some(&place) => {
                    let disagrees = known[place].1.as_ref().is_some_and(|first| !is_same(first, value));
                    if disagrees {
                        known[place].1 = None;
                    }
                }
            }
        }
        for &draft in &trace.drafts {
            let custom = &mut request.drafts[draft].custom;
            let own: HashSet<Cow<'_, str>> = custom.iter().map(|(name, _)| name.clone()).collect();
            let shared = known.iter().filter(|(name, _)| !own.contains(name));
            custom.extend(shared.filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
        }
    }
}

/// Whether two values say the same: 1 and 1.0 do, and objects whose members stand in another order.
fn is_same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Json(a_text), Value::Json(b_text)) if a_text == b_text => true,
        (Value::Json(_), _) | (_, Value::Json(_)) => match (shape::parse_container(a), shape::parse_container(b)) {
            (Some(a), Some(b)) => is_same(&a, &b),
            _ => false,
        },
        (Value::Int(_), Value::Double(_)) | (Value::Double(_), Value::Int(_)) => as_f64(a) == as_f64(b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            let has_same = |(name, value): &(Cow<'_, str>, Value<'_>)| {
                b.iter().any(|(other_name, other)| name == other_name && is_same(value, other))
            };
            a.len() == b.len() && a.iter().all(has_same)
        }
        _ => a == b,
    }
}
