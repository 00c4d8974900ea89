//! Span objects of the OpenTelemetry SDK, without encoding them to protobuf.
//!
//! Comes in: an iterable of `ReadableSpan`s. Goes out: what the decoder would hand to a mapper for the request that
//! `opentelemetry-exporter-otlp-proto-common` encodes of them. Text is borrowed from the Python strings, which are held
//! alive, so that everything behind [`read`] can run detached from Python.
//!
//! What no mapper looks at is not read: kind, links, flags, trace state, schema URLs and the counts of what the SDK
//! dropped. Where the encoder gives a value up, it is kept as well as can be: lone surrogates become U+FFFD, integers
//! beyond 64 bits and objects of unknown types become text.

mod held;
mod values;

use std::collections::HashMap;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDict, PyString};
use spanmap_core::Options;
use spanmap_core::error::{Error, Stage};
use spanmap_core::limits::Limits;
use spanmap_core::wire::OnError;

use crate::errors::{to_py_err, wrong_spans_type};

pub use held::HeldSpans;
use held::{Event, Group, Scope, Span};
use values::{Failure, Text, Values};

/// Spans between two moments in which other threads may run: reading them takes about a hundred microseconds.
const SPANS_AT_A_TIME: usize = 32;
/// Text between two such moments: what is not ASCII is encoded by Python when it is first read, about a gigabyte a second.
const BYTES_AT_A_TIME: usize = 256 << 10;

