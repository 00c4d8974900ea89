//! The rules that a user adds: edits of attributes, made before any mapper looks at a span. Both modes follow them.

use std::borrow::Cow;

use crate::wire::{Attribute, Resource, Scope, Span, Value, Visitor};

/// Drops come first, then renames, then constants.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserRules {
    /// Keys of span and resource attributes that are as good as absent; a trailing `*` makes a prefix.
    pub drop: Vec<String>,
    /// Span attributes that take another key, and win over one that already has it.
    pub rename: Vec<(String, String)>,
    /// Span attributes with a constant value, where the span has none of that key.
    pub set: Vec<(String, Value<'static>)>,
    /// Keys and span names that start with one of these make a span worth keeping.
    pub prefixes: Vec<String>,
}

impl UserRules {
    /// Edits the attributes of a span or log record.
    pub(crate) fn edit<'a>(&self, attributes: &mut Vec<Attribute<'a>>) {
        self.drop_from(attributes);
        for (from, to) in &self.rename {
            let moved: Vec<_> = attributes.extract_if(.., |attribute| attribute.key == *from).collect();
            attributes
                .extend(moved.into_iter().map(|attribute| Attribute { key: Cow::Owned(to.clone()), ..attribute }));
        }
        for (key, value) in &self.set {
            let is_given = attributes.iter().any(|attribute| attribute.key == *key && attribute.value != Value::Null);
            if !is_given {
                attributes.push(Attribute { key: Cow::Owned(key.clone()), value: value.clone() });
            }
        }
    }

    /// Edits the attributes of a resource: it only loses some.
    pub(crate) fn drop_from(&self, attributes: &mut Vec<Attribute<'_>>) {
        if self.drop.is_empty() {
            return;
        }
        attributes.retain(|attribute| {
            !self.drop.iter().any(|rule| match rule.strip_suffix('*') {
                Some(prefix) => attribute.key.starts_with(prefix),
                None => attribute.key == *rule,
            })
        });
    }
}

/// Hands a request on with the edits made.
pub(crate) struct Edited<'r, V> {
    pub rules: &'r UserRules,
    pub inner: V,
}

impl<'a, V: Visitor<'a>> Visitor<'a> for Edited<'_, V> {
    fn resource(&mut self, mut resource: Resource<'a>) {
        self.rules.drop_from(&mut resource.attributes);
        self.inner.resource(resource);
    }

    fn scope(&mut self, scope: Scope<'a>) {
        self.inner.scope(scope);
    }

    fn span(&mut self, span: &mut Span<'a>) {
        self.rules.edit(&mut span.attributes);
        self.inner.span(span);
    }

    fn elsewhere(&mut self, span: &Span<'a>, is_kept: bool) {
        self.inner.elsewhere(span, is_kept);
    }

    fn rejected(&mut self, error: crate::error::Error) {
        self.inner.rejected(error);
    }
}
