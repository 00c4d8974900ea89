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
        self.look_up(attributes);
        self.place(attributes);
    }

    /// The first half of [`Self::index`], which is all that a span needs that is not kept: what its keys are.
    pub fn look_up(&mut self, attributes: &[Attribute<'_>]) {
        self.keys.clear();
        self.keys.extend(attributes.iter().map(|attribute| Key::of(&attribute.key)));
    }

    /// The second half: where the value of each key stands.
    pub fn place(&mut self, attributes: &[Attribute<'_>]) {
        self.positions.fill(ABSENT);
        for ((position, attribute), key) in (1..u16::MAX).zip(attributes).zip(&self.keys) {
            if let Some(key) = key
                && !matches!(attribute.value, Value::Null)
            {
                self.positions[*key as usize] = position;
            }
        }
    }

    /// The keys of all attributes, of known ones only.
    pub fn keys(&self) -> &[Option<Key>] {
        &self.keys
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
