//! spanmap-core: bytes -> wire -> span -> dialect -> event -> sink. Knows no Python.
//!
//! [`map`] is the whole pipeline up to the events; a sink such as [`sink::json`] writes them out.

pub mod batch;
pub mod content;
pub mod error;
pub mod event;
pub mod harm;
pub mod identity;
pub mod json;
pub mod keys;
pub mod limits;
pub mod messages;
pub mod options;
pub mod posthog;
pub mod privacy;
pub mod shape;
pub mod sink;
pub mod span;
pub mod time;
pub mod wire;

pub use batch::{Batch, Drop, DropReason};
pub use error::{Error, Result};
pub use event::Event;
pub use options::{Compat, Options};
pub use wire::Encoding;

/// Maps one OTLP trace export request, already decompressed, to events. The events borrow from the body.
///
/// # Errors
/// The body is damaged or passes a cap; under [`OnError::Skip`](wire::OnError) only where that cannot be laid to one span.
pub fn map<'a>(body: &'a [u8], encoding: Encoding, options: &Options) -> Result<Batch<'a>> {
    let mut batch = match options.compat {
        Compat::Posthog | Compat::Best => {
            let mut mapper = posthog::Mapper::new(options);
            decode(body, encoding, options, &mut mapper)?;
            mapper.finish()
        }
    };
    if options.privacy_mode {
        batch.events.iter_mut().for_each(privacy::remove_content);
    }
    Ok(batch)
}

fn decode<'a>(body: &'a [u8], encoding: Encoding, options: &Options, visitor: &mut impl wire::Visitor<'a>) -> Result<()> {
    match encoding {
        Encoding::Protobuf => wire::proto::decode(body, &options.limits, options.on_error, visitor),
        Encoding::Json => wire::json::decode(body, &options.limits, options.on_error, visitor),
    }
}
