//! Spans of Traceloop's OpenLLMetry (<https://github.com/traceloop/openllmetry>), after the generic mapping: messages and
//! functions come out of attributes with an index in their name, such as `gen_ai.prompt.0.content`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::keys::Key;
use crate::wire::Value;

use super::Draft;
use super::bag::Bag;
use super::javascript::number_of_text;
use super::values;

const MARKERS: [Key; 3] = [Key::LLM_REQUEST_TYPE, Key::TRACELOOP_SPAN_KIND, Key::TRACELOOP_ENTITY_NAME];

const REMOVED: [Key; 8] = [
    Key::TRACELOOP_SPAN_KIND,
    Key::TRACELOOP_ENTITY_NAME,
    Key::TRACELOOP_ENTITY_PATH,
    Key::TRACELOOP_WORKFLOW_NAME,
    Key::TRACELOOP_ENTITY_INPUT,
    Key::TRACELOOP_ENTITY_OUTPUT,
    Key::LLM_IS_STREAMING,
    Key::LLM_USAGE_TOTAL_TOKENS,
];

/// A family of indexed attributes: what is not named here stays where it is.
struct Family {
    prefix: &'static str,
    fields: &'static [&'static str],
    /// A field that is itself a list, with whatever fields its elements have.
    group: Option<&'static str>,
    to: Key,
}

const FAMILIES: [Family; 3] = [
    Family {
        prefix: "gen_ai.prompt.",
        fields: &["role", "content", "tool_call_id"],
        group: Some("tool_calls"),
        to: Key::P_AI_INPUT,
    },
    Family { prefix: "gen_ai.completion.", fields: &["role", "content"], group: None, to: Key::P_AI_OUTPUT_CHOICES },
    Family {
        prefix: "llm.request.functions.",
        fields: &["name", "description", "parameters"],
        group: None,
        to: Key::P_AI_TOOLS,
    },
];

pub(super) fn speaks(bag: &Bag) -> bool {
    MARKERS.iter().any(|&key| bag.has(key))
}

pub(super) fn map(draft: &mut Draft) {
    let bag = &mut *draft.bag;
    for family in &FAMILIES {
        if !bag.has(family.to) {
            let list = collect(bag, family);
            if !list.is_empty() {
                bag.set(family.to, Value::Array(list));
            }
        }
    }
    let reasons = [Key::LLM_RESPONSE_STOP_REASON, Key::LLM_RESPONSE_FINISH_REASON].map(|key| bag.remove(key));
    let [stop, finish] = reasons;
    if let Some(reason) = stop.filter(|reason| *reason != Value::Null).or(finish) {
        bag.set_if_absent(Key::P_AI_STOP_REASON, reason);
    }
    bag.set(Key::P_AI_LIB, values::string("opentelemetry/traceloop"));
    bag.remove_all(&REMOVED);
    bag.remove_prefix("traceloop.association.properties.");
}

type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

#[derive(Default)]
struct Entry<'a> {
    members: Members<'a>,
    group: BTreeMap<Index, Members<'a>>,
}

/// Takes a family's attributes out of the bag: a list in the order of the indices, gaps closed.
fn collect<'a>(bag: &mut Bag<'a>, family: &Family) -> Vec<Value<'a>> {
    let is_listed = |name: &str| place(name, family).is_some();
    let names = bag.iter().map(|(name, _)| name.as_str()).filter(|name| is_listed(name));
    let mut names: Vec<String> = names.map(String::from).collect();
    // Two names may stand for one index, as "2" and "0x2" do. The capture service hands properties over in the order of
    // their names, and of two the later one stays.
    names.sort_unstable();
    let mut entries: BTreeMap<Index, Entry<'a>> = BTreeMap::new();
    for name in &names {
        let (Some((index, field)), Some(value)) = (place(name, family), bag.remove_name(name)) else { continue };
        let entry = entries.entry(index).or_default();
        match field {
            Field::Own(field) => set(&mut entry.members, field, value),
            Field::OfGroup(index, field) => set(entry.group.entry(index).or_default(), field, value),
        }
    }
    let into_object = |mut entry: Entry<'a>| {
        if let Some(group) = family.group.filter(|_| !entry.group.is_empty()) {
            let elements = entry.group.into_values().map(Value::Object).collect();
            entry.members.push((Cow::Borrowed(group), Value::Array(elements)));
        }
        Value::Object(entry.members)
    };
    entries.into_values().map(into_object).collect()
}

enum Field<'n> {
    Own(&'n str),
    OfGroup(Index, &'n str),
}

/// The index and the field that a name of the family stands for, if it is one that is taken.
fn place<'n>(name: &'n str, family: &Family) -> Option<(Index, Field<'n>)> {
    let (index, field) = split_index(name.strip_prefix(family.prefix)?)?;
    if family.fields.contains(&field) {
        return Some((index, Field::Own(field)));
    }
    let (group_index, field) = split_index(field.strip_prefix(family.group?)?.strip_prefix('.')?)?;
    Some((index, Field::OfGroup(group_index, field)))
}

/// A whole number that is not negative, by the bits of its double: they have the order of the numbers.
type Index = u64;

/// An index, read as JavaScript reads numbers, and what follows it.
fn split_index(rest: &str) -> Option<(Index, &str)> {
    let (index, field) = rest.split_once('.')?;
    let number = number_of_text(index).filter(|number| *number >= 0.0 && number.fract() == 0.0)?;
    // Minus zero is zero.
    Some((number.abs().to_bits(), field))
}

fn set<'a>(members: &mut Members<'a>, field: &str, value: Value<'a>) {
    match members.iter_mut().find(|(name, _)| name == field) {
        Some(member) => member.1 = value,
        None => members.push((Cow::Owned(field.to_owned()), value)),
    }
}
