//! A span as the dialects see it: its attributes indexed once by key id, beside its scope and resource.

use std::borrow::Cow;

use crate::keys::{self, Key};
use crate::wire::{Attribute, Resource, Scope, Span, Value};

/// For every known key the last attribute that has it and a value; reused from span to span.
#[derive(Debug)]
pub struct Slots {
    /// For each key the position of its attribute plus one, or [`ABSENT`].
    positions: Vec<u16>,
    /// For each attribute its key, if it is a known one.
    keys: Vec<Option<Key>>,
}

const ABSENT: u16 = 0;

impl Default for Slots {
    fn default() -> Self {
        Self { positions: vec![ABSENT; keys::COUNT], keys: Vec::new() }
    }
}

impl Slots {
    /// Indexes the attributes of one span. Attributes beyond 65 534 are found by nobody: the decoder's cap lies below.
    pub fn index(&mut self, attributes: &[Attribute<'_>]) {
        self.positions.fill(ABSENT);
        self.keys.clear();
        for (position, attribute) in attributes.iter().enumerate().take(usize::from(u16::MAX - 1)) {
            let key = Key::of(&attribute.key);
            self.keys.push(key);
            if matches!(attribute.value, Value::Null) {
                continue;
            }
            if let Some(slot) = key.and_then(|key| self.positions.get_mut(key as usize)) {
                *slot = u16::try_from(position + 1).unwrap_or(ABSENT);
            }
        }
    }

    /// The key of the attribute at a position, if it is a known one.
    pub fn key_at(&self, position: usize) -> Option<Key> {
        self.keys.get(position).copied().flatten()
    }

    /// Whether the value of a key is that at the position: it has one, and no later attribute has the key.
    pub fn is_at(&self, key: Key, position: usize) -> bool {
        self.positions.get(key as usize).is_some_and(|&slot| usize::from(slot) == position + 1)
    }
}

/// One span with everything that a rule may read.
#[derive(Debug, Clone, Copy)]
pub struct View<'s, 'a> {
    pub span: &'s Span<'a>,
    pub scope: &'s Scope<'a>,
    pub resource: &'s Resource<'a>,
    pub slots: &'s Slots,
}

impl<'s, 'a> View<'s, 'a> {
    /// The attribute's value, if the span has one: the last of several, never null.
    pub fn get(&self, key: Key) -> Option<&'s Value<'a>> {
        let position = usize::from(*self.slots.positions.get(key as usize)?);
        self.span.attributes.get(position.checked_sub(1)?).map(|attribute| &attribute.value)
    }

    pub fn has(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    /// The attribute's value as text, unless it is empty or no text.
    pub fn text(&self, key: Key) -> Option<&'s Cow<'a, str>> {
        match self.get(key)? {
            Value::Str(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}
