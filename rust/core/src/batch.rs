//! What one request became: its events, and an account of every span that became none.

use std::borrow::Cow;

use crate::dialect::Explanation;
use crate::error::Error;
use crate::event::Event;
use crate::wire::Id;

/// Why a span became no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DropReason {
    /// The filter does not keep it: by its attribute keys and, in some modes, its name and scope.
    NoAiPrefix,
    /// It is a log record that tells no evaluation's result.
    NoEvaluation,
    /// It is an evaluation without a name, or with neither a label nor a number for its score.
    IncompleteEvaluation,
    /// OpenRouter sent it to see whether its destination answers.
    ConnectionTest,
    /// It could not be read, and the caller asked to go on without it. The error stands in [`Batch::rejected`].
    Unreadable,
}

impl DropReason {
    /// The stable name that callers and metrics see.
    pub fn name(self) -> &'static str {
        match self {
            DropReason::NoAiPrefix => "no_ai_prefix",
            DropReason::ConnectionTest => "connection_test",
            DropReason::NoEvaluation => "no_evaluation",
            DropReason::IncompleteEvaluation => "incomplete_evaluation",
            DropReason::Unreadable => "unreadable",
        }
    }
}

/// A span that became no event. An unreadable one has neither ids nor a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Drop<'a> {
    pub reason: DropReason,
    pub trace_id: Id,
    pub span_id: Id,
    pub name: Cow<'a, str>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch<'a> {
    pub events: Vec<Event<'a>>,
    /// Spans, or log records, in the request, whatever became of them.
    pub span_count: usize,
    pub drops: Vec<Drop<'a>>,
    /// Why each event looks as it does, where the options ask for it and the mode can tell.
    pub explanations: Option<Vec<Explanation>>,
    /// Why spans were unreadable, in document order; each has a drop of its own too.
    pub rejected: Vec<Error>,
}
