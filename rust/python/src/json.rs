//! Events as JSON in a `bytes` object. Comes in: events of the core. Goes out: what `json.dumps` could have written.

use std::mem;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use spanmap_core::output::Output;
use spanmap_core::{Event, sink};

use crate::body::HeldBatch;
use crate::memory::{self, BytesWriter};

/// From so many bytes on, JSON is written in place, and what becomes free on the way is given back before there is more
/// of it. Shorter JSON is written to memory that this module keeps and copied at its end: a copy of some megabytes costs
/// less than it costs to fetch their pages from the system anew for every request.
const LARGE_FROM_BYTES: usize = 8 << 20;
/// How often memory is given back on the way.
const GIVE_BACK_TIMES: usize = 16;

/// Something that can be written as JSON once, to whatever takes it.
trait Text: Send {
    fn likely_length(&self) -> usize;
    fn write(self, out: &mut impl Output);
}

fn to_bytes<'py>(py: Python<'py>, detach: bool, text: impl Text) -> PyResult<Bound<'py, PyBytes>> {
    let length = text.likely_length();
    if length < LARGE_FROM_BYTES {
        let json = detach_if(py, detach, || {
            let mut json = Vec::with_capacity(length);
            text.write(&mut json);
            json
        });
        Ok(PyBytes::new(py, &json))
    } else {
        let mut json = BytesWriter::new(py, length)?;
        detach_if(py, detach, || text.write(&mut json));
        json.finish(py)
    }
}

pub fn detach_if<T: Send>(py: Python<'_>, detach: bool, work: impl FnOnce() -> T + Send) -> T {
    if detach { py.detach(work) } else { work() }
}

/// A JSON array of events. They are freed as they are written: all that is left is the JSON.
pub fn array_of<'py>(py: Python<'py>, mut batch: HeldBatch, detach: bool) -> PyResult<Bound<'py, PyBytes>> {
    batch.with_dependent_mut(|_, batch| to_bytes(py, detach, OwnedArray(mem::take(batch).events)))
}

/// A JSON array of events.
pub fn array<'py>(py: Python<'py>, events: &[Event<'_>]) -> PyResult<Bound<'py, PyBytes>> {
    to_bytes(py, true, Array(events))
}

/// A line of JSON for each event.
pub fn lines<'py>(py: Python<'py>, events: &[Event<'_>]) -> PyResult<Bound<'py, PyBytes>> {
    to_bytes(py, true, Lines(events))
}

/// One event.
pub fn object<'py>(py: Python<'py>, event: &Event<'_>) -> PyResult<Bound<'py, PyBytes>> {
    to_bytes(py, true, Object(event))
}

struct OwnedArray<'a>(Vec<Event<'a>>);

impl Text for OwnedArray<'_> {
    fn likely_length(&self) -> usize {
        sink::json::likely_length(&self.0)
    }

    fn write(self, out: &mut impl Output) {
        let times = if self.likely_length() < LARGE_FROM_BYTES { 0 } else { GIVE_BACK_TIMES };
        let step = self.0.len().checked_div(times).map_or(usize::MAX, |step| step + 1);
        let events = self.0.into_iter().enumerate().map(|(index, event)| {
            if times > 0 && index % step == 0 {
                memory::give_back();
            }
            event
        });
        sink::json::write_each(events, out);
    }
}

struct Array<'e, 'a>(&'e [Event<'a>]);

impl Text for Array<'_, '_> {
    fn likely_length(&self) -> usize {
        sink::json::likely_length(self.0)
    }

    fn write(self, out: &mut impl Output) {
        sink::json::write_each(self.0, out);
    }
}

struct Lines<'e, 'a>(&'e [Event<'a>]);

impl Text for Lines<'_, '_> {
    fn likely_length(&self) -> usize {
        sink::json::likely_length(self.0)
    }

    fn write(self, out: &mut impl Output) {
        for event in self.0 {
            sink::json::write_event(event, out);
            out.push(b'\n');
        }
    }
}

struct Object<'e, 'a>(&'e Event<'a>);

impl Text for Object<'_, '_> {
    fn likely_length(&self) -> usize {
        sink::json::likely_length(std::slice::from_ref(self.0))
    }

    fn write(self, out: &mut impl Output) {
        sink::json::write_event(self.0, out);
    }
}
