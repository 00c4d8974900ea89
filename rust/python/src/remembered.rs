//! Python strings made once while one batch is built. Models, roles and ids repeat over its events, and so does what was
//! said: a conversation is sent again with each of its turns.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// Slots for each event, up to a bound: a small request shall not pay for a large table, nor a large one for a table that
/// leaves the processor's cache.
const SLOTS_PER_EVENT: usize = 32;
const SLOTS: std::ops::RangeInclusive<usize> = 64..=2048;

/// Strings by the source text that they were made from. A collision only costs a new string.
pub struct Remembered<'e, 'py> {
    slots: Vec<Option<(&'e str, Bound<'py, PyString>)>>,
}

impl<'e, 'py> Remembered<'e, 'py> {
    pub fn new(events: usize) -> Self {
        Self { slots: slots(events) }
    }

    /// The string that was made from this text, or a new one.
    #[inline]
    pub fn get(&mut self, text: &'e str, make: impl FnOnce(&str) -> Bound<'py, PyString>) -> Bound<'py, PyString> {
        // Python keeps the empty string and those of one byte by itself.
        let slots = self.slots.len();
        let slot = if text.len() < 2 { None } else { self.slots.get_mut(hash(text.as_bytes()) & (slots - 1)) };
        match slot {
            None => make(text),
            Some(Some((known, string))) if *known == text => string.clone(),
            Some(slot) => slot.insert((text, make(text))).1.clone(),
        }
    }
}

/// What a guess goes by.
pub type Head = [u8; 32];

/// The last string of each beginning, for the guess that a text which begins alike goes on alike.
pub struct Guesses<'e, 'py> {
    slots: Vec<Option<(&'e str, Bound<'py, PyString>)>>,
}

impl<'e, 'py> Guesses<'e, 'py> {
    pub fn new(events: usize) -> Self {
        Self { slots: slots(events) }
    }

    /// A text, and its string, that began with these bytes or with others of the same hash.
    #[inline]
    pub fn get(&self, head: &Head) -> Option<&(&'e str, Bound<'py, PyString>)> {
        self.slots.get(hash(head) & (self.slots.len() - 1))?.as_ref()
    }

    #[inline]
    pub fn insert(&mut self, head: &Head, text: &'e str, string: &Bound<'py, PyString>) {
        let mask = self.slots.len() - 1;
        if let Some(slot) = self.slots.get_mut(hash(head) & mask) {
            *slot = Some((text, string.clone()));
        }
    }
}

/// So many empty slots, a power of two.
fn slots<T>(events: usize) -> Vec<Option<T>> {
    let count = events.saturating_mul(SLOTS_PER_EVENT).clamp(*SLOTS.start(), *SLOTS.end()).next_power_of_two();
    (0..count).map(|_| None).collect()
}

/// Mixes the length with the first, the middle and the last eight bytes: the cost does not grow with the text.
#[inline]
fn hash(text: &[u8]) -> usize {
    let length = text.len();
    let words = match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => {
            let middle = text.get(length / 2 - 4..).and_then(<[u8]>::first_chunk).unwrap_or(first);
            [u64::from_le_bytes(*first), u64::from_le_bytes(*middle), u64::from_le_bytes(*last)]
        }
        _ => [text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0, 0],
    };
    // Fibonacci hashing: the odd number nearest to 2^64 divided by the golden ratio.
    const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = words.iter().fold(length as u64, |mixed, word| (mixed.rotate_left(23) ^ word).wrapping_mul(FIBONACCI));
    (mixed >> 32) as usize
}
