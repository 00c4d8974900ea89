//! Strings: runs of plain text, and the escapes between them.

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
        let start = self.position;
        self.skip_run();
        match self.text.get(start..self.position) {
            Some(run) if self.position < self.text.len() => Ok(run),
            _ => Err(self.fault("it ends inside a string")),
        }
    }

    #[inline]
    fn skip_run(&mut self) {
        self.position = self.stops.next(self.text.as_bytes(), self.position);
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
        self.advance(1);
        loop {
            self.skip_run();
            match self.byte() {
                Some(b'"') => {
                    self.advance(1);
                    return Ok(());
                }
                Some(b'\\') => self.skip_escape()?,
                Some(_) => return Err(self.no_string_byte()),
                None => return Err(self.fault("it ends inside a string")),
            }
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

    /// Checks and passes over one escape, or the two of a surrogate pair.
    #[inline]
    fn skip_escape(&mut self) -> Result<()> {
        match self.text.as_bytes().get(self.position.saturating_add(1)) {
            Some(b'u') => self.skip_unicode_escape(),
            Some(&letter) if IS_ESCAPED.get(usize::from(letter)) == Some(&true) => {
                self.advance(2);
                Ok(())
            }
            _ => Err(self.fault("a backslash is followed by no escape")),
        }
    }

    #[inline]
    fn skip_unicode_escape(&mut self) -> Result<()> {
        let Some(first) = self.code_unit() else {
            return Err(self.fault("\\u is not followed by four hexadecimal digits"));
        };
        self.advance(6);
        if let 0xd800..0xe000 = first {
            let is_pair = first < 0xdc00 && matches!(self.code_unit(), Some(0xdc00..0xe000));
            self.advance(if is_pair { 6 } else { 0 });
            self.lone_surrogates |= !is_pair;
        }
        Ok(())
    }

    /// The UTF-16 code unit that `\uXXXX` at the cursor stands for.
    #[inline]
    fn code_unit(&self) -> Option<u16> {
        let [b'\\', b'u', digits @ ..] = self.text.as_bytes().get(self.position..)?.first_chunk::<6>()? else {
            return None;
        };
        let [a, b, c, d] = digits.map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or(NO_HEX));
        // A digit that is none sets bits beyond the sixteen.
        u16::try_from(a << 12 | b << 8 | c << 4 | d).ok()
    }
}

/// Which bytes follow a backslash, other than the `u` of a code unit. A table, because texts mix them without order.
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling")]
static IS_ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut rest: &[u8] = b"\"\\/bfnrt";
    while let [letter, behind @ ..] = rest {
        escaped[*letter as usize] = true;
        rest = behind;
    }
    escaped
};

const NO_HEX: u32 = 1 << 16;

/// What each byte is worth as a hexadecimal digit.
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling")]
static HEX: [u32; 256] = {
    let mut values = [NO_HEX; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};
