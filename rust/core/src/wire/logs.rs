//! Log records off the wire: what an OTLP `ExportLogsServiceRequest` holds, whichever encoding it had.
//!
//! Nothing here is on a hot path, so a request is read whole, without a visitor.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::limits::Limits;

use super::{Attribute, Encoding, Id, OnError, Resource, Value, json, proto};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogRecord<'a> {
    pub time_unix_nano: u64,
    pub observed_time_unix_nano: u64,
    pub severity_number: i32,
    pub severity_text: Cow<'a, str>,
    /// [`Value::Null`] where there is none.
    pub body: Value<'a>,
    /// In wire order, duplicates included.
    pub attributes: Vec<Attribute<'a>>,
    pub dropped_attributes_count: u32,
    pub flags: u32,
    pub trace_id: Id,
    pub span_id: Id,
    pub event_name: Cow<'a, str>,
}

/// Everything that one resource logged, its scopes put together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResourceLogs<'a> {
    pub resource: Resource<'a>,
    pub records: Vec<LogRecord<'a>>,
    /// Why records could not be read, when the decoder was told to go on behind them.
    pub rejected: Vec<Error>,
}

/// Decodes a request.
///
/// # Errors
/// Damage outside a record, more records than `limits.max_spans`, and under [`OnError::Raise`] whatever is wrong inside one.
pub fn decode<'a>(
    body: &'a [u8],
    encoding: Encoding,
    limits: &Limits,
    on_error: OnError,
) -> Result<Vec<ResourceLogs<'a>>> {
    match encoding {
        Encoding::Protobuf => proto::logs::decode(body, limits, on_error),
        Encoding::Json => json::logs::decode(body, limits, on_error),
    }
}
