//! A request as the mappers see it: the spans that were kept, each with its scope and resource, and what is remembered
//! of the ones that were not.

use crate::error::Error;
use crate::wire::{Resource, Scope, Span};

/// A span that was kept, and where it belongs.
#[derive(Debug)]
pub struct KeptSpan<'a> {
    pub span: Span<'a>,
    /// Index into [`Request::scopes`].
    pub scope: usize,
}

#[derive(Debug)]
pub struct ScopeSpans<'a> {
    pub scope: Scope<'a>,
    /// Index into [`Request::resources`].
    pub resource: usize,
}

/// One decoded export request.
#[derive(Debug, Default)]
pub struct Request<'a> {
    pub resources: Vec<Resource<'a>>,
    pub scopes: Vec<ScopeSpans<'a>>,
    pub spans: Vec<KeptSpan<'a>>,
    /// Spans that the filter did not keep: all that tree repair and identity need of them is decided by the mapper.
    pub dropped: Vec<Span<'a>>,
    /// Spans that could not be read, under `on_error = skip`.
    pub rejected: Vec<Error>,
    /// How many spans the request held, whatever became of them.
    pub span_count: usize,
}

impl<'a> Request<'a> {
    pub fn scope_of(&self, kept: &KeptSpan<'a>) -> &Scope<'a> {
        &self.scopes[kept.scope].scope
    }

    pub fn resource_of(&self, kept: &KeptSpan<'a>) -> &Resource<'a> {
        &self.resources[self.scopes[kept.scope].resource]
    }
}
