//! A set of known keys: one bit each.

use crate::keys::{self, Key};

#[derive(Debug, Clone, Copy)]
pub(super) struct KeySet([u64; keys::COUNT.div_ceil(64)]);

impl Default for KeySet {
    fn default() -> Self {
        Self([0; keys::COUNT.div_ceil(64)])
    }
}

impl KeySet {
    pub fn has(&self, key: Key) -> bool {
        let (word, bit) = Self::place(key);
        self.0[word] & bit != 0
    }

    /// Adds a key; whether it was not there before.
    pub fn insert(&mut self, key: Key) -> bool {
        let (word, bit) = Self::place(key);
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    pub fn remove(&mut self, key: Key) {
        let (word, bit) = Self::place(key);
        self.0[word] &= !bit;
    }

    fn place(key: Key) -> (usize, u64) {
        let index = key as usize;
        (index / 64, 1 << (index % 64))
    }
}
