//! OTLP logs as protobuf
//! (<https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto>).

use std::borrow::Cow;

use crate::error::Result;
use crate::limits::Limits;
use crate::wire::logs::{LogRecord, ResourceLogs};
use crate::wire::{OnError, Scope, empty_body, too_many};

use super::message;
use super::reader::Reader;

pub(in crate::wire) fn decode<'a>(body: &'a [u8], limits: &Limits, on_error: OnError) -> Result<Vec<ResourceLogs<'a>>> {
    if body.is_empty() {
        return Err(empty_body());
    }
    let mut decoder = Decoder { limits, on_error, record_count: 0 };
    let mut reader = Reader::new(body);
    let mut request = Vec::new();
    while let Some(field) = reader.field()? {
        match field.number {
            1 => {
                let index = request.len();
                let message = reader.message(field);
                let logs = message.and_then(|message| decoder.resource_logs(message, index));
                request.push(logs.map_err(|error| error.at_element("resource_logs", index))?);
            }
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(request)
}

struct Decoder<'d> {
    limits: &'d Limits,
    on_error: OnError,
    record_count: usize,
}

impl Decoder<'_> {
    fn resource_logs<'a>(&mut self, mut reader: Reader<'a>, resource_index: usize) -> Result<ResourceLogs<'a>> {
        let mut logs = ResourceLogs::default();
        let mut scopes = Vec::new();
        while let Some(field) = reader.field()? {
            match field.number {
                1 => reader
                    .message(field)
                    .and_then(|message| message::resource(message, &mut logs.resource, self.limits))
                    .map_err(|error| error.at("resource"))?,
                2 => {
                    let scope = reader.message(field).map_err(|error| error.at_element("scope_logs", scopes.len()))?;
                    scopes.push(scope);
                }
                3 => drop(reader.text(field, "schema_url")?),
                _ => reader.skip(field, self.limits.max_nesting)?,
            }
        }
        for (index, scope) in scopes.into_iter().enumerate() {
            self.scope_logs(scope, &mut logs, resource_index, index)
                .map_err(|error| error.at_element("scope_logs", index))?;
        }
        Ok(logs)
    }

    /// The scope says nothing about an evaluation, but what is damaged has to be refused.
    fn scope_logs<'a>(
        &mut self,
        mut reader: Reader<'a>,
        logs: &mut ResourceLogs<'a>,
        resource_index: usize,
        scope_index: usize,
    ) -> Result<()> {
        let mut scope = Scope::default();
        let mut records = Vec::new();
        while let Some(field) = reader.field()? {
            match field.number {
                1 => reader
                    .message(field)
                    .and_then(|message| message::scope(message, &mut scope, self.limits))
                    .map_err(|error| error.at("scope"))?,
                2 => {
                    let record =
                        reader.message(field).map_err(|error| error.at_element("log_records", records.len()))?;
                    records.push(record);
                }
                3 => drop(reader.text(field, "schema_url")?),
                _ => reader.skip(field, self.limits.max_nesting)?,
            }
        }
        for (index, record) in records.into_iter().enumerate() {
            if self.record_count >= self.limits.max_spans {
                let max = self.limits.max_spans;
                let error = too_many(record.offset(), "max_spans", max, "log records in one request");
                return Err(error.at_element("log_records", index));
            }
            self.record_count = self.record_count.saturating_add(1);
            match log_record(record, self.limits) {
                Ok(record) => logs.records.push(record),
                Err(error) if self.on_error == OnError::Raise => return Err(error.at_element("log_records", index)),
                Err(error) => {
                    let error = error.at_element("log_records", index).at_element("scope_logs", scope_index);
                    logs.rejected.push(error.at_element("resource_logs", resource_index));
                }
            }
        }
        Ok(())
    }
}

fn log_record<'a>(mut reader: Reader<'a>, limits: &Limits) -> Result<LogRecord<'a>> {
    let mut record = LogRecord::default();
    while let Some(field) = reader.field()? {
        match field.number {
            1 => record.time_unix_nano = reader.fixed64(field, "time_unix_nano")?,
            2 => record.severity_number = reader.number(field, "severity_number")? as i32,
            3 => record.severity_text = Cow::Borrowed(reader.text(field, "severity_text")?),
            5 => reader
                .message(field)
                .and_then(|message| message::any_value(message, &mut record.body, limits, 0))
                .map_err(|error| error.at("body"))?,
            6 => message::attribute(&mut reader, field, &mut record.attributes, limits)?,
            7 => record.dropped_attributes_count = reader.number(field, "dropped_attributes_count")? as u32,
            8 => record.flags = reader.fixed32(field, "flags")?,
            9 => message::id(&mut reader, field, "trace_id", &mut record.trace_id)?,
            10 => message::id(&mut reader, field, "span_id", &mut record.span_id)?,
            11 => record.observed_time_unix_nano = reader.fixed64(field, "observed_time_unix_nano")?,
            12 => record.event_name = Cow::Borrowed(reader.text(field, "event_name")?),
            _ => reader.skip(field, limits.max_nesting)?,
        }
    }
    Ok(record)
}
