//! What a caller can choose. The defaults are the documented behaviour.

use crate::limits::Limits;
use crate::user_rules::UserRules;
use crate::wire::OnError;

/// Which reading of a span the events follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compat {
    /// The truth of what happened, as far as the span tells it.
    #[default]
    Best,
    /// What PostHog's own OTLP pipeline makes of the same request, surprises included.
    Posthog,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub compat: Compat,
    /// A span is kept when one of its attribute keys starts with one of these; `None` means the mode's own list.
    pub prefixes: Option<Vec<String>>,
    /// Resource attributes whose keys start with one of these do not become properties.
    pub drop_resource_prefixes: Vec<String>,
    pub limits: Limits,
    pub on_error: OnError,
    /// Events leave without the content of messages and states.
    pub privacy_mode: bool,
    /// Remember which rule set which property.
    pub explain: bool,
    /// Edits of attributes, made before any mapper looks at a span.
    pub rules: UserRules,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            compat: Compat::default(),
            prefixes: None,
            drop_resource_prefixes: ["host.", "process.", "os.", "telemetry."].map(String::from).to_vec(),
            limits: Limits::default(),
            on_error: OnError::default(),
            privacy_mode: false,
            explain: false,
            rules: UserRules::default(),
        }
    }
}
