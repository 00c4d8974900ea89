//! OTLP logs as JSON, with every leniency that traces have.
//!
//! As there, the last member of a name counts: each member that comes again starts its list anew.

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::wire::logs::{LogRecord, ResourceLogs};
use crate::wire::{OnError, empty_body, too_many};

use super::member::{go_on_behind, list, members, object};
use super::scan::Scanner;
use super::{not_utf8, resource, scalar, scope, value};

members! { Request { ResourceLogs = "resourceLogs" | "resource_logs" } }
members! { InResourceLogs {
    Resource = "resource" | "resource",
    ScopeLogs = "scopeLogs" | "scope_logs",
    SchemaUrl = "schemaUrl" | "schema_url",
} }
members! { InScopeLogs {
    Scope = "scope" | "scope",
    LogRecords = "logRecords" | "log_records",
    SchemaUrl = "schemaUrl" | "schema_url",
} }
members! { InLogRecord {
    Time = "timeUnixNano" | "time_unix_nano",
    ObservedTime = "observedTimeUnixNano" | "observed_time_unix_nano",
    SeverityNumber = "severityNumber" | "severity_number",
    SeverityText = "severityText" | "severity_text",
    Body = "body" | "body",
    Attributes = "attributes" | "attributes",
    DroppedAttributesCount = "droppedAttributesCount" | "dropped_attributes_count",
    Flags = "flags" | "flags",
    TraceId = "traceId" | "trace_id",
    SpanId = "spanId" | "span_id",
    EventName = "eventName" | "event_name",
} }

/// In the order of their numbers, from 0.
#[rustfmt::skip]
const SEVERITIES: &[&str] = &[
    "UNSPECIFIED",
    "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO", "INFO2", "INFO3", "INFO4", "WARN", "WARN2", "WARN3", "WARN4",
    "ERROR", "ERROR2", "ERROR3", "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4",
];

pub(in crate::wire) fn decode<'a>(body: &'a [u8], limits: &Limits, on_error: OnError) -> Result<Vec<ResourceLogs<'a>>> {
    if body.is_empty() {
        return Err(empty_body());
    }
    let text = simdutf8::compat::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
    let mut scanner = Scanner::new(text, limits.max_json_nesting);
    scanner.skip_byte_order_mark();
    if scanner.peek()? != b'{' {
        // Whether that is another JSON value or no JSON at all is for the scanner to say.
        let offset = scanner.offset();
        scanner.skip_value()?;
        let advice = "OTLP/JSON is an object with the member resourceLogs: check that the body is a log export.";
        return Err(Error::decode(offset, "is not a JSON object", advice));
    }
    let mut decoder = Decoder { limits, on_error, record_count: 0 };
    let mut request = Vec::new();
    object(&mut scanner, Request::of, |scanner, Request::ResourceLogs| {
        request.clear();
        decoder.record_count = 0;
        list(scanner, |scanner, index| {
            request.push(decoder.resource_logs(scanner, index)?);
            Ok(())
        })
    })?;
    scanner.end()?;
    Ok(request)
}

struct Decoder<'d> {
    limits: &'d Limits,
    on_error: OnError,
    record_count: usize,
}

/// The records of one scope, and the errors of those that could not be read.
#[derive(Default)]
struct Records<'a> {
    read: Vec<LogRecord<'a>>,
    rejected: Vec<Error>,
}

impl Decoder<'_> {
    fn resource_logs<'a>(&mut self, scanner: &mut Scanner<'a>, resource_index: usize) -> Result<ResourceLogs<'a>> {
        let mut logs = ResourceLogs::default();
        let record_count = self.record_count;
        object(scanner, InResourceLogs::of, |scanner, member| match member {
            InResourceLogs::Resource => {
                logs.resource = resource(scanner, self.limits)?;
                Ok(())
            }
            InResourceLogs::ScopeLogs => {
                logs.records.clear();
                logs.rejected.clear();
                self.record_count = record_count;
                list(scanner, |scanner, index| {
                    let scope = self.scope_logs(scanner, resource_index, index)?;
                    logs.records.extend(scope.read);
                    logs.rejected.extend(scope.rejected);
                    Ok(())
                })
            }
            InResourceLogs::SchemaUrl => scalar::text(scanner).map(drop),
        })?;
        Ok(logs)
    }

    /// The scope says nothing about an evaluation, but what is damaged has to be refused.
    fn scope_logs<'a>(
        &mut self,
        scanner: &mut Scanner<'a>,
        resource_index: usize,
        scope_index: usize,
    ) -> Result<Records<'a>> {
        let mut records = Records::default();
        let record_count = self.record_count;
        object(scanner, InScopeLogs::of, |scanner, member| match member {
            InScopeLogs::Scope => scope(scanner, self.limits).map(drop),
            InScopeLogs::LogRecords => {
                records = Records::default();
                self.record_count = record_count;
                list(scanner, |scanner, index| match self.log_record(scanner)? {
                    Ok(record) => {
                        records.read.push(record);
                        Ok(())
                    }
                    Err(error) => {
                        let error = error.at_element("log_records", index).at_element("scope_logs", scope_index);
                        records.rejected.push(error.at_element("resource_logs", resource_index));
                        Ok(())
                    }
                })
            }
            InScopeLogs::SchemaUrl => scalar::text(scanner).map(drop),
        })?;
        Ok(records)
    }

    /// A record, or why it could not be read although its text is sound.
    fn log_record<'a>(&mut self, scanner: &mut Scanner<'a>) -> Result<Result<LogRecord<'a>>> {
        if self.record_count >= self.limits.max_spans {
            let max = self.limits.max_spans;
            return Err(too_many(scanner.offset(), "max_spans", max, "log records in one request"));
        }
        self.record_count = self.record_count.saturating_add(1);
        let start = scanner.place();
        match read(scanner, self.limits) {
            Ok(record) => Ok(Ok(record)),
            Err(error) if self.on_error == OnError::Raise => Err(error),
            Err(error) => go_on_behind(scanner, start, error).map(Err),
        }
    }
}

fn read<'a>(scanner: &mut Scanner<'a>, limits: &Limits) -> Result<LogRecord<'a>> {
    let mut record = LogRecord::default();
    object(scanner, InLogRecord::of, |scanner, member| {
        match member {
            InLogRecord::Time => record.time_unix_nano = scalar::unsigned(scanner, u64::MAX)?,
            InLogRecord::ObservedTime => record.observed_time_unix_nano = scalar::unsigned(scanner, u64::MAX)?,
            InLogRecord::SeverityNumber => {
                record.severity_number = scalar::enumeration(scanner, "SEVERITY_NUMBER_", SEVERITIES)?;
            }
            InLogRecord::SeverityText => record.severity_text = scalar::text(scanner)?,
            InLogRecord::Body => record.body = value::any_value(scanner, limits, 0)?,
            InLogRecord::Attributes => value::attributes(scanner, &mut record.attributes, limits)?,
            InLogRecord::DroppedAttributesCount => record.dropped_attributes_count = unsigned_32(scanner)?,
            InLogRecord::Flags => record.flags = unsigned_32(scanner)?,
            InLogRecord::TraceId => record.trace_id = scalar::id(scanner)?,
            InLogRecord::SpanId => record.span_id = scalar::id(scanner)?,
            InLogRecord::EventName => record.event_name = scalar::text(scanner)?,
        }
        Ok(())
    })?;
    Ok(record)
}

fn unsigned_32(scanner: &mut Scanner<'_>) -> Result<u32> {
    scalar::unsigned(scanner, u64::from(u32::MAX)).map(|number| number as u32)
}
