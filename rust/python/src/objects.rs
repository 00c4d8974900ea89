//! The sink that builds Python objects. Comes in: events of the core. Goes out: the dicts that `json.loads` would make
//! of what the JSON sink writes.

use jiter::{PythonParse, StringCacheMode};
use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};
use spanmap_core::event::{Event, Name};
use spanmap_core::wire::Value;
use spanmap_core::{identity, json, keys, time};

/// The known keys as interned strings, by the id of the key; made once.
static KEYS: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();

/// Strings of these lengths are remembered while one batch is built: models, providers, roles and ids repeat.
const REMEMBERED_LENGTHS: std::ops::Range<usize> = 2..64;
/// A power of two, so that a hash becomes a slot by its low bits.
const REMEMBERED_SLOTS: usize = 512;

/// Builds the events of one batch.
pub struct Builder<'py> {
    py: Python<'py>,
    keys: &'py [Py<PyString>],
    remembered: Vec<Option<Bound<'py, PyString>>>,
    json: PythonParse,
    max_json_nesting: usize,
}

impl<'py> Builder<'py> {
    pub fn new(py: Python<'py>, max_json_nesting: usize) -> Self {
        let intern = || keys::TEXTS.iter().map(|text| PyString::intern(py, text).unbind()).collect();
        Self {
            py,
            keys: KEYS.get_or_init(py, intern),
            remembered: vec![None; REMEMBERED_SLOTS],
            // The parser's own cache of short strings is bounded and shared between calls.
            json: PythonParse { cache_mode: StringCacheMode::All, ..PythonParse::default() },
            max_json_nesting,
        }
    }

    pub fn events(&mut self, events: &[Event<'_>]) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(self.py);
        for event in events {
            list.append(self.event(event)?)?;
        }
        Ok(list)
    }

    fn event(&mut self, event: &Event<'_>) -> PyResult<Bound<'py, PyDict>> {
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
        let uuid = self.string(event.uuid.hyphenated().encode_lower(&mut [0; 36]));
        let dict = PyDict::new(py);
        dict.set_item(intern!(py, "event"), self.string(event.name.as_str()))?;
        dict.set_item(intern!(py, "distinct_id"), self.string(&event.distinct_id))?;
        dict.set_item(intern!(py, "timestamp"), timestamp)?;
        dict.set_item(intern!(py, "uuid"), uuid)?;
        dict.set_item(intern!(py, "properties"), properties)?;
        Ok(dict)
    }

    fn value(&mut self, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
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
            Value::Json(text) => match self.json.python_parse(py, text.as_bytes()) {
                Ok(object) => Ok(object),
                Err(_) => self.parsed_by_core(text),
            },
        }
    }

    /// For valid JSON beyond what the fast parser takes: deeper than 200 containers, say.
    #[cold]
    fn parsed_by_core(&mut self, text: &str) -> PyResult<Bound<'py, PyAny>> {
        match json::parse(text, self.max_json_nesting) {
            // An integer of thousands of digits, which Python too refuses to read (CVE-2020-10735): it stays text.
            None | Some(Value::Json(_)) => text.into_bound_py_any(self.py),
            Some(value) => self.value(&value),
        }
    }

    fn string(&mut self, text: &str) -> Bound<'py, PyString> {
        if !REMEMBERED_LENGTHS.contains(&text.len()) {
            return PyString::new(self.py, text);
        }
        let Some(slot) = self.remembered.get_mut(slot_of(text.as_bytes())) else {
            return PyString::new(self.py, text);
        };
        match slot {
            Some(string) if string.to_str().is_ok_and(|known| known == text) => string.clone(),
            _ => slot.insert(PyString::new(self.py, text)).clone(),
        }
    }
}

/// A slot by the length, the first and the last eight bytes: cheap, and a collision only costs a new string.
fn slot_of(text: &[u8]) -> usize {
    let eight = |bytes: &[u8]| bytes.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let first = eight(text.get(..text.len().min(8)).unwrap_or_default());
    let last = eight(text.get(text.len().saturating_sub(8)..).unwrap_or_default());
    // Fibonacci hashing: the odd number nearest to 2^64 divided by the golden ratio.
    let mixed = (first ^ last.rotate_left(29) ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (REMEMBERED_SLOTS - 1)
}
