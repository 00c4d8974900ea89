//! The shapes that messages take.

use std::borrow::Cow;

use crate::wire::Value;

/// The first finish reason that a message carries.
pub fn finish_reason_of<'a>(_messages: &Value<'a>) -> Option<Cow<'a, str>> {
    None
}

/// Whether one of the messages is a user's.
pub fn has_user_text(_messages: &Value<'_>) -> bool {
    false
}
