//! Python strings made once while one batch is built. Models, roles and ids repeat over its events, and so does what was
//! said: a conversation is sent again with each of its turns.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// Slots for each event, up to a bound: a small request shall not pay for a large table, nor a large one for a table that
/// leaves the processor's cache.
const SLOTS_PER_EVENT: usize = 32;
const SLOTS: std::ops::RangeInclusive<usize> = 64..=2048;

/// A short text, which has fewer bytes than this, and whatever stands behind it.
pub type Word = [u8; 16];

/// Strings by the source text that they were made from. A collision only costs a new string.
pub struct Remembered<'e, 'py> {
    short: Vec<Option<(u128, Bound<'py, PyString>)>>,
    long: Vec<Option<(&'e str, Bound<'py, PyString>)>>,
}

impl<'e, 'py> Remembered<'e, 'py> {
    pub fn new(events: usize) -> Self {
        Self { short: slots(events), long: slots(events) }
    }

    /// The string that was made from this text, or a new one.
    #[inline]
    pub fn get(&mut self, text: &'e str, make: impl FnOnce(&str) -> Bound<'py, PyString>) -> Bound<'py, PyString> {
        let mut word = Word::default();
        if text.len() < word.len() {
            word.iter_mut().zip(text.bytes()).for_each(|(room, byte)| *room = byte);
            return self.get_short(&word, text, make);
        }
        let mask = self.long.len() - 1;
        match self.long.get_mut(hash_long(text.as_bytes()) & mask) {
            None => make(text),
            Some(Some((known, string))) if *known == text => string.clone(),
            Some(slot) => slot.insert((text, make(text))).1.clone(),
        }
    }

    /// The same for a short text, the beginning of the word.
    #[inline]
    pub fn get_short(
        &mut self,
        word: &Word,
        text: &str,
        make: impl FnOnce(&str) -> Bound<'py, PyString>,
    ) -> Bound<'py, PyString> {
        // What stands behind the text is shifted out, and its length takes the place: a text may end with a zero byte.
        let unused = 8 * (word.len() - text.len()) as u32;
        let key = u128::from_le_bytes(*word).checked_shl(unused).unwrap_or(0) | text.len() as u128;
        let hash = fold([key as u64, (key >> 64) as u64]);
        let mask = self.short.len() - 1;
        match self.short.get_mut(hash & mask) {
            None => make(text),
            Some(Some((known, string))) if *known == key => string.clone(),
            Some(slot) => slot.insert((key, make(text))).1.clone(),
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
        self.slots.get(hash_long(head) & (self.slots.len() - 1))?.as_ref()
    }

    #[inline]
    pub fn insert(&mut self, head: &Head, text: &'e str, string: &Bound<'py, PyString>) {
        let mask = self.slots.len() - 1;
        if let Some(slot) = self.slots.get_mut(hash_long(head) & mask) {
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
fn hash_long(text: &[u8]) -> usize {
    let length = text.len();
    let word = |at: usize| text.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word));
    fold([word(0) ^ length as u64, word(length / 2 - 4), word(length - 8)])
}

/// Mixes words by Fibonacci hashing: with the odd number nearest to 2^64 divided by the golden ratio.
#[inline]
fn fold<const N: usize>(words: [u64; N]) -> usize {
    const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = words.iter().fold(0, |mixed: u64, word| (mixed.rotate_left(23) ^ word).wrapping_mul(FIBONACCI));
    (mixed >> 32) as usize
}
