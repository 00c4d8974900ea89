//! One call, one owner: the others that describe it keep their totals under names that nobody adds up.

use std::borrow::Cow;
use std::collections::HashMap;

use super::draft::Draft;
use super::kind::Kind;
use super::mapper::Request;
use super::tree::Tree;
use crate::event::Name;
use crate::keys::Key;
use crate::messages;

/// What PostHog adds up, beside the name that an event which does not own its call keeps it under.
pub const SUMMED: [(Key, Key); 14] = [
    (Key::P_AI_INPUT_TOKENS, Key::REPORTED_INPUT_TOKENS),
    (Key::P_AI_OUTPUT_TOKENS, Key::REPORTED_OUTPUT_TOKENS),
    (Key::P_AI_CACHE_READ_INPUT_TOKENS, Key::REPORTED_CACHE_READ_INPUT_TOKENS),
    (Key::P_AI_CACHE_CREATION_INPUT_TOKENS, Key::REPORTED_CACHE_CREATION_INPUT_TOKENS),
    (Key::P_AI_CACHE_CREATION_5M_INPUT_TOKENS, Key::REPORTED_CACHE_CREATION_5M_INPUT_TOKENS),
    (Key::P_AI_CACHE_CREATION_1H_INPUT_TOKENS, Key::REPORTED_CACHE_CREATION_1H_INPUT_TOKENS),
    (Key::P_AI_REASONING_TOKENS, Key::REPORTED_REASONING_TOKENS),
    (Key::P_AI_AUDIO_INPUT_TOKENS, Key::REPORTED_AUDIO_INPUT_TOKENS),
    (Key::P_AI_AUDIO_OUTPUT_TOKENS, Key::REPORTED_AUDIO_OUTPUT_TOKENS),
    (Key::P_AI_VIDEO_INPUT_TOKENS, Key::REPORTED_VIDEO_INPUT_TOKENS),
    (Key::P_AI_IMAGE_OUTPUT_TOKENS, Key::REPORTED_IMAGE_OUTPUT_TOKENS),
    (Key::P_AI_INPUT_COST_USD, Key::REPORTED_INPUT_COST_USD),
    (Key::P_AI_OUTPUT_COST_USD, Key::REPORTED_OUTPUT_COST_USD),
    (Key::P_AI_TOTAL_COST_USD, Key::REPORTED_TOTAL_COST_USD),
];
const COSTS: [Key; 3] = [Key::P_AI_INPUT_COST_USD, Key::P_AI_OUTPUT_COST_USD, Key::P_AI_TOTAL_COST_USD];
pub(super) const USAGE_FLAGS: [Key; 2] = [Key::P_AI_CACHE_REPORTING_EXCLUSIVE, Key::P_AI_COST_PASSTHROUGH];

pub(super) fn own_calls<'a>(request: &mut Request<'a>, tree: &Tree) {
    give_up_raw_requests(request);
    join_nested_calls(request, tree);
    join_same_responses(request);
}

/// LiteLLM's raw request repeats the span above it. Where that span is not in the request it is on its way, or was: only
/// a raw request without a parent, or below a span of another library, is the call itself.
fn give_up_raw_requests(request: &mut Request<'_>) {
    for place in 0..request.drafts.len() {
        let record = &request.records[request.drafts[place].record];
        let parent = request.first_of(record.trace, &record.parent_id);
        let is_here = parent.is_some_and(|parent| request.records[parent].elsewhere.is_none());
        if request.drafts[place].is_raw_request && !record.parent_id.is_empty() && !is_here {
            demote(&mut request.drafts[place]);
        }
    }
}

/// A call right below a call of the same kind, with nothing that is kept between them, is the same call.
fn join_nested_calls<'a>(request: &mut Request<'a>, tree: &Tree) {
    let mut above: Vec<Option<usize>> = vec![None; request.drafts.len()];
    let mut waiting = vec![0usize; request.drafts.len()];
    for (place, draft) in request.drafts.iter().enumerate().filter(|(_, draft)| draft.kind.is_call()) {
        let upper = tree.kept_above(draft.record);
        let upper = upper.and_then(|record| request.records[record].draft);
        if let Some(upper) = upper.filter(|&upper| upper != place && request.drafts[upper].kind == draft.kind) {
            above[place] = Some(upper);
            waiting[upper] += 1;
        }
    }
    // From the innermost call outwards. Below each call stand those that no call between them has taken over.
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); request.drafts.len()];
    let is_innermost = |place: &usize| waiting[*place] == 0 && above[*place].is_some();
    let mut ready: Vec<usize> = (0..request.drafts.len()).filter(is_innermost).collect();
    while let Some(place) = ready.pop() {
        let owners = match std::mem::take(&mut below[place]).as_slice() {
            [] => vec![place],
            [only] => vec![join(&mut request.drafts, place, *only)],
            several => {
                demote(&mut request.drafts[place]);
                several.to_vec()
            }
        };
        if let Some(upper) = above[place] {
            below[upper].extend(owners);
            waiting[upper] -= 1;
            if waiting[upper] == 0 {
                ready.push(upper);
            }
        }
    }
}

