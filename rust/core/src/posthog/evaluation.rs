//! Evaluations in PostHog's pipeline: the properties that its capture service gives to the result of one, and what its
//! ingestion worker makes of them.

use std::borrow::Cow;

use crate::event::{EventName, Name};
use crate::keys::Key;
use crate::wire::{Attribute, Value};

use super::bag::Bag;
use super::values::Reader;
use super::{Draft, convert, property};

pub(crate) use super::values::from_wire as property_value;

/// What is said in other properties, or would be taken for the times of a span.
const REMOVED: [Key; 6] = [
    Key::GEN_AI_EVALUATION_SCORE_LABEL,
    Key::GEN_AI_EVALUATION_SCORE_VALUE,
    Key::GEN_AI_EVALUATION_EXPLANATION,
    Key::P_OTEL_START_TIME_UNIX_NANO,
    Key::P_OTEL_END_TIME_UNIX_NANO,
    Key::P_AI_TRACE_ID,
];

/// The distinct id and the properties of one evaluation: those of the resource, over them the attributes, over them the
/// facts. The worker may find another user than the capture service did.
pub(crate) fn properties<'a>(
    resource: Vec<(Name<'a>, Value<'a>)>,
    attributes: Vec<Attribute<'a>>,
    facts: Vec<(Key, Value<'a>)>,
    distinct_id: Cow<'a, str>,
    max_json_nesting: usize,
) -> (Cow<'a, str>, Vec<(Name<'a>, Value<'a>)>) {
    let mut bag = Bag::new();
    for (name, value) in resource.into_iter().chain(attributes.into_iter().filter_map(property)) {
        bag.set_name(name, value);
    }
    bag.remove_all(&REMOVED);
    let geoip_disable = bag.remove(Key::POSTHOG_GEOIP_DISABLE).unwrap_or(Value::Bool(true));
    bag.set_if_absent(Key::P_GEOIP_DISABLE, geoip_disable);
    for (key, value) in facts {
        // A body may be any value of the wire, and none is missing here.
        bag.set(key, property_value(value).unwrap_or_default());
    }
    bag.remove_prefix("$ai_gateway");
    let mut draft = Draft {
        name: EventName::Evaluation,
        distinct_id,
        start_unix_nano: 0,
        end_unix_nano: 0,
        bag: &mut bag,
        reader: Reader { max_nesting: max_json_nesting },
    };
    convert::convert(&mut draft);
    let distinct_id = draft.distinct_id;
    (distinct_id, bag.take())
}
