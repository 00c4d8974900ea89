//! `spanmap._core`: the core as an extension module. Checks arguments, detaches from the interpreter, converts errors.

use pyo3::prelude::*;

mod batch;
mod body;
mod errors;
mod mapper;
mod objects;
mod options;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::batch::{Batch, Drop, EventChunks};
    #[pymodule_export]
    use crate::mapper::Mapper;

    use pyo3::prelude::*;
    use pyo3::types::PyDict;

    /// The caps that hold when the caller names none, by name.
    #[pyfunction]
    fn default_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        crate::options::default_limits(py)
    }
}