/// The same response told by spans of different libraries, in whatever trace.
fn join_same_responses(request: &mut Request<'_>) {
    let mut owners: HashMap<(Kind, Cow<'_, str>), usize> = HashMap::new();
    for place in 0..request.drafts.len() {
        let draft = &request.drafts[place];
        let Some(response) = draft.facts.text(Key::P_AI_COMPLETION_ID).filter(|_| draft.kind.is_call()) else {
            continue;
        };
        let id = (draft.kind, response.clone());
        let Some(&first) = owners.get(&id) else {
            owners.insert(id, place);
            continue;
        };
        let scope = |draft: &Draft<'_>| &request.scopes[request.records[draft.record].scope];
        if scope(&request.drafts[first]) != scope(draft) {
            let owner = join(&mut request.drafts, first, place);
            owners.insert(id, owner);
        }
    }
}

fn has_usage(draft: &Draft<'_>) -> bool {
    draft.facts.has(Key::P_AI_INPUT_TOKENS) || draft.facts.has(Key::P_AI_OUTPUT_TOKENS)
}

/// Makes the richer of two the owner (the first of equals) and gives it what only the other one knows.
fn join(drafts: &mut [Draft<'_>], first: usize, second: usize) -> usize {
    let second_is_richer = drafts[second].richness > drafts[first].richness;
    let (owner_place, other_place) = if second_is_richer { (second, first) } else { (first, second) };
    let Ok([owner, other]) = drafts.get_disjoint_mut([owner_place, other_place]) else { return owner_place };

    let (has_usage, has_convention) = (has_usage(owner), owner.facts.has(Key::P_AI_CACHE_REPORTING_EXCLUSIVE));
    let is_kept_out = |key: Key| {
        let is_usage = matches!(key, Key::P_AI_INPUT_TOKENS | Key::P_AI_OUTPUT_TOKENS | Key::P_AI_COST_PASSTHROUGH);
        // A count means what it says only beside the convention that it was counted by.
        let is_count = SUMMED.iter().any(|(summed, _)| *summed == key) && !COSTS.contains(&key);
        matches!(key, Key::P_AI_PARENT_ID | Key::P_AI_TOOL_NAME | Key::P_AI_AGENT_NAME)
            || key.as_str().starts_with("$ai_error")
            || key == Key::P_AI_IS_ERROR
            || (has_usage && is_usage)
            || (has_convention && is_count)
    };
    for (name, value) in other.facts.iter() {
        match name {
            Name::Known(key) if !is_kept_out(*key) => owner.facts.offer(*key, Some(value.clone())),
            Name::Known(_) => {}
            Name::Other(text) => {
                if owner.facts.iter().all(|(name, _)| name.as_str() != text) {
                    owner.facts.add_other(text.clone(), value.clone());
                }
            }
        }
    }
    let has_user = |draft: &Draft<'_>| draft.facts.get(Key::P_AI_INPUT).is_some_and(messages::has_user_text);
    if !has_user(owner)
        && has_user(other)
        && let Some(input) = other.facts.get(Key::P_AI_INPUT)
    {
        owner.facts.set(Key::P_AI_INPUT, input.clone());
    }
    owner.twins.push(other.record);
    owner.twins.extend_from_slice(&other.twins);
    demote(other);
    owner_place
}

/// No longer a call of its own: its messages become states.
fn demote(draft: &mut Draft<'_>) {
    draft.kind = Kind::Span;
    for (from, to) in [(Key::P_AI_INPUT, Key::P_AI_INPUT_STATE), (Key::P_AI_OUTPUT_CHOICES, Key::P_AI_OUTPUT_STATE)] {
        let messages = draft.facts.take(from);
        draft.facts.offer(to, messages);
    }
}
