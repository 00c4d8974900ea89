//! The bytes of a request: `bytes` without a copy, since nobody can change them; `bytearray` and `memoryview` copied,
//! since another thread can while Python is detached.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};
use self_cell::self_cell;
use spanmap_core::Result;
use spanmap_core::limits::Limits;
use spanmap_core::wire::compression::decompress;

use crate::errors::wrong_body_type;
use crate::spans::HeldSpans;

pub enum Body {
    AsGiven(PyBackedBytes),
    Inflated(Vec<u8>),
    /// No bytes at all: the objects of the OpenTelemetry SDK.
    Spans(HeldSpans),
}

impl Body {
    /// Undoes the content encoding.
    pub fn inflate(given: PyBackedBytes, content_encoding: Option<&str>, limits: &Limits) -> Result<Self> {
        let inflated = match decompress(&given, content_encoding, limits)? {
            Cow::Borrowed(_) => None,
            Cow::Owned(inflated) => Some(inflated),
        };
        Ok(inflated.map_or(Body::AsGiven(given), Body::Inflated))
    }

    /// How many bytes of input there are to work on.
    pub fn weight(&self) -> usize {
        match self {
            Body::Spans(spans) => spans.weight,
            bytes => bytes.as_bytes().len(),
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Body::AsGiven(bytes) => bytes,
            Body::Inflated(bytes) => bytes,
            Body::Spans(_) => &[],
        }
    }
}

type Mapped<'a> = spanmap_core::Batch<'a>;

self_cell!(
    /// A batch together with the body that it borrows from.
    pub struct HeldBatch {
        owner: Body,
        #[covariant]
        dependent: Mapped,
    }
);

/// The bytes that a Python object holds.
pub fn read_bytes(body: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    if let Ok(bytes) = body.cast::<PyBytes>() {
        Ok(PyBackedBytes::from(bytes.clone()))
    } else if let Ok(bytes) = body.cast::<PyByteArray>() {
        Ok(PyBackedBytes::from(bytes.clone()))
    } else if let Ok(view) = body.cast::<PyMemoryView>() {
        // `tobytes` also takes views that are not contiguous.
        Ok(PyBackedBytes::from(view.call_method0("tobytes")?.cast_into::<PyBytes>()?))
    } else {
        Err(wrong_body_type(body))
    }
}
