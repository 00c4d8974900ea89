//! A visitor that counts, and checks the order of what it is told.

use spanmap_core::error::Error;
use spanmap_core::wire::{Resource, Scope, Span, Visitor};

#[derive(Default)]
pub struct Counter {
    pub resources: usize,
    pub scopes: usize,
    pub spans: usize,
    pub rejected: usize,
}

impl<'a> Visitor<'a> for Counter {
    fn resource(&mut self, _: Resource<'a>) {
        self.resources += 1;
    }

    fn scope(&mut self, _: Scope<'a>) {
        assert!(self.resources > 0, "a resource comes before its scopes");
        self.scopes += 1;
    }

    fn span(&mut self, span: &mut Span<'a>) {
        assert!(self.scopes > 0, "a scope comes before its spans");
        self.spans += 1;
        // Every other span is left behind, to be reused.
        if self.spans % 2 == 0 {
            drop(std::mem::take(span));
        }
    }

    fn rejected(&mut self, error: Error) {
        assert!(error.path().starts_with("resource_spans["), "{error}");
        self.rejected += 1;
    }
}
