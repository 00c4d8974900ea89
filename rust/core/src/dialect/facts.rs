//! The properties that rules have set on one event, in the order in which they were set.

use std::borrow::Cow;

use super::keyset::KeySet;
use crate::event::Name;
use crate::harm;
use crate::keys::Key;
use crate::wire::Value;

#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    entries: Vec<(Name<'a>, Value<'a>)>,
    present: KeySet,
}

impl<'a> Facts<'a> {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity), present: KeySet::default() }
    }

    pub fn has(&self, key: Key) -> bool {
        self.present.has(key)
    }

    fn place(&self, key: Key) -> Option<usize> {
        if self.has(key) { self.entries.iter().position(|(name, _)| *name == Name::Known(key)) } else { None }
    }

    pub fn get(&self, key: Key) -> Option<&Value<'a>> {
        self.place(key).map(|place| &self.entries[place].1)
    }

    pub fn text(&self, key: Key) -> Option<&Cow<'a, str>> {
        match self.get(key)? {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    pub fn int(&self, key: Key) -> Option<i64> {
        match self.get(key)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Sets a property over what it was.
    pub fn set(&mut self, key: Key, value: Value<'a>) {
        match self.place(key) {
            Some(place) => self.entries[place].1 = value,
            None => self.add(key, value),
        }
    }

    /// Sets a property that no earlier rule has set.
    pub fn offer(&mut self, key: Key, value: Option<Value<'a>>) {
        if let Some(value) = value
            && !self.has(key)
        {
            self.add(key, value);
        }
    }

    fn add(&mut self, key: Key, value: Value<'a>) {
        self.present.insert(key);
        self.entries.push((Name::Known(key), value));
    }

    /// Adds a property whose name is no known key. The caller knows that there is none of that name.
    pub fn add_other(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        self.entries.push((Name::Other(name), value));
    }

    pub fn take(&mut self, key: Key) -> Option<Value<'a>> {
        let place = self.place(key)?;
        self.present.remove(key);
        Some(self.entries.remove(place).1)
    }

    /// Replaces blobs, wherever a rule has found one: errors repeat requests, and tools describe themselves with pictures.
    pub fn scrub(&mut self) {
        for (_, value) in &mut self.entries {
            harm::scrub_in_place(value);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Name<'a>, Value<'a>)> {
        self.entries.iter()
    }

    /// The properties, and which keys are among their names.
    pub fn into_parts(self) -> (Vec<(Name<'a>, Value<'a>)>, KeySet) {
        (self.entries, self.present)
    }
}
