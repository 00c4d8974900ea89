//! How the tree of events holds when spans between them were filtered out, or are elsewhere.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::draft::Draft;
use super::facts::Facts;
use super::kind::Kind;
use super::mapper::{Record, Request};
use super::otel_genai;
use super::people::People;
use super::timing::seconds_between;
use crate::identity::hex;
use crate::keys::Key;
use crate::wire::{Id, Value};

/// Where the way upwards from a span ends, the span itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// At a span that is kept.
    Kept(usize),
    /// At a span without a parent, which is not kept.
    Top(usize),
    /// At a span whose parent is not in the request.
    Missing(usize),
}

/// Places of some drafts of one trace.
type Places = SmallVec<[usize; 8]>;

/// The ways upwards in a request. Each is walked once, however many spans share it.
#[derive(Debug)]
pub(super) struct Tree {
    parents: Vec<Option<usize>>,
    ends: Vec<End>,
    /// Whom each span names, or the nearest span above it that names somebody.
    users: Vec<Option<usize>>,
    sessions: Vec<Option<usize>>,
    conversations: Vec<Option<usize>>,
}

impl Tree {
    pub fn of(request: &mut Request<'_>) -> Self {
        request.sort_by_id();
        // Whoever names itself, or another of its own id, has no parent.
        for record in request.records.iter_mut().filter(|record| record.parent_id == record.span_id) {
            record.parent_id = Id::new();
        }
        let parent_of = |record: &Record<'_>| request.first_of(record.trace, &record.parent_id);
        let mut parents: Vec<Option<usize>> = request.records.iter().map(parent_of).collect();
        for place in first_of_circles(&parents) {
            parents[place] = None;
            request.records[place].parent_id = Id::new();
        }
        for (place, draft) in request.drafts.iter().enumerate() {
            let record = draft.record;
            let trace = request.records[record].trace;
            let first = request.first_of(trace, &request.records[record].span_id).unwrap_or(record);
            request.records[first].draft.get_or_insert(place);
        }
        let records = &request.records;
        let ends = climb(&parents, |place| match &records[place] {
            record if record.draft.is_some() || record.elsewhere == Some(true) => Some(End::Kept(place)),
            _ if parents[place].is_some() => None,
            record if record.parent_id.is_empty() => Some(End::Top(place)),
            _ => Some(End::Missing(place)),
        });
        let nearest = |is_named: fn(&People<'_>) -> bool| {
            if !request.people.iter().any(is_named) {
                return Vec::new();
            }
            let found = climb(&parents, |place| match is_named(request.people_of(place)) {
                true => Some(End::Kept(place)),
                false if parents[place].is_none() => Some(End::Top(place)),
                false => None,
            });
            let named = |end: End| if let End::Kept(place) = end { Some(place) } else { None };
            found.into_iter().map(named).collect()
        };
        Self {
            users: nearest(|people| people.user.is_some()),
            sessions: nearest(|people| people.session.is_some()),
            conversations: nearest(|people| people.conversation.is_some()),
            ends,
            parents,
        }
    }

    /// Whether the span was in no request, but made to hold others together.
    pub fn is_made(&self, record: usize) -> bool {
        record >= self.parents.len()
    }

    /// The nearest kept span above a span.
    pub fn kept_above(&self, record: usize) -> Option<usize> {
        match self.ends[self.parents[record]?] {
            End::Kept(place) => Some(place),
            _ => None,
        }
    }

    /// Whom a span names, or the nearest span above it.
    pub fn user_of(&self, record: usize) -> Option<usize> {
        self.users.get(record).copied().flatten()
    }

    pub fn session_of(&self, record: usize) -> Option<usize> {
        self.sessions.get(record).copied().flatten()
    }

    pub fn conversation_of(&self, record: usize) -> Option<usize> {
        self.conversations.get(record).copied().flatten()
    }

    /// Points every event at an event of its trace, and gives every trace one root, made where there is none.
    pub fn hold(&self, request: &mut Request<'_>) {
        let mut lifted_places = vec![None; self.parents.len()];
        for trace in 0..request.traces.len() {
            let drafts = std::mem::take(&mut request.traces[trace].drafts);
            self.hold_trace(request, trace, &drafts, &mut lifted_places);
            request.traces[trace].drafts = drafts;
        }
    }

    /// `lifted_places` holds for each record nothing, where it is of this trace.
    fn hold_trace(
        &self,
        request: &mut Request<'_>,
        trace: usize,
        drafts: &[usize],
        lifted_places: &mut [Option<usize>],
    ) {
        let (mut tops, mut orphans) = (Places::new(), Places::new());
        // Drafts whose topmost ancestor was filtered out, in the order in which those ancestors appear.
        let mut lifted: SmallVec<[(usize, Places); 1]> = SmallVec::new();
        for &draft in drafts {
            let record = request.drafts[draft].record;
            let own = &request.records[record];
            if own.parent_id.is_empty() {
                request.drafts[draft].parent = Id::new();
                tops.push(draft);
                continue;
            }
            let parent = match self.parents[record].map(|parent| self.ends[parent]) {
                None => own.parent_id.clone(),
                Some(End::Kept(place)) => {
                    request.drafts[draft].parent = request.records[place].span_id.clone();
                    continue;
                }
                Some(End::Top(place)) => {
                    let at = *lifted_places[place].get_or_insert(lifted.len());
                    if at == lifted.len() {
                        lifted.push((place, Places::new()));
                    }
                    lifted[at].1.push(draft);
                    request.drafts[draft].parent = Id::new();
                    continue;
                }
                Some(End::Missing(place)) => request.records[place].parent_id.clone(),
            };
            request.drafts[draft].parent = parent;
            orphans.push(draft);
        }
        for (top, below) in lifted {
            // A root that is still open, or was told of before, stays the root of whatever comes.
            let is_elsewhere = request.records[top].elsewhere.is_some();
            if !is_elsewhere && below.len() + tops.len() + orphans.len() == 1 {
                tops.extend(below);
                continue;
            }
            let id = request.records[top].span_id.clone();
            let root = made_root(request, trace, &id, Some(top), &below);
            for draft in below {
                request.drafts[draft].parent = id.clone();
            }
            tops.push(request.drafts.len());
            request.drafts.push(root);
        }
        give_one_root(request, trace, &tops, &orphans);
    }
}

