//! A mapped request as Python sees it: events that stay in Rust until they are asked for, and an account of the rest.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyString};
use spanmap_core::event::Name;
use spanmap_core::keys::Key;
use spanmap_core::wire::Value;
use spanmap_core::{Event, identity};

use crate::body::HeldBatch;
use crate::errors::to_exception;
use crate::json;
use crate::objects;

/// A span that became no event.
///
/// Attributes:
///     reason: Why, as a stable name: the keys of ``Mapper.counters["dropped"]``.
///     trace_id: Hexadecimal; empty when the span could not be read.
///     span_id: Hexadecimal; empty when the span could not be read.
///     name: The span's name; empty when the span could not be read.
#[pyclass(frozen, get_all, eq, hash, module = "spanmap")]
#[derive(PartialEq, Eq, Hash)]
pub struct Drop {
    reason: &'static str,
    trace_id: String,
    span_id: String,
    name: String,
}

#[pymethods]
impl Drop {
    fn __repr__(&self) -> String {
        let Self { reason, trace_id, span_id, name } = self;
        format!("Drop(reason={reason:?}, trace_id={trace_id:?}, span_id={span_id:?}, name={name:?})")
    }
}

/// What one request became.
///
/// The events stay in Rust until they are asked for, as objects or as JSON.
///
/// Example:
///     >>> import spanmap
///     >>> batch = spanmap.Mapper().map_batch(spanmap.samples.read("fastapi-openai.pb"))
///     >>> batch.span_count, batch.drops[0].name
///     (30, 'POST /chat/{uid} http receive')
#[pyclass(frozen, module = "spanmap")]
pub struct Batch {
    pub held: HeldBatch,
    pub max_json_nesting: usize,
    events: PyOnceLock<Py<PyList>>,
}

impl Batch {
    pub fn new(held: HeldBatch, max_json_nesting: usize) -> Self {
        Self { held, max_json_nesting, events: PyOnceLock::new() }
    }
}

#[pymethods]
impl Batch {
    /// The events, as dicts; the same list every time.
    #[getter]
    pub fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let build = || objects::events(py, &self.held.borrow_dependent().events, self.max_json_nesting);
        let events = self.events.get_or_try_init(py, || build().map(Bound::unbind))?;
        Ok(events.bind(py).clone())
    }

    /// How many spans the request held, whatever became of them.
    #[getter]
    fn span_count(&self) -> usize {
        self.held.borrow_dependent().span_count
    }

    /// The spans that became no event.
    #[getter]
    pub fn drops(&self) -> Vec<Drop> {
        let drops = &self.held.borrow_dependent().drops;
        let to_drop = |drop: &spanmap_core::Drop<'_>| Drop {
            reason: drop.reason.name(),
            trace_id: identity::hex(&drop.trace_id),
            span_id: identity::hex(&drop.span_id),
            name: drop.name.clone().into_owned(),
        };
        drops.iter().map(to_drop).collect()
    }

    /// A ``DecodeError`` for each span that could not be read, under ``on_error="skip"``.
    #[getter]
    pub fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.held.borrow_dependent().rejected.iter().map(|error| to_exception(py, error)).collect()
    }

    /// The events as a JSON array, in UTF-8.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        json::array(py, &self.held.borrow_dependent().events)
    }

    /// The events as JSON, in UTF-8, one to a line; each line ends with a line feed.
    fn to_json_lines<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        json::lines(py, &self.held.borrow_dependent().events)
    }

    /// The events as what ``spanmap.client.EncodedEvent`` holds: a tuple for each of its uuid, its name, whether it may
    /// make a person profile, and the event as JSON in UTF-8.
    ///
    /// Other threads can run between the events, of which each may be megabytes long.
    ///
    /// Args:
    ///     start: How many events to leave out at the beginning.
    ///     stop: The number of the event before which to stop; ``None`` goes on to the last.
    #[pyo3(signature = (start = 0, stop = None))]
    fn encoded<'py>(&self, py: Python<'py>, start: usize, stop: Option<usize>) -> PyResult<Bound<'py, PyList>> {
        let events = &self.held.borrow_dependent().events;
        let stop = stop.map_or(events.len(), |stop| stop.min(events.len()));
        let events = events.get(start..stop).unwrap_or_default();
        let list = PyList::empty(py);
        for event in events {
            let json = json::object(py, event)?;
            let uuid = PyString::new(py, event.uuid.hyphenated().encode_lower(&mut [0; 36]));
            list.append((uuid, event.name.as_str(), wants_person(event), json))?;
        }
        Ok(list)
    }

    fn __repr__(&self) -> String {
        let spanmap_core::Batch { events, span_count, drops, .. } = self.held.borrow_dependent();
        format!("<Batch of {span_count} spans: {} events, {} drops>", events.len(), drops.len())
    }
}

/// PostHog makes a profile of whoever an event names, unless the event says otherwise.
fn wants_person(event: &Event<'_>) -> bool {
    let stated = event.properties.iter().find(|(name, _)| *name == Name::Known(Key::P_PROCESS_PERSON_PROFILE));
    !matches!(stated, Some((_, Value::Bool(false))))
}

/// Yields the events of one batch as lists of at most ``chunk_size`` dicts.
#[pyclass(frozen, module = "spanmap")]
pub struct EventChunks {
    batch: HeldBatch,
    max_json_nesting: usize,
    chunk_size: usize,
    /// Events handed out so far. Atomic: two threads that share the iterator get different chunks.
    position: AtomicUsize,
}

impl EventChunks {
    pub fn new(batch: HeldBatch, max_json_nesting: usize, chunk_size: usize) -> Self {
        Self { batch, max_json_nesting, chunk_size, position: AtomicUsize::new(0) }
    }
}

#[pymethods]
impl EventChunks {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let events = &self.batch.borrow_dependent().events;
        let advance = |position: usize| (position < events.len()).then(|| position.saturating_add(self.chunk_size));
        let Ok(start) = self.position.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance) else {
            return Ok(None);
        };
        let end = start.saturating_add(self.chunk_size).min(events.len());
        let chunk = events.get(start..end).unwrap_or_default();
        objects::events(py, chunk, self.max_json_nesting).map(Some)
    }
}
