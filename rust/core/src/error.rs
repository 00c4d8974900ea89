//! One error for the whole pipeline. The path is built only when an error happens, outermost field last.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

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

/// What went wrong, where, and what to do about it: a pointer to a [`Report`], so that the good path has little to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Report>);

/// What an error says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
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
        Self::new(Kind::Decode, offset, what.into(), advice.into())
    }

    #[cold]
    pub fn limit(offset: usize, cap: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        let advice = format!("Send less at once, or raise limits.{cap} if the sender is trusted.");
        Self::new(Kind::Limit(cap), offset, what.into(), advice.into())
    }

    fn new(kind: Kind, offset: usize, what: Cow<'static, str>, advice: Cow<'static, str>) -> Self {
        Self(Box::new(Report { stage: Stage::Wire, kind, offset, segments: Vec::new(), what, advice }))
    }

    /// The same error about something that did not come as bytes.
    #[cold]
    #[must_use]
    pub fn at_stage(mut self, stage: Stage) -> Self {
        self.0.stage = stage;
        self
    }

    /// Adds the field that the error travelled out of: `"name"`, `"[3]"`.
    #[cold]
    #[must_use]
    pub fn at(mut self, segment: impl Into<Cow<'static, str>>) -> Self {
        self.0.segments.push(segment.into());
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

impl Deref for Error {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
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
