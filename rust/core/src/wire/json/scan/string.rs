//! Strings: runs of plain text found eight bytes at a time, and the escapes between them.

use std::borrow::Cow;

use super::{Fault, Result, Scanner};

impl<'a> Scanner<'a> {
    /// Takes the string whose opening quote [`Self::peek`] has shown.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        let run = self.run_after_quote()?;
        if self.byte() == Some(b'"') {
            self.advance(1);
            return Ok(Cow::Borrowed(run));
        }
        self.escaped_string(run).map(Cow::Owned)
    }

    #[inline]
    fn run_after_quote(&mut self) -> Result<&'a str> {
        self.advance(1);
        self.run()
    }

    /// The text up to the next quote, backslash or control character.
    #[inline]
    fn run(&mut self) -> Result<&'a str> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let length = plain_run(rest.as_bytes());
        self.advance(length);
        match rest.get(..length) {
            Some(run) if length < rest.len() => Ok(run),
            _ => Err(self.fault("it ends inside a string")),
        }
    }

    #[cold]
    #[inline(never)]
    fn no_string_byte(&self) -> Fault {
        self.fault("a control character stands unescaped in a string")
    }

    #[inline(never)]
    fn escaped_string(&mut self, first_run: &str) -> Result<String> {
        // Strings with escapes are mostly JSON documents inside strings: long, and with many escapes.
        let mut string = String::with_capacity(first_run.len().saturating_mul(2).max(64));
        string.push_str(first_run);
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                _ => return Err(self.no_string_byte()),
            }
            string.push_str(self.run()?);
        }
    }

    /// Passes over the string whose opening quote [`Self::peek`] has shown.
    #[inline]
    pub(super) fn skip_string(&mut self) -> Result<()> {
        self.run_after_quote()?;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(self.no_string_byte()),
            };
            self.run()?;
        }
    }

    #[inline]
    fn escape(&mut self) -> Result<char> {
        let letter = self.text.as_bytes().get(self.position.saturating_add(1)).copied();
        let character = match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.fault("a backslash is followed by no escape")),
        };
        self.advance(2);
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let Some(first) = self.code_unit() else {
            return Err(self.fault("\\u is not followed by four hexadecimal digits"));
        };
        self.advance(6);
        if let Some(character) = char::from_u32(u32::from(first)) {
            return Ok(character);
        }
        let second = if first < 0xdc00 { self.code_unit() } else { None };
        if let Some(Ok(character)) = char::decode_utf16([first, second.unwrap_or_default()]).next() {
            self.advance(6);
            return Ok(character);
        }
        self.lone_surrogates = true;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// The UTF-16 code unit that `\uXXXX` at the cursor stands for.
    fn code_unit(&self) -> Option<u16> {
        let end = self.position.saturating_add(6);
        let digits = self.text.get(self.position..end)?.strip_prefix("\\u")?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        u16::from_str_radix(digits, 16).ok()
    }
}

/// How many bytes stand before the first quote, backslash or control character: the bytes that a JSON string holds as
/// they are. Eight at a time.
#[inline]
pub(crate) fn plain_run(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let stops = stops(u64::from_le_bytes(*chunk));
        if stops != 0 {
            let before = bytes.len().saturating_sub(rest.len());
            return before.saturating_add((stops.trailing_zeros() >> 3) as usize);
        }
        rest = tail;
    }
    let in_tail = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\').unwrap_or(rest.len());
    bytes.len().saturating_sub(rest.len()).saturating_add(in_tail)
}

/// A word whose lowest set bit lies in the first byte that is a quote, a backslash or less than 0x20. Borrows may set
/// bits in later bytes, never in earlier ones.
#[inline]
fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let less = |word: u64, bound: u64| word.wrapping_sub(ONES.wrapping_mul(bound)) & !word;
    let quote = less(word ^ ONES.wrapping_mul(0x22), 1);
    let backslash = less(word ^ ONES.wrapping_mul(0x5c), 1);
    (less(word, 0x20) | quote | backslash) & ONES.wrapping_mul(0x80)
}
