//! What an attribute's key alone tells: whether the filter keeps its span, which dialect it belongs to, which namespace
//! of the application's own data it is in, and whether it may pass through.

use std::ops::{BitOr, BitOrAssign};
use std::sync::LazyLock;

use super::people;
use super::request::PARAMETERS;
use crate::content::litellm::raw_request_provider;
use crate::harm;
use crate::keys::{self, Key};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits(u32);

impl Traits {
    pub const NONE: Self = Self(0);
    /// Dialects. A scope or a resource can show them too, and OpenRouter only those.
    pub const OPENROUTER: Self = Self(1);
    pub const LANGFUSE: Self = Self(1 << 1);
    pub const VERCEL: Self = Self(1 << 2);
    pub const MLFLOW: Self = Self(1 << 3);
    pub const LITELLM: Self = Self(1 << 4);
    pub const PYDANTIC_AI: Self = Self(1 << 5);
    pub const OPENINFERENCE: Self = Self(1 << 6);
    pub const TRACELOOP: Self = Self(1 << 7);
    pub const ANTHROPIC: Self = Self(1 << 8);
    pub const LANGWATCH: Self = Self(1 << 9);
    pub const LANGSMITH: Self = Self(1 << 10);
    pub const GOOGLE_ADK: Self = Self(1 << 11);
    /// The filter keeps a span that has such a key.
    pub const KEPT: Self = Self(1 << 12);
    pub const GEN_AI: Self = Self(1 << 13);
    /// The key is a property's own name.
    pub const EXPLICIT: Self = Self(1 << 14);
    pub const TOKEN_DETAILS: Self = Self(1 << 15);
    pub const RAW_REQUEST: Self = Self(1 << 16);
    /// A user, session or conversation may stand here.
    pub const PERSON: Self = Self(1 << 17);
    pub const PARAMETER: Self = Self(1 << 18);
    /// Never passed through: a secret, what only an exporter understands, what was said.
    pub const SECRET: Self = Self(1 << 19);
    pub const NOISE: Self = Self(1 << 20);
    pub const CONTENT: Self = Self(1 << 21);
    /// A call's messages or tokens, as OpenInference writes them.
    pub const CALL_DATA: Self = Self(1 << 22);
    /// The place of a namespace in [`NAMESPACES`], plus one, in the uppermost bits.
    const NAMESPACE_SHIFT: u32 = 28;

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The namespace that the key is in, as its place in [`NAMESPACES`].
    pub fn namespace(self) -> Option<usize> {
        (self.0 >> Self::NAMESPACE_SHIFT).checked_sub(1).map(|place| place as usize)
    }

    /// What any key tells.
    pub fn of(key: &str) -> Self {
        let mut traits = Self::of_beginning(key);
        for (trait_, applies) in [
            (Self::SECRET, harm::is_secret(key)),
            (Self::NOISE, harm::is_noise(key)),
            (Self::CONTENT, harm::is_content(key)),
        ] {
            if applies {
                traits |= trait_;
            }
        }
        traits
    }

    /// What the beginning of a key tells: everything but whether it may pass through.
    pub fn of_beginning(key: &str) -> Self {
        let mut traits = Self::NONE;
        for &(prefix, mark) in candidates(key) {
            if key.starts_with(prefix) {
                traits |= mark;
            }
        }
        if traits.has(Self::KEPT) && raw_request_provider(key).is_some() {
            traits |= Self::RAW_REQUEST;
        }
        let namespace = NAMESPACES.iter().position(|name| key.len() > name.len() && key.starts_with(name));
        if let Some(place) = namespace.and_then(|place| u32::try_from(place).ok()) {
            traits.0 |= (place + 1) << Self::NAMESPACE_SHIFT;
        }
        traits
    }
}

