//! One error for the whole pipeline. The path is built only when an error happens, outermost field last.

use std::borrow::Cow;
use std::fmt;

/// The step of the pipeline in which an error happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Wire,
    Span,
    Dialect,
    Event,
    Sink,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Stage::Wire => "wire",
            Stage::Span => "span",
            Stage::Dialect => "dialect",
            Stage::Event => "event",
            Stage::Sink => "sink",
        }
    }
}

/// Whether the input is damaged or only more than a cap allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The bytes are not what the specification says: the `DecodeError` of the Python API.
    Decode,
    /// A cap of [`Limits`](crate::limits::Limits) was passed: the `LimitError` of the Python API. Holds the cap's name.
    Limit(&'static str),
}

/// What went wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub stage: Stage,
    pub kind: Kind,
    /// Byte offset into the (decompressed) body.
    pub offset: usize,
    /// Field path segments, innermost first: `at` pushes while the error travels outwards.
    segments: Vec<Cow<'static, str>>,
    /// What is wrong, as the rest of a sentence that begins with the path: "is not UTF-8".
    pub what: Cow<'static, str>,
    /// What the reader can do: a full sentence.
    pub advice: Cow<'static, str>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    #[cold]
    pub fn decode(offset: usize, what: impl Into<Cow<'static, str>>, advice: impl Into<Cow<'static, str>>) -> Self {
        Self {
            stage: Stage::Wire,
            kind: Kind::Decode,
            offset,
            segments: Vec::new(),
            what: what.into(),
            advice: advice.into(),
        }
    }

    #[cold]
    pub fn limit(offset: usize, cap: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        let advice = format!("Send less at once, or raise limits.{cap} if the sender is trusted.");
        Self {
            stage: Stage::Wire,
            kind: Kind::Limit(cap),
            offset,
            segments: Vec::new(),
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// The same error about something that did not come as bytes.
    #[cold]
    #[must_use]
    pub fn at_stage(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// Adds the field that the error travelled out of: `"name"`, `"[3]"`.
    #[cold]
    #[must_use]
    pub fn at(mut self, segment: impl Into<Cow<'static, str>>) -> Self {
        self.segments.push(segment.into());
        self
    }

    /// Adds an element of a repeated field that the error travelled out of: `spans[3]`.
    #[cold]
    #[must_use]
    pub fn at_element(self, field: &'static str, index: usize) -> Self {
        self.at(format!("[{index}]")).at(field)
    }

    /// The path from the outside in: `resource_spans[0].scope_spans[0].spans[3].name`; empty for the body itself.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in self.segments.iter().rev() {
            if !path.is_empty() && !segment.starts_with('[') {
                path.push('.');
            }
            path.push_str(segment);
        }
        path
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        let path = if path.is_empty() { "the body" } else { &path };
        match self.stage {
            Stage::Wire => write!(f, "{path} {} (at byte {}). {}", self.what, self.offset, self.advice),
            // What did not come as bytes has no place among them.
            _ => write!(f, "{path} {}. {}", self.what, self.advice),
        }
    }
}

impl std::error::Error for Error {}
