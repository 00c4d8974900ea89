//! Attributes and their values, as the SDK keeps them.

use std::borrow::Cow;

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyMapping, PySequence, PyString};
use spanmap_core::error::{Error, Stage};
use spanmap_core::limits::Limits;
use spanmap_core::wire::{Attribute, Value};

/// Text of a Python string, or what stands for text that UTF-8 cannot hold.
pub enum Text {
    Shared(PyBackedStr),
    Made(String),
}

impl Text {
    pub fn as_str(&self) -> &str {
        match self {
            Text::Shared(text) => text,
            Text::Made(text) => text,
        }
    }
}

pub struct HeldAttribute {
    pub key: Text,
    pub value: HeldValue,
}

pub enum HeldValue {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Text),
    Bytes(PyBackedBytes),
    Array(Vec<HeldValue>),
    Object(Vec<HeldAttribute>),
}

impl HeldAttribute {
    pub fn as_wire(&self) -> Attribute<'_> {
        let (key, value) = self.as_member();
        Attribute { key, value }
    }

    fn as_member(&self) -> (Cow<'_, str>, Value<'_>) {
        (Cow::Borrowed(self.key.as_str()), self.value.as_wire())
    }
}

impl HeldValue {
    fn as_wire(&self) -> Value<'_> {
        match self {
            HeldValue::Null => Value::Null,
            HeldValue::Bool(truth) => Value::Bool(*truth),
            HeldValue::Int(number) => Value::Int(*number),
            HeldValue::Double(number) => Value::Double(*number),
            HeldValue::Text(text) => Value::Str(Cow::Borrowed(text.as_str())),
            HeldValue::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            HeldValue::Array(elements) => Value::Array(elements.iter().map(HeldValue::as_wire).collect()),
            HeldValue::Object(members) => Value::Object(members.iter().map(HeldAttribute::as_member).collect()),
        }
    }
}

/// Why an object could not be read.
pub enum Failure {
    /// It passes a cap.
    Cap(Error),
    /// It does not behave as a span does.
    Raised(PyErr, Vec<&'static str>),
}

impl From<PyErr> for Failure {
    fn from(raised: PyErr) -> Self {
        Failure::Raised(raised, Vec::new())
    }
}

impl Failure {
    /// Adds the field that the failure travelled out of.
    pub fn at(self, field: &'static str) -> Self {
        match self {
            Failure::Cap(error) => Failure::Cap(error.at(field)),
            Failure::Raised(raised, mut fields) => {
                fields.push(field);
                Failure::Raised(raised, fields)
            }
        }
    }

    /// The failure as an error of the core.
    ///
    /// # Errors
    /// What no reader may swallow: `KeyboardInterrupt`, say.
    pub fn into_error(self, py: Python<'_>) -> PyResult<Error> {
        match self {
            Failure::Cap(error) => Ok(error),
            Failure::Raised(raised, fields) if raised.is_instance_of::<PyException>(py) => {
                let what = format!("cannot be read ({raised})");
                let advice = "Pass finished spans of the OpenTelemetry SDK: objects like its ReadableSpan.";
                let error = Error::decode(0, what, advice).at_stage(Stage::Span);
                Ok(fields.into_iter().fold(error, |error, field| error.at(field)))
            }
            Failure::Raised(raised, _) => Err(raised),
        }
    }
}

/// Reads values within the caps.
pub struct Values<'l> {
    limits: &'l Limits,
    /// Bytes of all text and bytes read so far.
    pub weight: usize,
}

impl<'l> Values<'l> {
    pub fn new(limits: &'l Limits) -> Self {
        Self { limits, weight: 0 }
    }

    /// The attributes of a span, event, resource or scope, in their order.
    pub fn attributes(&mut self, owner: &Bound<'_, PyAny>) -> Result<Vec<HeldAttribute>, Failure> {
        let py = owner.py();
        let attributes = owner.getattr(intern!(py, "attributes"))?;
        if attributes.is_none() {
            return Ok(Vec::new());
        }
        // The SDK's own mapping is written in Python, and slow to walk; its copy is a dict.
        let copied = attributes.call_method0(intern!(py, "copy"));
        self.members(copied.as_ref().unwrap_or(&attributes), 0)
    }

