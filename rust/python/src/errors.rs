//! Core errors as Python exceptions. The exceptions live in `spanmap.errors`; Rust imports them once, when first needed.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use spanmap_core::error::{Error, Kind};

static DECODE_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static LIMIT_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static INPUT_TYPE_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The Python exception for an error of the core.
#[cold]
pub fn to_exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let class = match error.kind {
        Kind::Decode => DECODE_ERROR.import(py, "spanmap.errors", "DecodeError")?,
        Kind::Limit(_) => LIMIT_ERROR.import(py, "spanmap.errors", "LimitError")?,
    };
    let fields = PyDict::new(py);
    fields.set_item("stage", error.stage.name())?;
    fields.set_item("offset", error.offset)?;
    fields.set_item("path", error.path())?;
    class.call((error.to_string(),), Some(&fields))
}

/// The same, ready to be raised.
#[cold]
pub fn to_py_err(py: Python<'_>, error: &Error) -> PyErr {
    to_exception(py, error).map_or_else(|failed| failed, PyErr::from_value)
}

/// The body has a type that holds no bytes.
#[cold]
pub fn wrong_body_type(body: &Bound<'_, PyAny>) -> PyErr {
    wrong_type(body, "the body is", "Pass the request as bytes, bytearray or memoryview.")
}

/// What should hold spans cannot be iterated over.
#[cold]
pub fn wrong_spans_type(spans: &Bound<'_, PyAny>) -> PyErr {
    wrong_type(spans, "the spans are", "Pass an iterable of finished spans of the OpenTelemetry SDK.")
}

fn wrong_type(given: &Bound<'_, PyAny>, what: &str, advice: &str) -> PyErr {
    let raise = || -> PyResult<PyErr> {
        let name = given.get_type().qualname()?;
        let message = format!("{what} of type {name}. {advice}");
        let class = INPUT_TYPE_ERROR.import(given.py(), "spanmap.errors", "InputTypeError")?;
        Ok(PyErr::from_value(class.call1((message,))?))
    };
    raise().unwrap_or_else(|failed| failed)
}
