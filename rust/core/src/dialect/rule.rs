//! A rule: which attributes a property may come from, in order of precedence, and the shape that it wants.

use std::borrow::Cow;

use super::shapes;
use crate::keys::Key;
use crate::shape;
use crate::wire::Value;

/// Where a property may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An attribute.
    Key(Key),
    /// A member of the JSON that an attribute holds: `usage.output_tokens`, `choices.0.finish_reason`.
    Member(Key, &'static str),
}

impl Source {
    pub fn key(self) -> Key {
        match self {
            Source::Key(key) | Source::Member(key, _) => key,
        }
    }
}

/// The first source that has the shape decides the property; all sources are consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub id: &'static str,
    pub to: Key,
    pub from: &'static [Source],
    pub shape: Shape,
}

/// The rules of one dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// What `$ai_lib` says of a span that speaks this dialect before all others.
    pub library: &'static str,
    /// The upstream document that the rules follow; empty where there is none.
    pub source: &'static str,
    pub rules: &'static [Rule],
}

pub(super) const fn key(key: Key) -> Source {
    Source::Key(key)
}

pub(super) const fn at(key: Key, path: &'static str) -> Source {
    Source::Member(key, path)
}

pub(super) const fn rule(id: &'static str, to: Key, from: &'static [Source], shape: Shape) -> Rule {
    Rule { id, to, from, shape }
}

/// The shapes that a rule may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A whole number at or above zero, also as text.
    Count,
    /// A number at or above zero, also as text.
    Number,
    /// A number of milliseconds, told in seconds.
    Milliseconds,
    /// Text that is not empty.
    Text,
    /// Text that may wear JSON quotes.
    QuotedText,
    /// JSON where the text is a JSON container, else the value as it is.
    Whatever,
    /// Like `Whatever`, but `{}` and `N/A` stand for content that was not captured.
    Content,
    /// A provider under the one name that it has in PostHog.
    Provider,
    /// The first reason of a list, or the reason itself.
    StopReason,
    /// The model parameters of a JSON object.
    Parameters,
    /// A list of tool definitions.
    Tools,
}

impl Shape {
    /// The name under which documents and `spanmap rules` know the shape.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Count => "count",
            Shape::Number => "number",
            Shape::Milliseconds => "milliseconds",
            Shape::Text => "text",
            Shape::QuotedText => "quoted_text",
            Shape::Whatever => "whatever",
            Shape::Content => "content",
            Shape::Provider => "provider",
            Shape::StopReason => "stop_reason",
            Shape::Parameters => "parameters",
            Shape::Tools => "tools",
        }
    }

    /// The value in this shape, if it has it.
    pub(super) fn read<'a>(self, value: &Value<'a>) -> Option<Value<'a>> {
        match self {
            Shape::Count => shape::count(value).map(Value::Int),
            Shape::Number => shape::number(value),
            Shape::Milliseconds => shapes::milliseconds(value),
            Shape::Text => shape::text(value).cloned().map(Value::Str),
            Shape::QuotedText => shape::quoted_text(value).map(Value::Str),
            Shape::Whatever => shape::whatever(value),
            Shape::Content
                if *value == Value::Str(Cow::Borrowed("{}")) || *value == Value::Str(Cow::Borrowed("N/A")) =>
            {
                None
            }
            Shape::Content => shape::whatever(value),
            Shape::Provider => shapes::provider(value).map(Value::Str),
            Shape::StopReason => shapes::stop_reason(value).map(Value::Str),
            Shape::Parameters => shapes::parameters(value),
            Shape::Tools => shape::tools(value),
        }
    }
}
