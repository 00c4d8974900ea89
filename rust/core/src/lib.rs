//! spanmap-core: bytes -> wire -> span -> dialect -> event -> sink. Knows no Python.
//!
//! [`map`] is the whole pipeline up to the events; a sink such as [`sink::json`] writes them out.

pub mod batch;
pub mod content;
pub mod dialect;
pub mod error;
pub mod evaluation;
pub mod event;
pub mod harm;
pub mod identity;
pub mod json;
pub mod keys;
pub mod limits;
pub mod messages;
pub mod options;
pub mod output;
pub mod posthog;
pub mod privacy;
pub mod shape;
pub mod sink;
pub mod span;
pub mod time;
pub mod user_rules;
pub mod wire;

pub use batch::{Batch, Drop, DropReason};
pub use error::{Error, Result};
pub use event::Event;
pub use options::{Compat, Options};
pub use user_rules::UserRules;
pub use wire::Encoding;

use user_rules::Edited;

/// Maps one OTLP trace export request, already decompressed, to events. The events borrow from the body.
///
/// # Errors
/// The body is damaged or passes a cap; under [`OnError::Skip`](wire::OnError) only where that cannot be laid to one span.
pub fn map<'a>(body: &'a [u8], encoding: Encoding, options: &Options) -> Result<Batch<'a>> {
    map_source(Encoded { body, encoding, options }, options)
}

/// Maps the spans that a source hands over to events. The events borrow from whatever the source borrows from.
///
/// # Errors
/// Those of the source.
pub fn map_source<'a>(source: impl wire::Source<'a>, options: &Options) -> Result<Batch<'a>> {
    let rules = &options.rules;
    let mut batch = match options.compat {
        Compat::Best => {
            let mut mapper = Edited { rules, inner: dialect::Mapper::new(options) };
            source.read(&mut mapper)?;
            mapper.inner.finish()
        }
        Compat::Posthog => {
            let mut mapper = Edited { rules, inner: posthog::Mapper::new(options) };
            source.read(&mut mapper)?;
            mapper.inner.finish()
        }
    };
    if options.privacy_mode {
        batch.events.iter_mut().for_each(privacy::remove_content);
    }
    Ok(batch)
}

/// Whether the filter keeps a span of this name, scope, attribute keys and names of span events.
///
/// The user's rules that edit attributes are not applied: a filter that looks at nothing else may run where spans end.
pub fn keeps(options: &Options, name: &str, scope: &str, keys: &[&str], events: &[&str]) -> bool {
    match options.compat {
        Compat::Best => dialect::keeps(options, name, scope, keys) || evaluation::keeps_one_of(options, events),
        Compat::Posthog => posthog::keeps(options, keys),
    }
}

/// Maps the evaluations of one OTLP log export request, already decompressed, to events. The events borrow from the body.
///
/// # Errors
/// As for [`map`], with log records in the place of spans.
pub fn map_logs<'a>(body: &'a [u8], encoding: Encoding, options: &Options) -> Result<Batch<'a>> {
    let request = wire::logs::decode(body, encoding, &options.limits, options.on_error)?;
    Ok(evaluation::map_logs(request, options))
}

/// The bytes of a request.
struct Encoded<'a, 'o> {
    body: &'a [u8],
    encoding: Encoding,
    options: &'o Options,
}

impl<'a> wire::Source<'a> for Encoded<'a, '_> {
    fn read(self, visitor: &mut impl wire::Visitor<'a>) -> Result<()> {
        let Options { limits, on_error, .. } = self.options;
        match self.encoding {
            Encoding::Protobuf => wire::proto::decode(self.body, limits, *on_error, visitor),
            Encoding::Json => wire::json::decode(self.body, limits, *on_error, visitor),
        }
    }
}