/// Reads all that a mapper looks at.
///
/// # Errors
/// An `InputTypeError` for what cannot be iterated over, a `LimitError` where a cap is passed, a `DecodeError` for an
/// object that cannot be read as a span. With [`OnError::Skip`] errors of one span are kept beside the others.
pub fn read(
    spans: &Bound<'_, PyAny>,
    elsewhere: &[(Bound<'_, PyAny>, bool)],
    limits: &Limits,
    on_error: OnError,
) -> PyResult<HeldSpans> {
    let py = spans.py();
    let mut reader = Reader {
        values: Values::new(limits),
        resources: Numbers::new(py),
        scopes: Numbers::new(py),
        groups: HashMap::new(),
        codes: Vec::new(),
    };
    let mut held = HeldSpans::default();
    for (object, is_kept) in elsewhere {
        // A span that cannot be read tells nothing of the tree, and nothing of it is lost here.
        match reader.span(object) {
            Ok(span) => held.elsewhere.push((span, *is_kept)),
            Err(failure) => drop(failure.into_error(py)?),
        }
    }
    let mut weight_then = reader.values.weight;
    for (index, object) in spans.try_iter().map_err(|_| wrong_spans_type(spans))?.enumerate() {
        if index >= limits.max_spans {
            let what = format!("is one more than {} spans at once", limits.max_spans);
            let error = Error::limit(0, "max_spans", what).at_stage(Stage::Span).at_element("spans", index);
            return Err(to_py_err(py, &error));
        }
        if let Err(failure) = reader.add(&object?, &mut held) {
            let error = failure.into_error(py)?.at_element("spans", index);
            if on_error == OnError::Raise {
                return Err(to_py_err(py, &error));
            }
            held.rejected.push(error);
        }
        let is_time = (index + 1) % SPANS_AT_A_TIME == 0;
        if is_time || reader.values.weight - weight_then >= BYTES_AT_A_TIME {
            weight_then = reader.values.weight;
            py.detach(|| ());
        }
    }
    held.weight = reader.values.weight;
    Ok(held)
}

/// Whether the filter keeps a span.
pub fn is_kept(span: &Bound<'_, PyAny>, options: &Options) -> PyResult<bool> {
    let py = span.py();
    let name = span.getattr(intern!(py, "name"))?.extract::<PyBackedStr>()?;
    let attributes = span.getattr(intern!(py, "attributes"))?;
    let mut keys = Vec::new();
    if !attributes.is_none() {
        let copied = attributes.call_method0(intern!(py, "copy"));
        for key in copied.as_ref().unwrap_or(&attributes).try_iter()? {
            // No prefix begins with what UTF-8 cannot hold.
            keys.extend(key?.extract::<PyBackedStr>().ok());
        }
    }
    let keys: Vec<&str> = keys.iter().map(PyBackedStr::as_str).collect();
    if spanmap_core::keeps(options, &name, "", &keys, &[]) {
        return Ok(true);
    }
    let scope = span.getattr(intern!(py, "instrumentation_scope"))?;
    let scope = if scope.is_none() { None } else { scope.getattr(intern!(py, "name"))?.extract::<PyBackedStr>().ok() };
    let mut events = Vec::new();
    for event in events_of(span)? {
        events.extend(event?.getattr(intern!(py, "name"))?.extract::<PyBackedStr>().ok());
    }
    let events: Vec<&str> = events.iter().map(PyBackedStr::as_str).collect();
    Ok(spanmap_core::keeps(options, "", scope.as_deref().unwrap_or_default(), &[], &events))
}

struct Reader<'l, 'py> {
    values: Values<'l>,
    resources: Numbers<'py>,
    scopes: Numbers<'py>,
    /// The place in [`HeldSpans::groups`] of each pair of a resource and a scope.
    groups: HashMap<(usize, usize), usize>,
    /// The members of `StatusCode` that were seen, with their numbers: `Enum.value` is slow to ask.
    codes: Vec<(Bound<'py, PyAny>, i32)>,
}

impl<'py> Reader<'_, 'py> {
    fn add(&mut self, object: &Bound<'py, PyAny>, held: &mut HeldSpans) -> Result<(), Failure> {
        let span = self.span(object)?;
        let group = self.group(object, held)?;
        held.groups[group].spans.push(span);
        Ok(())
    }

    fn span(&mut self, object: &Bound<'py, PyAny>) -> Result<Span, Failure> {
        let py = object.py();
        let context = object.call_method0(intern!(py, "get_span_context"))?;
        let parent = object.getattr(intern!(py, "parent"))?;
        let (status_code, status_message) = self.status(&object.getattr(intern!(py, "status"))?)?;
        Ok(Span {
            trace_id: context.getattr(intern!(py, "trace_id"))?.extract::<u128>()?.to_be_bytes(),
            span_id: span_id(&context)?,
            parent_span_id: if parent.is_none() { None } else { Some(span_id(&parent)?) },
            name: self.name(object)?,
            start_unix_nano: nanoseconds(&object.getattr(intern!(py, "start_time"))?)?,
            end_unix_nano: nanoseconds(&object.getattr(intern!(py, "end_time"))?)?,
            attributes: self.values.attributes(object).map_err(|failure| failure.at("attributes"))?,
            events: self.events(object).map_err(|failure| failure.at("events"))?,
            status_code,
            status_message,
        })
    }

    fn name(&mut self, object: &Bound<'py, PyAny>) -> Result<Text, Failure> {
        let name = object.getattr(intern!(object.py(), "name"))?;
        Ok(self.values.text(name.cast::<PyString>().map_err(PyErr::from)?)?)
    }

    fn events(&mut self, object: &Bound<'py, PyAny>) -> Result<Vec<Event>, Failure> {
        let py = object.py();
        let mut events = Vec::new();
        for event in events_of(object)? {
            let event = event?;
            self.values.check_count(events.len(), "max_span_events", "span events in one span")?;
            events.push(Event {
                name: self.name(&event)?,
                time_unix_nano: nanoseconds(&event.getattr(intern!(py, "timestamp"))?)?,
                attributes: self.values.attributes(&event)?,
            });
        }
        Ok(events)
    }

    fn status(&mut self, status: &Bound<'py, PyAny>) -> Result<(i32, Option<Text>), Failure> {
        if status.is_none() {
            return Ok((0, None));
        }
        let py = status.py();
        let member = status.getattr(intern!(py, "status_code"))?;
        let known = self.codes.iter().find(|(known, _)| known.is(&member)).map(|&(_, code)| code);
        let code = match known {
            Some(code) => code,
            None => {
                let code = member.getattr(intern!(py, "value"))?.extract()?;
                self.codes.push((member, code));
                code
            }
        };
        let description = status.getattr(intern!(py, "description"))?;
        let message = match description.cast::<PyString>() {
            Ok(message) => Some(self.values.text(message)?),
            Err(_) => None,
        };
        Ok((code, message))
    }

    /// The group that a span belongs to: those of equal resources and equal scopes stand together.
    fn group(&mut self, object: &Bound<'py, PyAny>, held: &mut HeldSpans) -> Result<usize, Failure> {
        let py = object.py();
        let resource = object.getattr(intern!(py, "resource"))?;
        let scope = object.getattr(intern!(py, "instrumentation_scope"))?;
        let resource_number = self.resources.number(&resource);
        if resource_number == held.resources.len() {
            held.resources.push(self.values.attributes(&resource).map_err(|failure| failure.at("resource"))?);
        }
        let scope_number = self.scopes.number(&scope);
        if scope_number == held.scopes.len() {
            held.scopes.push(self.scope(&scope).map_err(|failure| failure.at("instrumentation_scope"))?);
        }
        let pair = (resource_number, scope_number);
        Ok(*self.groups.entry(pair).or_insert_with(|| {
            held.groups.push(Group { resource: resource_number, scope: scope_number, spans: Vec::new() });
            held.groups.len() - 1
        }))
    }

    fn scope(&mut self, scope: &Bound<'py, PyAny>) -> Result<Scope, Failure> {
        if scope.is_none() {
            return Ok(Scope::default());
        }
        let version = scope.getattr(intern!(scope.py(), "version"))?;
        let version = match version.cast::<PyString>() {
            Ok(version) => Some(self.values.text(version)?),
            Err(_) => None,
        };
        Ok(Scope { name: Some(self.name(scope)?), version, attributes: self.values.attributes(scope)? })
    }
}

/// The events of a span. Most spans have none, and the SDK takes a lock and makes a tuple to say so, which is a third of
/// what looking at a span costs; its own list is asked first.
fn events_of<'py>(span: &Bound<'py, PyAny>) -> PyResult<impl Iterator<Item = PyResult<Bound<'py, PyAny>>>> {
    let py = span.py();
    let has_none = span.getattr(intern!(py, "_events")).and_then(|events| events.len()).is_ok_and(|length| length == 0);
    let events = if has_none { None } else { Some(span.getattr(intern!(py, "events"))?.try_iter()?) };
    Ok(events.into_iter().flatten())
}

