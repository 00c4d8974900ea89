//! Where text is written to: a `Vec<u8>`, or memory that a caller has elsewhere, such as an object of Python's.

/// Bytes that are appended one after the other.
pub trait Output {
    /// Makes room for so many bytes more at once; appending never needs this.
    fn reserve(&mut self, additional: usize);
    fn push(&mut self, byte: u8);
    fn extend_from_slice(&mut self, bytes: &[u8]);
}

impl Output for Vec<u8> {
    #[inline]
    fn reserve(&mut self, additional: usize) {
        Vec::reserve(self, additional);
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        Vec::push(self, byte);
    }

    #[inline]
    fn extend_from_slice(&mut self, bytes: &[u8]) {
        Vec::extend_from_slice(self, bytes);
    }
}
