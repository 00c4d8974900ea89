//! The properties that PostHog's capture service gives to the event of a span. Later writes overwrite earlier ones.

use std::borrow::Cow;

use crate::event::Name;
use crate::identity::hex;
use crate::keys::Key;
use crate::wire::{Span, Value};

use super::bag::Bag;
use super::{error_status, property, values};

/// The span's status code that means an error; all others say nothing.
const STATUS_CODE_ERROR: i32 = 2;

pub(super) fn properties<'a>(
    bag: &mut Bag<'a>,
    resource: &[(Name<'a>, Value<'a>)],
    span: &mut Span<'a>,
    trace_id: &str,
    span_id: &str,
) {
    for (name, value) in resource {
        bag.set_name(name.clone(), value.clone());
    }
    for (name, value) in span.attributes.drain(..).filter_map(property) {
        bag.set_name(name, value);
    }
    let geoip_disable = bag.remove(Key::POSTHOG_GEOIP_DISABLE).unwrap_or(Value::Bool(true));
    bag.set_if_absent(Key::P_GEOIP_DISABLE, geoip_disable);
    bag.set(Key::P_AI_TRACE_ID, Value::Str(Cow::Owned(trace_id.to_owned())));
    bag.set(Key::P_AI_SPAN_ID, Value::Str(Cow::Owned(span_id.to_owned())));
    if !span.parent_span_id.is_empty() {
        bag.set(Key::P_AI_PARENT_ID, Value::Str(Cow::Owned(hex(&span.parent_span_id))));
    }
    bag.set(Key::P_AI_INGESTION_SOURCE, values::string("otel"));
    if !span.name.is_empty() {
        bag.set(Key::P_OTEL_SPAN_NAME, Value::Str(span.name.clone()));
    }
    if span.status_code == STATUS_CODE_ERROR {
        error_status::set(bag, span);
    }
    bag.remove_prefix("$ai_gateway");
}