fn span_id(context: &Bound<'_, PyAny>) -> PyResult<[u8; 8]> {
    Ok(context.getattr(intern!(context.py(), "span_id"))?.extract::<u64>()?.to_be_bytes())
}

fn nanoseconds(time: &Bound<'_, PyAny>) -> PyResult<u64> {
    if time.is_none() { Ok(0) } else { time.extract() }
}

/// Numbers objects in order of appearance; equal objects have one number. The same object is found by its address first,
/// since hashing a resource means writing all of it as JSON.
struct Numbers<'py> {
    /// Holding the object keeps its address from being given to another one.
    by_address: HashMap<usize, (Bound<'py, PyAny>, usize)>,
    by_value: Bound<'py, PyDict>,
    next: usize,
}

impl<'py> Numbers<'py> {
    fn new(py: Python<'py>) -> Self {
        Self { by_address: HashMap::new(), by_value: PyDict::new(py), next: 0 }
    }

    /// An object that cannot be hashed, such as a resource that holds bytes, equals itself alone.
    fn number(&mut self, object: &Bound<'py, PyAny>) -> usize {
        let address = object.as_ptr() as usize;
        if let Some((_, number)) = self.by_address.get(&address) {
            return *number;
        }
        let equal = self.by_value.get_item(object).ok().flatten().and_then(|number| number.extract().ok());
        let number = equal.unwrap_or_else(|| {
            let _ = self.by_value.set_item(object, self.next);
            self.next += 1;
            self.next - 1
        });
        self.by_address.insert(address, (object.clone(), number));
        number
    }
}
