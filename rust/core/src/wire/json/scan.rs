//! JSON syntax (<https://www.rfc-editor.org/rfc/rfc8259>): one cursor over UTF-8 text, for bodies and for strings alike.
//!
//! Comes in: text. Goes out: names, strings without a copy where they hold no escape, numbers as their own text.
//! Refuses: everything the RFC refuses, and containers nested more deeply than the cap. Lone surrogate escapes, which
//! the RFC's grammar allows and UTF-8 cannot hold, become U+FFFD.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use smallvec::SmallVec;

/// Why the text is not JSON. Small and without memory of its own: most strings that are tried are plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub offset: usize,
    pub what: &'static str,
    /// The text may be sound, but nests containers more deeply than the cap.
    pub too_deep: bool,
}

type Result<T> = std::result::Result<T, Fault>;

#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    max_depth: usize,
    /// Whether a surrogate escape without its partner has been met.
    pub lone_surrogates: bool,
}

/// A place to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    position: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str, max_depth: usize) -> Self {
        Self { text, position: 0, depth: 0, max_depth, lone_surrogates: false }
    }

    pub fn skip_byte_order_mark(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.advance('\u{feff}'.len_utf8());
        }
    }

    pub fn place(&self) -> Place {
        Place { position: self.position, depth: self.depth }
    }

    pub fn go_back(&mut self, place: Place) {
        self.position = place.position;
        self.depth = place.depth;
    }

    /// Offset of the next token.
    pub fn offset(&mut self) -> usize {
        self.skip_white_space();
        self.position
    }

    /// The first byte of the next token.
    #[inline]
    pub fn peek(&mut self) -> Result<u8> {
        self.skip_white_space();
        self.byte().ok_or(self.fault("it ends too early"))
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        self.position = self.position.saturating_add(count);
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault { offset: self.position, what, too_deep: false }
    }

    #[inline]
    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.advance(1);
        }
    }

    /// Takes the byte if it is the next token.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        self.skip_white_space();
        let found = self.byte() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<()> {
        self.skip_white_space();
        if self.byte().is_none() { Ok(()) } else { Err(self.fault("something follows the value")) }
    }

    /// Takes the `{` or `[` that [`Self::peek`] has shown.
    #[inline]
    pub fn open(&mut self) -> Result<()> {
        if self.depth >= self.max_depth {
            return Err(Fault { offset: self.position, what: "it nests too deeply", too_deep: true });
        }
        self.depth = self.depth.saturating_add(1);
        self.advance(1);
        Ok(())
    }

    #[inline]
    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The name of an open object's next member, with the cursor before the value; `None` once the object is closed.
    #[inline]
    pub fn next_member(&mut self, first: &mut bool) -> Result<Option<Cow<'a, str>>> {
        if self.take(b'}') {
            self.close();
            return Ok(None);
        }
        if !std::mem::take(first) {
            self.separator(b'}')?;
        }
        self.member_name().map(Some)
    }

    /// Whether an open array has another element, with the cursor before it; `false` once the array is closed.
    #[inline]
    pub fn next_element(&mut self, first: &mut bool) -> Result<bool> {
        if self.take(b']') {
            self.close();
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.separator(b']')?;
        }
        Ok(true)
    }

    #[inline]
    fn separator(&mut self, closing: u8) -> Result<()> {
        if !self.take(b',') {
            return Err(self.fault("a comma or a closing bracket is expected"));
        }
        if self.peek()? == closing {
            return Err(self.fault("a comma stands before a closing bracket"));
        }
        Ok(())
    }

    #[inline]
    fn member_name(&mut self) -> Result<Cow<'a, str>> {
        if self.peek()? != b'"' {
            return Err(self.fault("a member name in double quotes is expected"));
        }
        let name = self.string()?;
        self.colon()?;
        Ok(name)
    }

    #[inline]
    fn colon(&mut self) -> Result<()> {
        if self.take(b':') { Ok(()) } else { Err(self.fault("a colon is expected")) }
    }

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
    fn skip_string(&mut self) -> Result<()> {
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

    /// Takes the number at the cursor: its text, and whether that is an integer.
    #[inline]
    pub fn number(&mut self) -> Result<(&'a str, bool)> {
        let start = self.position;
        if self.byte() == Some(b'-') {
            self.advance(1);
        }
        if self.byte() == Some(b'0') {
            self.advance(1);
        } else {
            self.digits()?;
        }
        let mut integer = true;
        if self.byte() == Some(b'.') {
            integer = false;
            self.advance(1);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            integer = false;
            self.advance(1);
            if let Some(b'+' | b'-') = self.byte() {
                self.advance(1);
            }
            self.digits()?;
        }
        Ok((self.text.get(start..self.position).unwrap_or_default(), integer))
    }

    #[inline]
    fn digits(&mut self) -> Result<()> {
        let start = self.position;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.advance(1);
        }
        if self.position > start { Ok(()) } else { Err(self.fault("a digit is expected")) }
    }

    /// Takes `true`, `false` or `null` if it stands at the cursor.
    #[inline]
    pub fn literal(&mut self, literal: &'static str) -> Result<()> {
        if self.text.as_bytes().get(self.position..).is_some_and(|rest| rest.starts_with(literal.as_bytes())) {
            self.advance(literal.len());
            return Ok(());
        }
        Err(self.fault("a value is expected"))
    }

    fn skip_scalar(&mut self, first: u8) -> Result<()> {
        match first {
            b'"' => self.skip_string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' | b'0'..=b'9' => self.number().map(drop),
            _ => Err(self.fault("a value is expected")),
        }
    }

    /// Passes over one value and checks all of its syntax. A loop, so that depth costs no stack.
    pub fn skip_value(&mut self) -> Result<()> {
        let mut open: SmallVec<[u8; 64]> = SmallVec::new();
        loop {
            match self.peek()? {
                bracket @ (b'{' | b'[') => {
                    self.open()?;
                    open.push(bracket);
                    let closing = if bracket == b'{' { b'}' } else { b']' };
                    if self.peek()? != closing {
                        self.skip_name_in(bracket)?;
                        continue;
                    }
                }
                first => self.skip_scalar(first)?,
            }
            // A value has ended, or a container is empty: close what closes, up to the next comma.
            loop {
                let Some(&bracket) = open.last() else { return Ok(()) };
                let closing = if bracket == b'{' { b'}' } else { b']' };
                if !self.take(closing) {
                    self.separator(closing)?;
                    self.skip_name_in(bracket)?;
                    break;
                }
                self.close();
                open.pop();
            }
        }
    }

    #[inline]
    fn skip_name_in(&mut self, bracket: u8) -> Result<()> {
        if bracket != b'{' {
            return Ok(());
        }
        if self.peek()? != b'"' {
            return Err(self.fault("a member name in double quotes is expected"));
        }
        self.skip_string()?;
        self.colon()
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
