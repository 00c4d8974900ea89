//! `compat="posthog"`: what PostHog's own pipeline makes of a span, surprises included.

use crate::batch::{Batch, Drop, DropReason};
use crate::error::Error;
use crate::options::Options;
use crate::wire::{Resource, Scope, Span, Visitor};

/// Maps spans while they are decoded; nothing of a span is kept but its event, or a small record of its drop.
pub struct Mapper<'a, 'o> {
    options: &'o Options,
    batch: Batch<'a>,
}

impl<'a, 'o> Mapper<'a, 'o> {
    pub fn new(options: &'o Options) -> Self {
        Self { options, batch: Batch::default() }
    }

    pub fn finish(self) -> Batch<'a> {
        self.batch
    }
}

impl<'a> Visitor<'a> for Mapper<'a, '_> {
    fn resource(&mut self, _resource: Resource<'a>) {}

    fn scope(&mut self, _scope: Scope<'a>) {}

    fn span(&mut self, span: &mut Span<'a>) {
        let _ = self.options;
        self.batch.span_count += 1;
        self.batch.drops.push(Drop {
            reason: DropReason::NoAiPrefix,
            trace_id: span.trace_id.clone(),
            span_id: span.span_id.clone(),
            name: std::mem::take(&mut span.name),
        });
    }

    fn rejected(&mut self, error: Error) {
        self.batch.span_count += 1;
        self.batch.drops.push(Drop {
            reason: DropReason::Unreadable,
            trace_id: Default::default(),
            span_id: Default::default(),
            name: Default::default(),
        });
        self.batch.rejected.push(error);
    }
}
