//! The protobuf wire format (<https://protobuf.dev/programming-guides/encoding/>): keys, varints, lengths, groups.
//!
//! Comes in: the bytes of one message. Goes out: one field after the other, borrowed.
//! Refuses: what prost refuses, so that a request is damaged here exactly when PostHog calls it damaged.

use crate::error::{Error, Result};

const DAMAGED: &str = "The body is not a whole OTLP ExportTraceServiceRequest in protobuf: check the exporter, \
     the content type and the content encoding. Inside a span, on_error=\"skip\" drops that span and keeps the rest.";
const MISTYPED: &str = "The sender's schema is not OTLP's: check that the body is a trace export.";
const NOT_UTF8: &str = "Protobuf strings must be UTF-8: fix the exporter. Inside a span, on_error=\"skip\" drops that \
     span and keeps the rest.";

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
pub(super) const LENGTH: u8 = 2;
const START_GROUP: u8 = 3;
const END_GROUP: u8 = 4;
const FIXED32: u8 = 5;

/// The rest of one message.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of the message's end in the body, from which every other offset follows.
    end: usize,
}

/// The key of a field, just read.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub number: u32,
    wire_type: u8,
    offset: usize,
}

impl<'a> Reader<'a> {
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body, end: body.len() }
    }

    pub fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// The next field's key, or `None` at the end of the message.
    #[inline]
    pub fn field(&mut self) -> Result<Option<Field>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let offset = self.offset();
        let key = self.varint()?;
        let Ok(key) = u32::try_from(key) else {
            return Err(damaged(offset, "holds a field key that is larger than 32 bits"));
        };
        let (number, wire_type) = (key >> 3, (key & 7) as u8);
        if number == 0 {
            return Err(damaged(offset, "holds a field with the number 0"));
        }
        if wire_type > FIXED32 {
            return Err(damaged(offset, "holds a field of a wire type that does not exist"));
        }
        Ok(Some(Field { number, wire_type, offset }))
    }

    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            let shift = index.saturating_mul(7);
            value |= u64::from(byte & 0x7f).wrapping_shl(shift as u32);
            if byte < 0x80 {
                // The tenth byte holds the 64th bit and has no room for more.
                if index == 9 && byte > 1 {
                    return Err(damaged(self.offset(), "holds a varint that is larger than 64 bits"));
                }
                self.rest = self.rest.get(index.saturating_add(1)..).unwrap_or_default();
                return Ok(value);
            }
        }
        let what =
            if self.rest.len() < 10 { "is cut off inside a varint" } else { "holds a varint longer than 10 bytes" };
        Err(damaged(self.offset(), what))
    }

    #[inline]
    fn length_delimited(&mut self) -> Result<&'a [u8]> {
        let offset = self.offset();
        let length = self.varint()?;
        match usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length)) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => {
                let left = self.rest.len();
                Err(damaged(offset, format!("claims a length of {length} bytes where {left} are left")))
            }
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(damaged(
                self.offset(),
                format!("is cut off: {N} bytes are needed and {} are left", self.rest.len()),
            )),
        }
    }

    /// A sub-message, checked to lie within this one.
    #[inline]
    pub fn message(&mut self, field: Field) -> Result<Reader<'a>> {
        let rest = self.bytes(field)?;
        Ok(Reader { rest, end: self.offset() })
    }

    #[inline]
    pub fn bytes(&mut self, field: Field) -> Result<&'a [u8]> {
        field.expect(LENGTH)?;
        self.length_delimited()
    }

    #[inline]
    pub fn text(&mut self, field: Field, name: &'static str) -> Result<&'a str> {
        let bytes = self.bytes(field).map_err(|error| error.at(name))?;
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => Err(self.not_utf8(bytes, name)),
        }
    }

    #[cold]
    fn not_utf8(&self, bytes: &[u8], name: &'static str) -> Error {
        let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let offset = self.offset().saturating_sub(bytes.len()).saturating_add(valid);
        let byte = bytes.get(valid).copied().unwrap_or_default();
        Error::decode(offset, format!("is not UTF-8 (byte 0x{byte:02x})"), NOT_UTF8).at(name)
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes of the next field if its key is this one byte and their length takes one byte or two.
    #[inline]
    fn usual_bytes(&mut self, key: u8) -> Option<&'a [u8]> {
        let (length, rest) = match self.rest {
            [first, length @ ..0x80, rest @ ..] if *first == key => (usize::from(*length), rest),
            [first, low @ 0x80..=0xff, high @ ..0x80, rest @ ..] if *first == key => {
                (usize::from(low & 0x7f) | usize::from(*high) << 7, rest)
            }
            _ => return None,
        };
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// The text of the next field, if it is one and [`Self::usual_bytes`] finds it.
    #[inline]
    pub fn usual_text(&mut self, key: u8) -> Option<&'a str> {
        simdutf8::basic::from_utf8(self.usual_bytes(key)?).ok()
    }

    /// The message in the next field, if [`Self::usual_bytes`] finds it.
    #[inline]
    pub fn usual_message(&mut self, key: u8) -> Option<Reader<'a>> {
        let rest = self.usual_bytes(key)?;
        Some(Reader { rest, end: self.offset() })
    }

    /// A varint field: int32, uint32, int64, bool and enum alike.
    #[inline]
    pub fn number(&mut self, field: Field, name: &'static str) -> Result<u64> {
        field.expect(VARINT).and_then(|()| self.varint()).map_err(|error| error.at(name))
    }

    #[inline]
    pub fn fixed64(&mut self, field: Field, name: &'static str) -> Result<u64> {
        let bytes = field.expect(FIXED64).and_then(|()| self.fixed()).map_err(|error| error.at(name))?;
        Ok(u64::from_le_bytes(bytes))
    }

    #[inline]
    pub fn fixed32(&mut self, field: Field, name: &'static str) -> Result<u32> {
        let bytes = field.expect(FIXED32).and_then(|()| self.fixed()).map_err(|error| error.at(name))?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Passes over a field that the schema does not know.
    pub fn skip(&mut self, field: Field, max_groups: usize) -> Result<()> {
        match field.wire_type {
            VARINT => self.varint().map(drop),
            FIXED64 => self.fixed::<8>().map(drop),
            LENGTH => self.length_delimited().map(drop),
            FIXED32 => self.fixed::<4>().map(drop),
            START_GROUP => self.skip_group(field, max_groups),
            _ => Err(damaged(field.offset, "holds the end of a group that never began")),
        }
    }

    /// Groups are the one wire type without a length: everything inside has to be walked.
    fn skip_group(&mut self, start: Field, max_groups: usize) -> Result<()> {
        let Some(max_groups) = max_groups.checked_sub(1) else {
            return Err(Error::limit(start.offset, "max_nesting", "nests protobuf groups too deeply"));
        };
        while let Some(field) = self.field()? {
            if field.wire_type != END_GROUP {
                self.skip(field, max_groups)?;
            } else if field.number == start.number {
                return Ok(());
            } else {
                return Err(damaged(field.offset, "ends a group other than the one that began"));
            }
        }
        Err(damaged(self.offset(), "is cut off inside a group"))
    }
}

impl Field {
    #[inline]
    fn expect(self, wire_type: u8) -> Result<()> {
        if self.wire_type == wire_type { Ok(()) } else { Err(self.mistyped(wire_type)) }
    }

    #[cold]
    fn mistyped(self, wire_type: u8) -> Error {
        let what = format!("has the wire type {} where {} is expected", name_of(self.wire_type), name_of(wire_type));
        Error::decode(self.offset, what, MISTYPED)
    }
}

fn name_of(wire_type: u8) -> &'static str {
    match wire_type {
        VARINT => "varint",
        FIXED64 => "fixed64",
        LENGTH => "length-delimited",
        START_GROUP => "start-group",
        END_GROUP => "end-group",
        _ => "fixed32",
    }
}

#[cold]
fn damaged(offset: usize, what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::decode(offset, what, DAMAGED)
}