impl BitOr for Traits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Traits {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Namespaces whose members are the application's own data, most telling first; each becomes a property of its own.
pub const NAMESPACES: [&str; 9] = [
    "ai.telemetry.metadata.",
    "ai.settings.context.",
    "traceloop.association.properties.",
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "langsmith.metadata.",
    "trace.metadata.",
    "span.metadata.",
    "metadata.",
];

const fn both(a: Traits, b: Traits) -> Traits {
    Traits(a.0 | b.0)
}

/// What the beginnings of keys tell. A span is kept when its name or one of its keys has one that is marked so.
pub const BEGINNINGS: [(&str, Traits); 34] = [
    ("$ai_", Traits::EXPLICIT),
    ("ai.", both(Traits::KEPT, Traits::VERCEL)),
    ("ai.usage.inputTokenDetails.", Traits::TOKEN_DETAILS),
    ("anthropic.", both(Traits::KEPT, Traits::ANTHROPIC)),
    ("embedding.", both(Traits::KEPT, Traits::OPENINFERENCE)),
    ("eve.", Traits::KEPT),
    ("gcp.vertex.agent.", both(Traits::KEPT, Traits::GOOGLE_ADK)),
    ("gen_ai.", both(Traits::KEPT, Traits::GEN_AI)),
    ("gen_ai.completion.", Traits::TRACELOOP),
    ("gen_ai.openai.api_base", Traits::TRACELOOP),
    ("gen_ai.prompt.", Traits::TRACELOOP),
    ("gen_ai.task.", Traits::TRACELOOP),
    ("langfuse.", Traits::KEPT),
    ("langfuse.observation.", Traits::LANGFUSE),
    ("langfuse.trace.", Traits::LANGFUSE),
    ("langsmith.", both(Traits::KEPT, Traits::LANGSMITH)),
    ("langwatch.", both(Traits::KEPT, Traits::LANGWATCH)),
    ("litellm.", both(Traits::KEPT, Traits::LITELLM)),
    ("llm.", Traits::KEPT),
    ("llm.input_messages.", both(Traits::OPENINFERENCE, Traits::CALL_DATA)),
    ("llm.output_messages.", both(Traits::OPENINFERENCE, Traits::CALL_DATA)),
    ("llm.prompts", Traits::CALL_DATA),
    ("llm.request.type", Traits::TRACELOOP),
    ("llm.token_count.", both(Traits::OPENINFERENCE, Traits::CALL_DATA)),
    ("llm.usage.", Traits::TRACELOOP),
    ("logfire.", Traits::PYDANTIC_AI),
    ("metadata.ai.", Traits::VERCEL),
    ("mlflow.", both(Traits::KEPT, Traits::MLFLOW)),
    ("model_request_parameters", Traits::PYDANTIC_AI),
    ("openinference.", both(Traits::KEPT, Traits::OPENINFERENCE)),
    ("openlit.", Traits::KEPT),
    ("pydantic_ai.", both(Traits::KEPT, Traits::PYDANTIC_AI)),
    ("trace.metadata.openrouter.", Traits::KEPT),
    ("traceloop.", both(Traits::KEPT, Traits::TRACELOOP)),
];

/// The beginnings that start with the key's first letter.
fn candidates(key: &str) -> &'static [(&'static str, Traits)] {
    let Some(&first) = key.as_bytes().first() else { return &[] };
    let (start, end) = BY_FIRST_BYTE[usize::from(first)];
    &BEGINNINGS[start..end]
}

/// From where to where the beginnings stand that start with each byte.
static BY_FIRST_BYTE: [(usize, usize); 256] = {
    let mut places = [(0, 0); 256];
    let mut place = 0;
    while place < BEGINNINGS.len() {
        let first = BEGINNINGS[place].0.as_bytes()[0] as usize;
        let start = if places[first].1 == 0 { place } else { places[first].0 };
        places[first] = (start, place + 1);
        place += 1;
    }
    places
};

/// The traits of every known key, by its id.
pub(super) static KNOWN: LazyLock<Vec<Traits>> = LazyLock::new(|| {
    let mut traits: Vec<Traits> = keys::TEXTS.iter().map(|text| Traits::of(text)).collect();
    let mut mark = |key: Key, trait_: Traits| traits[key as usize] |= trait_;
    for source in people::USER.iter().chain(people::SESSION).chain(people::CONVERSATION) {
        mark(source.key(), Traits::PERSON);
    }
    for key in PARAMETERS.iter().flat_map(|(_, keys)| keys.iter()) {
        mark(*key, Traits::PARAMETER);
    }
    traits
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_sorted_by_their_first_letter() {
        assert!(BEGINNINGS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_key_tells_its_dialect_and_its_namespace() {
        let traits = Traits::of("langfuse.trace.metadata.plan");
        assert!(traits.has(Traits::KEPT) && traits.has(Traits::LANGFUSE) && !traits.has(Traits::VERCEL));
        assert_eq!(traits.namespace(), Some(3));
        assert_eq!(Traits::of("langfuse.trace.metadata.").namespace(), None);
        assert_eq!(Traits::of_beginning("http.method"), Traits::NONE);
    }
}