    fn members(&mut self, mapping: &Bound<'_, PyAny>, depth: usize) -> Result<Vec<HeldAttribute>, Failure> {
        let mut members = Vec::new();
        if let Ok(dict) = mapping.cast::<PyDict>() {
            members.reserve(dict.len());
            // What is inside a value belongs to the application, which may change it while its members are read.
            let dict = if depth > 0 { dict.copy()? } else { dict.clone() };
            for (key, value) in dict {
                self.member(&key, &value, depth, &mut members)?;
            }
        } else {
            for item in mapping.cast::<PyMapping>().map_err(PyErr::from)?.items()? {
                let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
                self.member(&key, &value, depth, &mut members)?;
            }
        }
        Ok(members)
    }

    fn member(
        &mut self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        depth: usize,
        members: &mut Vec<HeldAttribute>,
    ) -> Result<(), Failure> {
        if depth == 0 {
            self.check_count(members.len(), "max_attributes", "attributes in one place")?;
        }
        let key = match key.cast::<PyString>() {
            Ok(key) => self.text(key)?,
            Err(_) => self.text(&key.str()?)?,
        };
        members.push(HeldAttribute { key, value: self.value(value, depth)? });
        Ok(())
    }

    /// The kinds in the order of the encoder: a bool is an int, and text is a sequence, to Python.
    fn value(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<HeldValue, Failure> {
        if let Ok(text) = value.cast::<PyString>() {
            Ok(HeldValue::Text(self.text(text)?))
        } else if value.is_none() {
            Ok(HeldValue::Null)
        } else if let Ok(truth) = value.cast::<PyBool>() {
            Ok(HeldValue::Bool(truth.is_true()))
        } else if value.is_instance_of::<PyInt>() {
            match value.extract() {
                Ok(number) => Ok(HeldValue::Int(number)),
                Err(_) => self.as_text(value),
            }
        } else if let Ok(number) = value.cast::<PyFloat>() {
            Ok(HeldValue::Double(number.value()))
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            let bytes = PyBackedBytes::from(bytes.clone());
            self.weight += bytes.len();
            Ok(HeldValue::Bytes(bytes))
        } else if let Ok(elements) = value.cast::<PySequence>() {
            self.check_depth(depth)?;
            let mut held = Vec::new();
            for element in elements.try_iter()? {
                let element = self.value(&element?, depth + 1)?;
                // The decoder leaves elements without a value out.
                if !matches!(element, HeldValue::Null) {
                    held.push(element);
                }
            }
            Ok(HeldValue::Array(held))
        } else if value.cast::<PyMapping>().is_ok() {
            self.check_depth(depth)?;
            Ok(HeldValue::Object(self.members(value, depth + 1)?))
        } else {
            self.as_text(value)
        }
    }

    /// Python refuses to write integers of more than 4300 digits in decimal, and an object may refuse to say what it is.
    fn as_text(&mut self, value: &Bound<'_, PyAny>) -> Result<HeldValue, Failure> {
        match value.str() {
            Ok(text) => Ok(HeldValue::Text(self.text(&text)?)),
            Err(_) => Ok(HeldValue::Text(Text::Made(format!("<{}>", value.get_type().name()?)))),
        }
    }

    pub fn text(&mut self, string: &Bound<'_, PyString>) -> PyResult<Text> {
        let text = match PyBackedStr::try_from(string.clone()) {
            Ok(text) => Text::Shared(text),
            Err(_) => Text::Made(with_lone_surrogates_replaced(string)?),
        };
        self.weight += text.as_str().len();
        Ok(text)
    }

    pub fn check_count(&self, count: usize, cap: &'static str, things: &str) -> Result<(), Failure> {
        let max = if cap == "max_attributes" { self.limits.max_attributes } else { self.limits.max_span_events };
        if count < max {
            return Ok(());
        }
        let what = format!("has more than {max} {things}");
        Err(Failure::Cap(Error::limit(0, cap, what).at_stage(Stage::Span)))
    }

    fn check_depth(&self, depth: usize) -> Result<(), Failure> {
        if depth < self.limits.max_nesting {
            return Ok(());
        }
        let what = format!("nests sequences and mappings more than {} deep", self.limits.max_nesting);
        Err(Failure::Cap(Error::limit(0, "max_nesting", what).at_stage(Stage::Span)))
    }
}

/// Two surrogates that belong together are one character; one alone becomes U+FFFD.
#[cold]
fn with_lone_surrogates_replaced(string: &Bound<'_, PyString>) -> PyResult<String> {
    let encoded = string.call_method1("encode", ("utf-16-le", "surrogatepass"))?.cast_into::<PyBytes>()?;
    let units = encoded.as_bytes().chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}
