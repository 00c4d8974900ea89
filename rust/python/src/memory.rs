//! Memory where neither Rust nor pyo3 has a safe name for what has to be done: a `bytes` object that is written in place,
//! detached from the interpreter, and the way back to the system for what is free.
//!
//! This is the one file of the project with unsafe code. pyo3 can make `bytes` of a known length, filled with zeros
//! first, or of a copy; the length of JSON is known only at its end, and a copy costs its size in memory once more.

#![allow(unsafe_code)]

use std::ptr::{self, NonNull};

use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use spanmap_core::output::Output;

unsafe extern "C" {
    // Part of the stable ABI (https://docs.python.org/3/c-api/stable.html), though pyo3 keeps it to itself.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, new_size: ffi::Py_ssize_t) -> std::ffi::c_int;
}

unsafe extern "C" {
    // Of mimalloc, the allocator of this module (https://microsoft.github.io/mimalloc/group__extended.html).
    safe fn mi_collect(force: bool);
}

/// Gives memory that Rust has freed back to the system: mimalloc keeps it, which is right between small requests, and
/// would add it to the peak of a large one. What is used again has to be fetched again, so this is for large ones only.
pub fn give_back() {
    mi_collect(true);
}

/// Grows as it is written to. Once memory runs out it takes nothing more, and [`Self::finish`] says so.
pub struct BytesWriter {
    /// The only reference there is; `None` once memory has run out.
    object: Option<Py<PyBytes>>,
    /// Where the object keeps its bytes.
    start: NonNull<u8>,
    length: usize,
    capacity: usize,
}

// SAFETY: `start` points into `object`, which may go to other threads and is referred to by nothing else.
unsafe impl Send for BytesWriter {}

impl BytesWriter {
    /// A writer with room for so many bytes.
    pub fn new(py: Python<'_>, capacity: usize) -> PyResult<Self> {
        // Objects of no byte and of one are shared by all who ask for them, and must not be written to.
        let capacity = capacity.max(64);
        let size = ffi::Py_ssize_t::try_from(capacity).map_err(|_| PyMemoryError::new_err(()))?;
        // SAFETY: we are attached. With a null pointer the bytes are left as they are, which is allowed until somebody
        // reads them: `finish` cuts off what was not written.
        let object = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyBytes_FromStringAndSize(ptr::null(), size)) }?;
        let mut writer = Self {
            object: Some(object.cast_into::<PyBytes>()?.unbind()),
            start: NonNull::dangling(),
            length: 0,
            capacity,
        };
        writer.find_start(py)?;
        Ok(writer)
    }

    /// The bytes that were written.
    ///
    /// # Errors
    /// A `MemoryError` if some of them found no room.
    pub fn finish(mut self, py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
        self.resize(py, self.length)?;
        self.object.take().map(|object| object.into_bound(py)).ok_or_else(|| PyMemoryError::new_err(()))
    }

    fn find_start(&mut self, py: Python<'_>) -> PyResult<()> {
        let object = self.object.as_ref().map_or(ptr::null_mut(), Py::as_ptr);
        // SAFETY: we are attached, and `object` is a `bytes`, or null, which Python answers with an error.
        let start = unsafe { ffi::PyBytes_AsString(object) };
        self.start = NonNull::new(start.cast()).ok_or_else(|| PyErr::fetch(py))?;
        Ok(())
    }

    /// Gives the object another size. What was written stays, as far as it fits.
    fn resize(&mut self, py: Python<'_>, capacity: usize) -> PyResult<()> {
        let Some(object) = self.object.take() else { return Err(PyMemoryError::new_err(())) };
        self.capacity = 0;
        let size = ffi::Py_ssize_t::try_from(capacity).map_err(|_| PyMemoryError::new_err(()))?;
        let mut object = object.into_ptr();
        // SAFETY: we are attached, `object` is a `bytes` that is ours alone and was never hashed, and the reference goes
        // into the call. What comes back is a reference of ours again, or null with the error set.
        let resized = unsafe {
            _PyBytes_Resize(&raw mut object, size);
            Bound::from_owned_ptr_or_err(py, object)
        }?;
        self.object = Some(resized.cast_into::<PyBytes>()?.unbind());
        self.find_start(py)?;
        self.capacity = capacity;
        Ok(())
    }

    /// Whether there is room for so many bytes more; makes it if not.
    #[inline]
    fn has_room(&mut self, additional: usize) -> bool {
        additional <= self.capacity - self.length || self.grow(additional)
    }

    #[cold]
    fn grow(&mut self, additional: usize) -> bool {
        let needed = self.length.saturating_add(additional);
        let capacity = needed.max(self.capacity.saturating_mul(2));
        let grown = Python::attach(|py| self.resize(py, capacity)).is_ok();
        if !grown {
            // Nothing fits any more, not even what would have fitted before.
            (self.object, self.capacity, self.length) = (None, 0, 0);
        }
        grown
    }
}

impl Output for BytesWriter {
    #[inline]
    fn reserve(&mut self, additional: usize) {
        self.has_room(additional);
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        if self.has_room(bytes.len()) {
            // SAFETY: `has_room` means that the object has `bytes.len()` bytes behind the first `length`. Nobody else
            // refers to them, so `bytes` cannot overlap with them.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(self.length).as_ptr(), bytes.len()) };
            self.length += bytes.len();
        }
    }
}
