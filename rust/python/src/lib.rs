//! `spanmap._core`: the core as an extension module. Checks arguments, detaches from the interpreter, converts errors.

use pyo3::prelude::*;

// A request makes and frees many small lists and one large output. The system's allocator gives the large blocks back to
// the kernel after every call, and then pays for each page anew at the next one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod batch;
mod body;
mod errors;
mod explain;
mod json;
mod mapper;
mod memory;
mod objects;
mod options;
mod parse;
mod remembered;
mod spans;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::batch::{Batch, Drop, EventChunks};
    #[pymodule_export]
    use crate::mapper::Mapper;

    use pyo3::prelude::*;
    use pyo3::types::{PyDict, PyList};

    /// The caps that hold when the caller names none, by name.
    #[pyfunction]
    fn default_limits(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        crate::options::default_limits(py)
    }

    /// Every rule by which ``compat="best"`` makes events, in the order in which rules are tried.
    ///
    /// Returns:
    ///     A dict for each rule: ``dialect`` (empty for rules that hold for all), ``id``, ``to`` (the property), ``from``
    ///     (the attributes that it may come from, in order of precedence: ``key``, ``key#a.b`` for a member of its JSON,
    ///     ``prefix*``), ``shape`` (what a value must look like) and ``source`` (the upstream document). ``from`` and
    ///     ``shape`` are empty where the value is computed.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> rule = next(rule for rule in spanmap.rules() if rule["id"] == "genai.input_tokens")
    ///     >>> rule["to"], rule["from"]
    ///     ('$ai_input_tokens', ['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'])
    #[pyfunction]
    fn rules(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
        crate::explain::rules(py)
    }

    /// Which libraries leave cached tokens out of their input tokens: who, and when; the first that fits decides.
    ///
    /// Example:
    ///     >>> import spanmap
    ///     >>> spanmap.cache_conventions()[-1]
    ///     ('all others', 'inclusive')
    #[pyfunction]
    fn cache_conventions() -> Vec<(&'static str, &'static str)> {
        crate::explain::cache_conventions()
    }
}
