//! Undoes the content encoding of a body: gzip, deflate (with or without zlib's header) and zstd.
//!
//! Comes in: the body as received. Goes out: the body itself, or its inflated copy.
//! Refuses: damaged streams, bytes behind the stream, and bombs, while inflating and before their memory is taken.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::wire::empty_body;

/// Bodies up to this size are never refused for their ratio: small JSON with long runs compresses very well.
const RATIO_IS_FREE_UP_TO: usize = 1 << 20;

/// RFC 8878 asks decoders to support windows of 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Inflates the body as the content encoding says; borrows it when there is none.
///
/// # Errors
/// An empty body, an unknown content encoding, a damaged stream, or more bytes than the caps allow.
pub fn decompress<'a>(body: &'a [u8], content_encoding: Option<&str>, limits: &Limits) -> Result<Cow<'a, [u8]>> {
    if body.is_empty() {
        return Err(empty_body());
    }
    if body.len() > limits.max_body_bytes {
        return Err(over(limits.max_body_bytes, "max_body_bytes", limits.max_body_bytes));
    }
    let encoding = content_encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let budget = Budget::of(body, limits);
    let inflated = match encoding.as_str() {
        "" | "identity" => {
            if body.len() > limits.max_decompressed_bytes {
                return Err(over(
                    limits.max_decompressed_bytes,
                    "max_decompressed_bytes",
                    limits.max_decompressed_bytes,
                ));
            }
            return Ok(Cow::Borrowed(body));
        }
        "gzip" | "x-gzip" => budget.read(flate2::bufread::MultiGzDecoder::new(body), "gzip")?,
        "deflate" => budget.inflate(body)?,
        "zstd" => {
            let decoder = zstd::stream::read::Decoder::with_buffer(body).and_then(|mut decoder| {
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Ok(decoder)
            });
            budget.read(decoder.map_err(|error| damaged(0, "zstd", &error.to_string()))?, "zstd")?
        }
        _ => {
            let what = format!("has the content encoding {encoding:?}");
            return Err(Error::decode(0, what, "Send gzip, deflate, zstd or no content encoding at all."));
        }
    };
    Ok(Cow::Owned(inflated))
}

/// How many bytes a body may inflate to, and the cap that says so.
struct Budget {
    bytes: usize,
    cap: &'static str,
    cap_value: usize,
    guess: usize,
}

impl Budget {
    fn of(body: &[u8], limits: &Limits) -> Self {
        let by_ratio = body.len().saturating_mul(limits.max_decompression_ratio).max(RATIO_IS_FREE_UP_TO);
        let (bytes, cap, cap_value) = if by_ratio < limits.max_decompressed_bytes {
            (by_ratio, "max_decompression_ratio", limits.max_decompression_ratio)
        } else {
            (limits.max_decompressed_bytes, "max_decompressed_bytes", limits.max_decompressed_bytes)
        };
        Self { bytes, cap, cap_value, guess: body.len().saturating_mul(4).min(bytes) }
    }

    /// One byte over the budget is asked for, and its presence is the error.
    fn read(&self, decoder: impl Read, name: &str) -> Result<Vec<u8>> {
        let mut inflated = Vec::with_capacity(self.guess);
        let one_over = u64::try_from(self.bytes).unwrap_or(u64::MAX).saturating_add(1);
        if let Err(error) = decoder.take(one_over).read_to_end(&mut inflated) {
            let what =
                if error.kind() == io::ErrorKind::UnexpectedEof { "it is cut off".into() } else { error.to_string() };
            return Err(damaged(inflated.len(), name, &what));
        }
        self.check(&inflated)?;
        Ok(inflated)
    }

    /// flate2's readers take a deflate stream that is cut off for a whole one, so this one drives the stream itself.
    fn inflate(&self, body: &[u8]) -> Result<Vec<u8>> {
        let mut stream = Decompress::new(has_zlib_header(body));
        let mut inflated = Vec::with_capacity(self.guess.max(1));
        loop {
            let before = (stream.total_in(), stream.total_out());
            let read = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
            let rest = body.get(read..).unwrap_or_default();
            let status = stream
                .decompress_vec(rest, &mut inflated, FlushDecompress::None)
                .map_err(|error| damaged(inflated.len(), "deflate", &error.to_string()))?;
            self.check(&inflated)?;
            match status {
                Status::StreamEnd => {
                    let read = usize::try_from(stream.total_in()).unwrap_or(usize::MAX);
                    if read < body.len() {
                        return Err(damaged(inflated.len(), "deflate", "bytes follow the end of the stream"));
                    }
                    return Ok(inflated);
                }
                Status::Ok | Status::BufError if inflated.len() == inflated.capacity() => {
                    let room = self.bytes.saturating_add(1).saturating_sub(inflated.len());
                    inflated.reserve(inflated.len().min(room).max(1));
                }
                Status::Ok | Status::BufError if before == (stream.total_in(), stream.total_out()) => {
                    return Err(damaged(inflated.len(), "deflate", "it is cut off"));
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }

    fn check(&self, inflated: &[u8]) -> Result<()> {
        if inflated.len() > self.bytes { Err(over(self.bytes, self.cap, self.cap_value)) } else { Ok(()) }
    }
}

/// RFC 1950: compression method 8 and a header that is a multiple of 31. "deflate" in HTTP means zlib; some senders
/// send the bare stream.
fn has_zlib_header(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0,
        _ => false,
    }
}

#[cold]
fn over(offset: usize, cap: &'static str, value: usize) -> Error {
    Error::limit(offset, cap, format!("goes over {cap} = {value}"))
}

#[cold]
fn damaged(offset: usize, encoding: &str, what: &str) -> Error {
    let advice =
        "Check that the Content-Encoding header tells the truth and that nothing cuts or decodes the body on its way.";
    Error::decode(offset, format!("is not sound {encoding}: {what}"), advice)
}
