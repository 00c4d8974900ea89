//! The properties that rules have set on one event, in the order in which they were set.

use std::borrow::Cow;

use super::keyset::KeySet;
use crate::event::Name;
use crate::keys::Key;
use crate::wire::Value;

#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    /// `None` where a property was removed.
    entries: Vec<Option<(Name<'a>, Value<'a>)>>,
    present: KeySet,
}

impl<'a> Facts<'a> {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::with_capacity(capacity), present: KeySet::default() }
    }

    /// Properties set, those removed again included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn has(&self, key: Key) -> bool {
        self.present.has(key)
    }

    pub fn get(&self, key: Key) -> Option<&Value<'a>> {
        if !self.has(key) {
            return None;
        }
        self.entries.iter().flatten().find(|(name, _)| *name == Name::Known(key)).map(|(_, value)| value)
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
        if self.has(key) {
            if let Some(entry) = self.entries.iter_mut().flatten().find(|(name, _)| *name == Name::Known(key)) {
                entry.1 = value;
            }
            return;
        }
        self.present.insert(key);
        self.entries.push(Some((Name::Known(key), value)));
    }

    /// Sets a property that no earlier rule has set.
    pub fn offer(&mut self, key: Key, value: Option<Value<'a>>) {
        if let Some(value) = value
            && !self.has(key)
        {
            self.present.insert(key);
            self.entries.push(Some((Name::Known(key), value)));
        }
    }

    /// Adds a property whose name is no known key. The caller knows that there is none of that name.
    pub fn add_other(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        self.entries.push(Some((Name::Other(name), value)));
    }

    pub fn take(&mut self, key: Key) -> Option<Value<'a>> {
        if !self.has(key) {
            return None;
        }
        self.present.remove(key);
        let is_it =
            |entry: &&mut Option<(Name<'a>, Value<'a>)>| matches!(entry, Some((Name::Known(name), _)) if *name == key);
        self.entries.iter_mut().find(is_it).and_then(Option::take).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Name<'a>, Value<'a>)> {
        self.entries.iter().flatten()
    }

    pub fn into_entries(self) -> impl Iterator<Item = (Name<'a>, Value<'a>)> {
        self.entries.into_iter().flatten()
    }
}
