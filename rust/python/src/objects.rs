//! The sink that builds Python objects. Comes in: events of the core. Goes out: the dicts that `json.loads` would make
//! of what the JSON sink writes.

use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};
use spanmap_core::event::{Event, Name};
use spanmap_core::wire::Value;
use spanmap_core::{identity, json, keys, time};

use crate::parse::{Fault, Parser};

/// The known keys as interned strings, by the id of the key; made once.
static KEYS: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();

/// Builds the events of one batch.
struct Builder<'e, 'py> {
    py: Python<'py>,
    keys: &'py [Py<PyString>],
    parser: Parser<'e, 'py>,
    max_json_nesting: usize,
}

/// The events as a list of dicts.
pub fn events<'py>(py: Python<'py>, events: &[Event<'_>], max_json_nesting: usize) -> PyResult<Bound<'py, PyList>> {
    let intern = || keys::TEXTS.iter().map(|text| PyString::intern(py, text).unbind()).collect();
    let keys = KEYS.get_or_init(py, intern);
    let mut builder = Builder { py, keys, parser: Parser::new(py, events.len()), max_json_nesting };
    let dicts = events.iter().map(|event| builder.event(event)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, dicts)
}

impl<'e, 'py> Builder<'e, 'py> {
    fn event(&mut self, event: &'e Event<'_>) -> PyResult<Bound<'py, PyDict>> {
        let py = self.py;
        let properties = PyDict::new(py);
        for (name, value) in &event.properties {
            let value = self.value(value)?;
            match name {
                Name::Known(key) => match self.keys.get(*key as usize) {
                    Some(key) => properties.set_item(key.bind(py), value)?,
                    None => properties.set_item(key.as_str(), value)?,
                },
                Name::Other(text) => properties.set_item(self.string(text), value)?,
            }
        }
        let timestamp = event.timestamp_unix_nano.map(time::rfc3339);
        let uuid = PyString::new(py, event.uuid.hyphenated().encode_lower(&mut [0; 36]));
        let dict = PyDict::new(py);
        dict.set_item(intern!(py, "event"), self.string(event.name.as_str()))?;
        dict.set_item(intern!(py, "distinct_id"), self.string(&event.distinct_id))?;
        dict.set_item(intern!(py, "timestamp"), timestamp)?;
        dict.set_item(intern!(py, "uuid"), uuid)?;
        dict.set_item(intern!(py, "properties"), properties)?;
        Ok(dict)
    }

    fn value(&mut self, value: &'e Value<'_>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        match value {
            Value::Null => Ok(py.None().into_bound(py)),
            Value::Bool(value) => value.into_bound_py_any(py),
            Value::Int(value) => value.into_bound_py_any(py),
            // JSON has no NaN and no infinities, and both sinks say the same.
            Value::Double(value) => value.is_finite().then_some(value).into_bound_py_any(py),
            Value::Str(text) => Ok(self.string(text).into_any()),
            Value::Bytes(bytes) => identity::hex(bytes).into_bound_py_any(py),
            Value::Array(elements) => {
                let list = PyList::empty(py);
                for element in elements {
                    list.append(self.value(element)?)?;
                }
                Ok(list.into_any())
            }
            Value::Object(members) => {
                let dict = PyDict::new(py);
                for (name, member) in members {
                    dict.set_item(self.string(name), self.value(member)?)?;
                }
                Ok(dict.into_any())
            }
            Value::Json(text) => match self.parser.parse(text) {
                Ok(object) => Ok(object),
                Err(Fault::Python(error)) => Err(*error),
                Err(Fault::Unread) => self.parsed_by_core(text),
            },
        }
    }

    /// For valid JSON that nests more deeply than the fast parser goes.
    #[cold]
    fn parsed_by_core(&self, text: &str) -> PyResult<Bound<'py, PyAny>> {
        let Some(value) = json::parse(text, self.max_json_nesting) else { return text.into_bound_py_any(self.py) };
        let parser = Parser::new(self.py, 0);
        Builder { parser, ..*self }.value(&value)
    }

    #[inline]
    fn string(&mut self, text: &'e str) -> Bound<'py, PyString> {
        let py = self.py;
        self.parser.plain.get(text, |text| PyString::new(py, text))
    }
}
