//! `compat="best"`: the truth of what happened, as far as the spans of one request tell it.
//!
//! [`kind`] says what a span is, one module a dialect what that dialect calls the facts, [`draft`] makes an event in the
//! making of one span, and [`mapper`] settles what only the whole request can tell: who owns a call ([`ownership`]), whose
//! it was ([`people`]), and how the tree holds ([`tree`]).

mod anthropic;
mod assemble;
mod catalogue;
mod draft;
mod errors;
mod explain;
mod facts;
mod fallback;
mod google_adk;
mod keyset;
mod kind;
mod langfuse;
mod langsmith;
mod langwatch;
mod litellm;
mod mapper;
mod mlflow;
mod openinference;
mod openrouter;
mod otel_genai;
mod ownership;
pub(crate) mod pass_through;
pub(crate) mod people;
mod pydantic_ai;
mod request;
mod rule;
mod scope;
mod shapes;
mod timing;
mod traceloop;
mod traits;
mod tree;
mod usage;
mod vercel;

pub use catalogue::{RuleInfo, cache_conventions, rules};
pub use explain::{Explanation, Note, Unused};
pub use mapper::{Mapper, keeps};
pub use rule::{Rule, Shape, Source, Table};

use traits::Traits;

/// The dialects, most telling first; each stands beside the trait that a span's keys, scope or resource must show.
pub const TABLES: [(Traits, Table); 14] = [
    (Traits::OPENROUTER, openrouter::TABLE),
    (Traits::LANGFUSE, langfuse::TABLE),
    (Traits::VERCEL, vercel::TABLE),
    (Traits::MLFLOW, mlflow::TABLE),
    (Traits::LITELLM, litellm::TABLE),
    (Traits::PYDANTIC_AI, pydantic_ai::TABLE),
    (Traits::OPENINFERENCE, openinference::TABLE),
    (Traits::TRACELOOP, traceloop::TABLE),
    (Traits::ANTHROPIC, anthropic::TABLE),
    (Traits::LANGWATCH, langwatch::TABLE),
    (Traits::LANGSMITH, langsmith::TABLE),
    (Traits::GOOGLE_ADK, google_adk::TABLE),
    (Traits::NONE, otel_genai::TABLE),
    (Traits::NONE, fallback::TABLE),
];
