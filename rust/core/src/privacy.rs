//! What content may leave: in privacy mode an event keeps its numbers, names and ids, and loses what people wrote.

use crate::event::{Event, Name};
use crate::keys::Key;

/// Properties that hold content. `$ai_debug_data` is a copy of all raw attributes, content among them.
const CONTENT: [Key; 7] = [
    Key::P_AI_INPUT,
    Key::P_AI_OUTPUT_CHOICES,
    Key::P_AI_OUTPUT,
    Key::P_AI_INPUT_STATE,
    Key::P_AI_OUTPUT_STATE,
    Key::P_AI_INSTRUCTIONS,
    Key::P_AI_DEBUG_DATA,
];

/// Takes the content out of an event.
pub fn remove_content(event: &mut Event) {
    event.properties.retain(|(name, _)| !matches!(name, Name::Known(key) if CONTENT.contains(key)));
}
