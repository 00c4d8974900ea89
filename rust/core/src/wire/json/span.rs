//! Spans, their events, links and status.

use crate::error::Result;
use crate::limits::Limits;
use crate::wire::{Link, Span, SpanEvent, too_many};

use super::member::{list, members, object};
use super::scan::Scanner;
use super::{scalar, value};

members! { InSpan {
    TraceId = "traceId" | "trace_id",
    SpanId = "spanId" | "span_id",
    ParentSpanId = "parentSpanId" | "parent_span_id",
    Flags = "flags" | "flags",
    Name = "name" | "name",
    Kind = "kind" | "kind",
    Start = "startTimeUnixNano" | "start_time_unix_nano",
    End = "endTimeUnixNano" | "end_time_unix_nano",
    Attributes = "attributes" | "attributes",
    Events = "events" | "events",
    Links = "links" | "links",
    Status = "status" | "status",
    TraceState = "traceState" | "trace_state",
} }
members! { InEvent {
    Time = "timeUnixNano" | "time_unix_nano",
    Name = "name" | "name",
    Attributes = "attributes" | "attributes",
} }
members! { InLink {
    TraceId = "traceId" | "trace_id",
    SpanId = "spanId" | "span_id",
    TraceState = "traceState" | "trace_state",
    Attributes = "attributes" | "attributes",
    Flags = "flags" | "flags",
} }
members! { InStatus { Message = "message" | "message", Code = "code" | "code" } }

const KINDS: &[&str] = &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const CODES: &[&str] = &["UNSET", "OK", "ERROR"];

pub(super) fn read<'a>(scanner: &mut Scanner<'a>, span: &mut Span<'a>, limits: &Limits) -> Result<()> {
    object(scanner, InSpan::of, |scanner, member| {
        match member {
            InSpan::TraceId => span.trace_id = scalar::id(scanner)?,
            InSpan::SpanId => span.span_id = scalar::id(scanner)?,
            InSpan::ParentSpanId => span.parent_span_id = scalar::id(scanner)?,
            InSpan::TraceState => span.trace_state = scalar::text(scanner)?,
            InSpan::Flags => span.flags = flags(scanner)?,
            InSpan::Name => span.name = scalar::text(scanner)?,
            InSpan::Kind => span.kind = scalar::enumeration(scanner, "SPAN_KIND_", KINDS)?,
            InSpan::Start => span.start_unix_nano = scalar::unsigned(scanner, u64::MAX)?,
            InSpan::End => span.end_unix_nano = scalar::unsigned(scanner, u64::MAX)?,
            InSpan::Attributes => value::attributes(scanner, &mut span.attributes, limits)?,
            InSpan::Events => events(scanner, &mut span.events, limits)?,
            InSpan::Links => links(scanner, &mut span.links, limits)?,
            InSpan::Status => status(scanner, span)?,
        }
        Ok(())
    })
}

fn flags(scanner: &mut Scanner<'_>) -> Result<u32> {
    scalar::unsigned(scanner, u64::from(u32::MAX)).map(|flags| flags as u32)
}

fn events<'a>(scanner: &mut Scanner<'a>, events: &mut Vec<SpanEvent<'a>>, limits: &Limits) -> Result<()> {
    events.clear();
    list(scanner, |scanner, _| {
        room(scanner, events.len(), limits, "span events in one span")?;
        let mut event = SpanEvent::default();
        object(scanner, InEvent::of, |scanner, member| {
            match member {
                InEvent::Time => event.time_unix_nano = scalar::unsigned(scanner, u64::MAX)?,
                InEvent::Name => event.name = scalar::text(scanner)?,
                InEvent::Attributes => value::attributes(scanner, &mut event.attributes, limits)?,
            }
            Ok(())
        })?;
        events.push(event);
        Ok(())
    })
}

fn links<'a>(scanner: &mut Scanner<'a>, links: &mut Vec<Link<'a>>, limits: &Limits) -> Result<()> {
    links.clear();
    list(scanner, |scanner, _| {
        room(scanner, links.len(), limits, "links in one span")?;
        let mut link = Link::default();
        object(scanner, InLink::of, |scanner, member| {
            match member {
                InLink::TraceId => link.trace_id = scalar::id(scanner)?,
                InLink::SpanId => link.span_id = scalar::id(scanner)?,
                InLink::TraceState => drop(scalar::text(scanner)?),
                InLink::Attributes => value::attributes(scanner, &mut link.attributes, limits)?,
                InLink::Flags => drop(flags(scanner)?),
            }
            Ok(())
        })?;
        links.push(link);
        Ok(())
    })
}

fn room(scanner: &mut Scanner<'_>, count: usize, limits: &Limits, what: &'static str) -> Result<()> {
    let max = limits.max_span_events;
    if count < max { Ok(()) } else { Err(too_many(scanner.offset(), "max_span_events", max, what)) }
}

fn status<'a>(scanner: &mut Scanner<'a>, span: &mut Span<'a>) -> Result<()> {
    span.status_message = "".into();
    span.status_code = 0;
    object(scanner, InStatus::of, |scanner, member| {
        match member {
            InStatus::Message => span.status_message = scalar::text(scanner)?,
            InStatus::Code => span.status_code = scalar::enumeration(scanner, "STATUS_CODE_", CODES)?,
        }
        Ok(())
    })
}
