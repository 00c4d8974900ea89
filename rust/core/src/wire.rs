//! What comes off the wire, whichever encoding it had: values, attributes, spans, and the visitor that receives them.
//!
//! Comes in: an OTLP `ExportTraceServiceRequest` as protobuf or JSON bytes
//! (<https://opentelemetry.io/docs/specs/otlp/>). Goes out: borrowed views, one span at a time.
//! Refuses: damaged bytes (never read as "absent") and whatever passes a cap of [`Limits`](crate::limits::Limits).

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::error::{Error, Result};

pub mod compression;
pub mod json;
pub mod logs;
pub mod proto;

/// A trace or span id: raw bytes, usually 16 or 8 of them, possibly none.
pub type Id = SmallVec<[u8; 16]>;

/// The id of these bytes. Those of a trace or a span have lengths that are copied at once.
#[inline]
pub(crate) fn id_of(bytes: &[u8]) -> Id {
    if let Ok(trace_id) = bytes.try_into() {
        return Id::from_buf(trace_id);
    }
    match <[u8; 8]>::try_from(bytes) {
        Ok(span_id) => {
            let mut buffer = [0; 16];
            buffer[..8].copy_from_slice(&span_id);
            Id::from_buf_and_len(buffer, 8)
        }
        Err(_) => Id::from_slice(bytes),
    }
}

/// One value: an attribute's on the wire, or a property's in an event. Text and bytes are borrowed wherever they can be.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value<'a> {
    /// On the wire an attribute without a value; in an event JSON null.
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Str(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Array(Vec<Value<'a>>),
    /// In order of appearance; the last of several equal keys wins.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
    /// JSON text, already validated, of any JSON type. Never comes off the wire: rules make it from string attributes
    /// that hold JSON, so that a sink can pass the text on without parsing it. Also carries integers beyond 64 bits.
    Json(Cow<'a, str>),
}

impl Value<'_> {
    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(truth) => Value::Bool(truth),
            Value::Int(number) => Value::Int(number),
            Value::Double(number) => Value::Double(number),
            Value::Str(text) => Value::Str(Cow::Owned(text.into_owned())),
            Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Value::Array(elements) => Value::Array(elements.into_iter().map(Value::into_owned).collect()),
            Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, member)| (Cow::Owned(name.into_owned()), member.into_owned()))
                    .collect(),
            ),
            Value::Json(text) => Value::Json(Cow::Owned(text.into_owned())),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attribute<'a> {
    pub key: Cow<'a, str>,
    pub value: Value<'a>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource<'a> {
    pub attributes: Vec<Attribute<'a>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope<'a> {
    pub name: Cow<'a, str>,
    pub version: Cow<'a, str>,
    pub attributes: Vec<Attribute<'a>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpanEvent<'a> {
    pub name: Cow<'a, str>,
    pub time_unix_nano: u64,
    pub attributes: Vec<Attribute<'a>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Link<'a> {
    pub trace_id: Id,
    pub span_id: Id,
    pub attributes: Vec<Attribute<'a>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Span<'a> {
    pub trace_id: Id,
    pub span_id: Id,
    pub parent_span_id: Id,
    pub trace_state: Cow<'a, str>,
    pub flags: u32,
    pub name: Cow<'a, str>,
    pub kind: i32,
    pub start_unix_nano: u64,
    pub end_unix_nano: u64,
    /// In wire order, duplicates included.
    pub attributes: Vec<Attribute<'a>>,
    pub events: Vec<SpanEvent<'a>>,
    pub links: Vec<Link<'a>>,
    pub status_code: i32,
    pub status_message: Cow<'a, str>,
}

impl Span<'_> {
    /// Empties the span and keeps its lists' memory.
    pub fn clear(&mut self) {
        self.trace_id.clear();
        self.span_id.clear();
        self.parent_span_id.clear();
        self.trace_state = Cow::Borrowed("");
        self.flags = 0;
        self.name = Cow::Borrowed("");
        self.kind = 0;
        self.start_unix_nano = 0;
        self.end_unix_nano = 0;
        self.attributes.clear();
        self.events.clear();
        self.links.clear();
        self.status_code = 0;
        self.status_message = Cow::Borrowed("");
    }
}

/// Receives a request while it is decoded, in document order. A resource is always delivered before its scopes, and a
/// scope before its spans, whatever the order on the wire.
pub trait Visitor<'a> {
    fn resource(&mut self, resource: Resource<'a>);
    fn scope(&mut self, scope: Scope<'a>);
    /// A visitor that keeps the span takes it with [`std::mem::take`]; what it leaves is reused for the next one.
    fn span(&mut self, span: &mut Span<'a>);
    /// A span of the same traces that is not in this request: it has become or will become an event of another one if it
    /// `is_kept`. A mapper that looks at single spans alone needs none.
    fn elsewhere(&mut self, _span: &Span<'a>, _is_kept: bool) {}
    /// A span that could not be read, when the decoder was told to go on after one.
    fn rejected(&mut self, error: Error);
}

/// What holds a request, whichever form it has.
pub trait Source<'a> {
    /// Hands everything to the visitor.
    ///
    /// # Errors
    /// The request is damaged or passes a cap.
    fn read(self, visitor: &mut impl Visitor<'a>) -> Result<()>;
}

/// How the decoder reacts to a span that it cannot read although its extent is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The whole request fails with the error.
    #[default]
    Raise,
    /// The span goes to [`Visitor::rejected`] and decoding goes on behind it.
    Skip,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    Json,
}

/// The encoding that the content type names. Without one: JSON if the body begins with `{`, after a byte order mark
/// and white space at most, and holds nothing near its beginning that JSON cannot hold.
///
/// # Errors
/// An empty body, and a content type that names neither encoding.
pub fn detect(content_type: Option<&str>, body: &[u8]) -> Result<Encoding> {
    if body.is_empty() {
        return Err(empty_body());
    }
    let Some(content_type) = content_type else {
        return Ok(if looks_like_json(body) { Encoding::Json } else { Encoding::Protobuf });
    };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(Encoding::Json)
    } else if ["application/x-protobuf", "application/protobuf"]
        .iter()
        .any(|name| media_type.eq_ignore_ascii_case(name))
    {
        Ok(Encoding::Protobuf)
    } else {
        let what = format!("has the content type {content_type:?}");
        Err(Error::decode(0, what, "Send application/x-protobuf or application/json, or pass no content type."))
    }
}

/// A protobuf body whose first resource_spans is 123 bytes long begins with a line feed and `{`, too. Within those 123
/// bytes it has the byte 0x12, the key of scope_spans and of every attribute's value, and JSON has no such byte at all.
fn looks_like_json(body: &[u8]) -> bool {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let white_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let control = |byte: &u8| *byte < 0x20 && !white_space(byte);
    text.iter().find(|byte| !white_space(byte)) == Some(&b'{') && !text.iter().take(128).any(control)
}

#[cold]
fn empty_body() -> Error {
    Error::decode(0, "is empty", "Send an OTLP export request; one that holds nothing is at least {} in JSON.")
}

#[cold]
fn too_many(offset: usize, cap: &'static str, max: usize, things: &str) -> Error {
    Error::limit(offset, cap, format!("is one more than {max} {things}"))
}
