//! A span as the dialects see it: its attributes indexed once by key id, beside its scope and resource.

use std::borrow::Cow;

use crate::keys::{self, Key};
use crate::wire::{Attribute, Resource, Scope, Span, Value};

/// For every known key the last attribute that has it and a value; reused from span to span.
#[derive(Debug)]
pub struct Slots(Vec<u16>);

const ABSENT: u16 = 0;

impl Default for Slots {
    fn default() -> Self {
        Self(vec![ABSENT; keys::COUNT])
    }
}

impl Slots {
    /// Indexes the attributes of one span. Attributes beyond 65 534 are found by nobody: the decoder's cap lies below.
    pub fn index(&mut self, attributes: &[Attribute<'_>]) {
        self.0.fill(ABSENT);
        for (position, attribute) in attributes.iter().enumerate().take(usize::from(u16::MAX - 1)) {
            if attribute.value == Value::Null {
                continue;
            }
            if let Some(slot) = Key::of(&attribute.key).and_then(|key| self.0.get_mut(key as usize)) {
                *slot = u16::try_from(position + 1).unwrap_or(ABSENT);
            }
        }
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
        let position = usize::from(*self.slots.0.get(key as usize)?);
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
