//! The properties of one event while it is being made: a map that keeps the order of insertion, in which a known key
//! is one array access away. One bag serves all spans of a request and keeps its memory between them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::event::Name;
use crate::keys::{self, Key};
use crate::wire::Value;

/// Up to so many names that are no keys are found by looking at each entry; beyond that by hash, so that a span with
/// very many attributes does not cost the square of their number.
const SCANNED_ENTRIES: usize = 32;

pub(super) struct Bag<'a> {
    /// `None` where a property was removed.
    entries: Vec<Option<(Name<'a>, Value<'a>)>>,
    /// For each known key the place of its entry plus one, or zero.
    slots: Vec<u32>,
    /// Places of the entries whose names are no keys, by the hash of the name. Filled beyond [`SCANNED_ENTRIES`].
    places: HashMap<u64, usize>,
    /// Entries before this one are in `places`.
    hashed: usize,
    hasher: RandomState,
}

impl<'a> Bag<'a> {
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            slots: vec![0; keys::COUNT],
            places: HashMap::new(),
            hashed: 0,
            hasher: RandomState::new(),
        }
    }

    pub fn get(&self, key: Key) -> Option<&Value<'a>> {
        let place = (self.slots[key as usize] as usize).checked_sub(1)?;
        self.entries[place].as_ref().map(|(_, value)| value)
    }

    /// Whether the property exists, be it null or empty.
    pub fn has(&self, key: Key) -> bool {
        self.slots[key as usize] != 0
    }

    pub fn text(&self, key: Key) -> Option<&Cow<'a, str>> {
        match self.get(key) {
            Some(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Sets a property, in place if it exists.
    pub fn set(&mut self, key: Key, value: Value<'a>) {
        match (self.slots[key as usize] as usize).checked_sub(1) {
            Some(place) => self.entries[place] = Some((Name::Known(key), value)),
            None => {
                self.entries.push(Some((Name::Known(key), value)));
                // There are fewer entries than bytes in a body, and a body of 4 GiB does not pass the limits.
                self.slots[key as usize] = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
            }
        }
    }

    pub fn set_if_absent(&mut self, key: Key, value: Value<'a>) {
        if !self.has(key) {
            self.set(key, value);
        }
    }

    pub fn remove(&mut self, key: Key) -> Option<Value<'a>> {
        let place = (std::mem::take(&mut self.slots[key as usize]) as usize).checked_sub(1)?;
        self.entries[place].take().map(|(_, value)| value)
    }

    pub fn remove_all(&mut self, keys: &[Key]) {
        for &key in keys {
            self.remove(key);
        }
    }

    /// Moves a property under another name, over what was there.
    pub fn rename(&mut self, from: Key, to: Key) {
        if let Some(value) = self.remove(from) {
            self.set(to, value);
        }
    }

    /// Moves a property under another name unless that name is taken; the old name goes either way.
    pub fn rename_if_absent(&mut self, from: Key, to: Key) {
        if let Some(value) = self.remove(from) {
            self.set_if_absent(to, value);
        }
    }

    pub fn has_name(&mut self, name: &str) -> bool {
        match Key::of(name) {
            Some(key) => self.has(key),
            None => self.find(name).is_some(),
        }
    }

    /// Sets a property by any name, in place if it exists.
    pub fn set_name(&mut self, name: Name<'a>, value: Value<'a>) {
        match name {
            Name::Known(key) => self.set(key, value),
            Name::Other(text) => match self.find(&text) {
                Some(place) => self.entries[place] = Some((Name::Other(text), value)),
                None => self.entries.push(Some((Name::Other(text), value))),
            },
        }
    }

    /// Takes a property out by any name.
    pub fn remove_name(&mut self, name: &str) -> Option<Value<'a>> {
        match Key::of(name) {
            Some(key) => self.remove(key),
            None => self.find(name).and_then(|place| self.entries[place].take()).map(|(_, value)| value),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Name<'a>, Value<'a>)> {
        self.entries.iter().flatten()
    }

    /// Takes out all properties whose names start with the prefix, in order.
    pub fn remove_prefix(&mut self, prefix: &str) -> Vec<(Name<'a>, Value<'a>)> {
        let mut removed = Vec::new();
        for entry in &mut self.entries {
            if let Some((name, value)) = entry.take_if(|(name, _)| name.as_str().starts_with(prefix)) {
                if let Name::Known(key) = name {
                    self.slots[key as usize] = 0;
                }
                removed.push((name, value));
            }
        }
        removed
    }

    /// All properties in order. The bag is empty afterwards.
    pub fn take(&mut self) -> Vec<(Name<'a>, Value<'a>)> {
        let mut properties = Vec::with_capacity(self.entries.len());
        for entry in self.entries.drain(..).flatten() {
            if let (Name::Known(key), _) = entry {
                self.slots[key as usize] = 0;
            }
            properties.push(entry);
        }
        self.places.clear();
        self.hashed = 0;
        properties
    }

    /// The place of an entry whose name is no key.
    fn find(&mut self, name: &str) -> Option<usize> {
        let is_it = |entry: &Option<(Name, Value)>| matches!(entry, Some((Name::Other(text), _)) if text == name);
        if self.entries.len() <= SCANNED_ENTRIES {
            return self.entries.iter().position(is_it);
        }
        for (place, entry) in self.entries.iter().enumerate().skip(self.hashed) {
            if let Some((Name::Other(text), _)) = entry {
                self.places.insert(self.hasher.hash_one(text.as_ref()), place);
            }
        }
        self.hashed = self.entries.len();
        let place = *self.places.get(&self.hasher.hash_one(name))?;
        // Two names with one hash are not to be expected, but a wrong answer would lose a property.
        if is_it(&self.entries[place]) { Some(place) } else { self.entries.iter().position(is_it) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(text: &str) -> Name<'_> {
        Name::Other(Cow::Borrowed(text))
    }

    #[test]
    fn names_are_found_before_and_after_the_hash_takes_over() {
        let texts: Vec<String> = (0..100).map(|number| format!("name{number}")).collect();
        let mut bag = Bag::new();
        for round in 0..2 {
            for (number, text) in (0..).zip(&texts) {
                assert_eq!(bag.has_name(text), round == 1);
                bag.set_name(other(text), Value::Int(number + round));
            }
        }
        assert_eq!(bag.remove_name("name99"), Some(Value::Int(100)));
        assert_eq!(bag.remove_name("name99"), None);
        bag.set_name(other("name99"), Value::Null);
        let properties = bag.take();
        assert_eq!(properties.len(), 100);
        assert_eq!(properties[0], (other("name0"), Value::Int(1)));
        assert_eq!(properties[99], (other("name99"), Value::Null));
        assert!(!bag.has_name("name0"));
    }

    #[test]
    fn a_removed_key_comes_back_at_the_end() {
        let mut bag = Bag::new();
        bag.set(Key::USER, Value::Int(1));
        bag.set(Key::TOOLS, Value::Int(2));
        assert_eq!(bag.remove(Key::USER), Some(Value::Int(1)));
        assert!(!bag.has(Key::USER));
        bag.set(Key::USER, Value::Int(3));
        let names: Vec<_> = bag.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["tools", "user"]);
        assert_eq!(bag.remove_prefix("to").len(), 1);
        assert!(!bag.has(Key::TOOLS));
    }
}
