//! JSON syntax (<https://www.rfc-editor.org/rfc/rfc8259>): one cursor over UTF-8 text, for bodies and for strings alike.
//!
//! Comes in: text. Goes out: names, strings without a copy where they hold no escape, numbers as their own text.
//! Refuses: everything the RFC refuses, and containers nested more deeply than the cap. Lone surrogate escapes, which
//! the RFC's grammar allows and UTF-8 cannot hold, become U+FFFD.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod stops;
mod string;

use std::borrow::Cow;

use smallvec::SmallVec;

pub(crate) use stops::Stops;

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
    stops: Stops,
    /// Whether a surrogate escape without its partner has been met.
    pub lone_surrogates: bool,
    /// Whether a number has been met that may be too large for a double.
    pub huge_numbers: bool,
}

/// A place to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    position: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str, max_depth: usize) -> Self {
        Self {
            text,
            position: 0,
            depth: 0,
            max_depth,
            stops: Stops::new(),
            lone_surrogates: false,
            huge_numbers: false,
        }
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

    /// Positions stay near the text's length, so that nothing ever wraps; adding any other way costs more.
    #[inline]
    fn advance(&mut self, count: usize) {
        self.position = self.position.wrapping_add(count);
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
            let exponent = self.position;
            self.digits()?;
            // The largest double has an exponent of three digits.
            self.huge_numbers |= self.position.saturating_sub(exponent) > 2;
        }
        let text = self.text.get(start..self.position).unwrap_or_default();
        self.huge_numbers |= !integer && text.len() > 300;
        Ok((text, integer))
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

    #[inline]
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

    /// Passes over one value and checks all of its syntax.
    #[inline]
    pub fn skip_value(&mut self) -> Result<()> {
        match self.peek()? {
            b'{' | b'[' => self.skip_container(),
            first => self.skip_scalar(first),
        }
    }

    /// A loop, so that depth costs no stack.
    fn skip_container(&mut self) -> Result<()> {
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