/// The first span of each circle of parents.
fn first_of_circles(parents: &[Option<usize>]) -> Vec<usize> {
    // For each span the walk that came by it first.
    let mut walks: Vec<Option<usize>> = vec![None; parents.len()];
    let mut found = Vec::new();
    for start in 0..parents.len() {
        let mut next = Some(start);
        while let Some(place) = next {
            if let Some(walk) = walks[place] {
                if walk == start {
                    let onwards = std::iter::successors(Some(place), |&at| parents[at].filter(|&next| next != place));
                    found.extend(onwards.min());
                }
                break;
            }
            walks[place] = Some(start);
            next = parents[place];
        }
    }
    found
}

/// For each span where the way upwards ends, by what `end_at` says of single spans. There are no circles.
fn climb(parents: &[Option<usize>], end_at: impl Fn(usize) -> Option<End>) -> Vec<End> {
    let mut ends: Vec<Option<End>> = vec![None; parents.len()];
    let mut way = Vec::new();
    for start in 0..parents.len() {
        let mut place = start;
        let end = loop {
            if let Some(end) = ends[place].or_else(|| end_at(place)) {
                break end;
            }
            way.push(place);
            match parents[place] {
                Some(parent) => place = parent,
                None => break End::Top(place),
            }
        };
        ends[place] = Some(end);
        for passed in way.drain(..) {
            ends[passed] = Some(end);
        }
    }
    ends.into_iter().enumerate().map(|(place, end)| end.unwrap_or(End::Top(place))).collect()
}

/// Several tops, or spans whose parent is in no request that we see: they hang below one root.
fn give_one_root(request: &mut Request<'_>, trace: usize, tops: &[usize], orphans: &[usize]) {
    let trace_id = request.traces[trace].id.clone();
    if let Some((&root, others)) = tops.split_first() {
        request.drafts[root].is_root = true;
        let root_id = request.records[request.drafts[root].record].span_id.clone();
        for &draft in others {
            request.drafts[draft].is_root = false;
            request.drafts[draft].parent = root_id.clone();
        }
        orphans.iter().for_each(|&draft| point_at(&mut request.drafts[draft], &root_id));
        return;
    }
    match orphans {
        [] => {}
        [only] => point_at(&mut request.drafts[*only], &trace_id),
        [first, others @ ..] => {
            let parent = request.drafts[*first].parent.clone();
            let is_shared = others.iter().all(|&draft| request.drafts[draft].parent == parent);
            let shared = if is_shared { parent } else { trace_id };
            for &draft in orphans {
                if request.drafts[draft].parent != shared {
                    point_at(&mut request.drafts[draft], &shared);
                }
            }
            let root = made_root(request, trace, &shared, None, orphans);
            request.drafts.push(root);
        }
    }
}

/// The parent is elsewhere, or late: another id stands in for it, and its own is kept.
fn point_at(draft: &mut Draft<'_>, parent: &Id) {
    draft.remote_parent = Some(std::mem::replace(&mut draft.parent, parent.clone()));
}

/// A trace event for a root that was filtered out, or never sent.
fn made_root<'a>(
    request: &mut Request<'a>,
    trace: usize,
    span_id: &Id,
    top: Option<usize>,
    below: &[usize],
) -> Draft<'a> {
    let records = below.iter().map(|&draft| request.drafts[draft].record);
    let first = records.min_by_key(|&record| request.records[record].start_unix_nano).unwrap_or_default();
    let (name, start_unix_nano, end_unix_nano) = match top.map(|top| &request.records[top]) {
        Some(top) => (top.name.clone(), top.start_unix_nano, top.end_unix_nano),
        None => (Cow::Borrowed(""), request.records[first].start_unix_nano, 0),
    };
    let mut facts = Facts::with_capacity(4);
    facts.set(Key::P_AI_TRACE_ID, Value::Str(Cow::Owned(hex(&request.traces[trace].id))));
    facts.set(Key::P_AI_SPAN_ID, Value::Str(Cow::Owned(hex(span_id))));
    if !name.is_empty() {
        facts.set(Key::P_AI_SPAN_NAME, Value::Str(name.clone()));
    }
    if let Some(latency) = seconds_between(start_unix_nano, end_unix_nano) {
        facts.set(Key::P_AI_LATENCY, Value::Double(latency));
    }
    let resource = request.records[first].resource;
    request.records.push(Record {
        trace,
        span_id: span_id.clone(),
        parent_id: Id::new(),
        name,
        start_unix_nano,
        end_unix_nano,
        scope: 0,
        resource,
        people: None,
        elsewhere: None,
        draft: None,
    });
    Draft {
        record: request.records.len() - 1,
        kind: Kind::Span,
        library: otel_genai::TABLE.library,
        library_version: Cow::Borrowed(""),
        facts,
        custom: Vec::new(),
        passed: Vec::new(),
        parent: Id::new(),
        remote_parent: None,
        is_root: true,
        richness: 0,
        twins: Vec::new(),
        is_raw_request: false,
        states_geoip: false,
        explanation: None,
    }
}
