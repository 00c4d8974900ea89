//! Why events look as they do, and the rules behind them, as Python says it.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use spanmap_core::dialect::{self, Note, Unused};

use crate::batch::Batch;

/// A `spanmap.Explanation` of a batch that was mapped with explanations.
pub fn explanation<'py>(py: Python<'py>, batch: &Batch) -> PyResult<Bound<'py, PyAny>> {
    let explained = PyList::empty(py);
    let reasons = batch.held.borrow_dependent().explanations.as_deref().unwrap_or_default();
    for (event, reason) in batch.events(py)?.iter().zip(reasons) {
        let properties = reason.notes.iter().map(|note| note_dict(py, note)).collect::<PyResult<Vec<_>>>()?;
        let unused = reason.unused.iter().map(|unused| unused_dict(py, unused)).collect::<PyResult<Vec<_>>>()?;
        let dict = PyDict::new(py);
        dict.set_item("event", event)?;
        dict.set_item("properties", properties)?;
        dict.set_item("unused", unused)?;
        explained.append(dict)?;
    }
    let class = py.import("spanmap.explanation")?.getattr("Explanation")?;
    class.call1((explained, batch.drops(), batch.errors(py)?))
}

fn note_dict<'py>(py: Python<'py>, note: &Note) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("property", &note.property)?;
    dict.set_item("rule", note.rule)?;
    dict.set_item("source", note.source.as_deref())?;
    dict.set_item("losers", &note.losers)?;
    Ok(dict)
}

fn unused_dict<'py>(py: Python<'py>, unused: &Unused) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("key", &unused.key)?;
    dict.set_item("reason", unused.reason)?;
    Ok(dict)
}

/// Every rule of the core as a dict.
pub fn rules(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for rule in dialect::rules() {
        let dict = PyDict::new(py);
        dict.set_item("dialect", rule.dialect)?;
        dict.set_item("id", rule.id)?;
        dict.set_item("to", rule.to)?;
        dict.set_item("from", rule.from)?;
        dict.set_item("shape", rule.shape)?;
        dict.set_item("source", rule.source)?;
        list.append(dict)?;
    }
    Ok(list)
}

/// The table of cache conventions.
pub fn cache_conventions() -> Vec<(&'static str, &'static str)> {
    dialect::cache_conventions().to_vec()
}
