//! JSON text straight into Python objects.
//!
//! Comes in: text that the core has validated already, so that no byte is checked twice. Goes out: what `json.loads`
//! would make of it. Refuses: what it cannot read, by giving it back: deeper nesting than the stack is trusted with.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString};
use wide::u8x16;

use crate::remembered::{Guesses, Head, Remembered, Word};

/// Containers inside one another. The core's own cap for JSON inside strings is 128.
const MAX_NESTING: usize = 200;

/// What the strings and lists of one batch are made with.
pub struct Parser<'e, 'py> {
    py: Python<'py>,
    /// Strings without an escape, by their text; shared with strings that never were JSON.
    pub plain: Remembered<'e, 'py>,
    /// Strings with escapes, by their text as it stands between the quotes.
    escaped: Remembered<'e, 'py>,
    /// Long strings of either kind, for the guess that one of them stands at the cursor again.
    long: Guesses<'e, 'py>,
    /// The elements of all lists that are open, the innermost last.
    elements: Vec<Bound<'py, PyAny>>,
    /// Room for a string while its escapes are read.
    unescaped: String,
}

/// Why a text became no object.
pub enum Fault {
    /// It is not what the core lets through, or nests too deeply.
    Unread,
    Python(Box<PyErr>),
}

impl From<PyErr> for Fault {
    #[cold]
    fn from(error: PyErr) -> Self {
        Fault::Python(Box::new(error))
    }
}

type Parsed<T> = Result<T, Fault>;

impl<'e, 'py> Parser<'e, 'py> {
    pub fn new(py: Python<'py>, events: usize) -> Self {
        Self {
            py,
            plain: Remembered::new(events),
            escaped: Remembered::new(events),
            long: Guesses::new(events),
            elements: Vec::new(),
            unescaped: String::new(),
        }
    }

    /// The object that the text says.
    pub fn parse(&mut self, text: &'e str) -> Parsed<Bound<'py, PyAny>> {
        self.elements.clear();
        let mut cursor = Cursor { text, at: 0, depth: 0 };
        let value = self.value(&mut cursor)?;
        if cursor.peek().is_none() { Ok(value) } else { Err(Fault::Unread) }
    }

    fn value(&mut self, cursor: &mut Cursor<'e>) -> Parsed<Bound<'py, PyAny>> {
        match cursor.peek() {
            Some(b'"') => Ok(self.string(cursor)?.into_any()),
            Some(b'{') => self.object(cursor),
            Some(b'[') => self.array(cursor),
            Some(b't') => cursor.literal("true", true.into_bound_py_any(self.py)?),
            Some(b'f') => cursor.literal("false", false.into_bound_py_any(self.py)?),
            Some(b'n') => cursor.literal("null", self.py.None().into_bound(self.py)),
            Some(_) => self.number(cursor),
            None => Err(Fault::Unread),
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'e>) -> Parsed<Bound<'py, PyAny>> {
        let dict = PyDict::new(self.py);
        cursor.open()?;
        if !cursor.take(b'}') {
            loop {
                if cursor.peek() != Some(b'"') {
                    return Err(Fault::Unread);
                }
                let name = self.string(cursor)?;
                cursor.expect(b':')?;
                let value = self.value(cursor)?;
                // Of members with one name the last one stays, at the place of the first: as in a Python dict.
                dict.set_item(name, value)?;
                if !cursor.take(b',') {
                    cursor.expect(b'}')?;
                    break;
                }
            }
        }
        cursor.depth -= 1;
        Ok(dict.into_any())
    }

    fn array(&mut self, cursor: &mut Cursor<'e>) -> Parsed<Bound<'py, PyAny>> {
        let first = self.elements.len();
        cursor.open()?;
        if !cursor.take(b']') {
            loop {
                let element = self.value(cursor)?;
                self.elements.push(element);
                if !cursor.take(b',') {
                    cursor.expect(b']')?;
                    break;
                }
            }
        }
        cursor.depth -= 1;
        Ok(PyList::new(self.py, self.elements.drain(first..))?.into_any())
    }

    /// The string at the cursor, which stands at its first quote.
    #[inline]
    fn string(&mut self, cursor: &mut Cursor<'e>) -> Parsed<Bound<'py, PyString>> {
        let start = cursor.text.as_bytes().get(cursor.at + 1..).unwrap_or_default();
        let Some(head) = start.first_chunk() else { return self.any_string(cursor, None) };
        match end_of_plain(head) {
            End::Quote(length) => {
                let text = cursor.text.get(cursor.at + 1..cursor.at + 1 + length).unwrap_or_default();
                cursor.at += length + 2;
                let py = self.py;
                return Ok(self.plain.get_short(head, text, |text| PyString::new(py, text)));
            }
            End::Escape => return self.any_string(cursor, None),
            End::None => {}
        }
        // A string that begins like one before is compared with it, which takes far less than to look for its end.
        let head = start.first_chunk().filter(|head| !holds_quote(head));
        if let Some((known, string)) = head.and_then(|head| self.long.get(head)) {
            let is_same = start.starts_with(known.as_bytes()) && start.get(known.len()) == Some(&b'"');
            if is_same {
                cursor.at += known.len() + 2;
                return Ok(string.clone());
            }
        }
        self.any_string(cursor, head)
    }

    fn any_string(&mut self, cursor: &mut Cursor<'e>, head: Option<&Head>) -> Parsed<Bound<'py, PyString>> {
        let (text, has_escapes) = cursor.string().ok_or(Fault::Unread)?;
        let py = self.py;
        let string = if has_escapes {
            let unescaped = &mut self.unescaped;
            self.escaped.get(text, |text| {
                unescaped.clear();
                unescape(text, unescaped);
                PyString::new(py, unescaped)
            })
        } else {
            self.plain.get(text, |text| PyString::new(py, text))
        };
        if let Some(head) = head {
            self.long.insert(head, text, &string);
        }
        Ok(string)
    }

    fn number(&mut self, cursor: &mut Cursor<'e>) -> Parsed<Bound<'py, PyAny>> {
        let (text, is_integer) = cursor.number();
        if !is_integer {
            let number: f64 = text.parse().map_err(|_| Fault::Unread)?;
            // What no double can hold is null, as the core has it.
            return Ok(number.is_finite().then_some(number).into_bound_py_any(self.py)?);
        }
        match text.parse::<i64>() {
            Ok(number) => Ok(number.into_bound_py_any(self.py)?),
            Err(_) if text.is_empty() => Err(Fault::Unread),
            Err(_) => Ok(large_integer(self.py, text)?),
        }
    }
}

/// An integer beyond 64 bits. One of thousands of digits, which Python refuses to read (CVE-2020-10735), stays text.
#[cold]
fn large_integer<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    py.get_type::<PyInt>().call1((text,)).or_else(|_| text.into_bound_py_any(py))
}

/// A place in JSON text.
struct Cursor<'e> {
    text: &'e str,
    at: usize,
    depth: usize,
}

impl<'e> Cursor<'e> {
    /// The first byte of the next token.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Takes the byte if it is the next token.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.take(byte) { Ok(()) } else { Err(Fault::Unread) }
    }

    /// Goes into a container, whose bracket stands at the cursor.
    #[inline]
    fn open(&mut self) -> Parsed<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_NESTING { Err(Fault::Unread) } else { Ok(()) }
    }

    fn literal<T>(&mut self, literal: &str, value: T) -> Parsed<T> {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(literal));
        self.at += literal.len();
        if found { Ok(value) } else { Err(Fault::Unread) }
    }

    /// What stands between the quotes of the string at the cursor, and whether any of it is an escape.
    #[inline]
    fn string(&mut self) -> Option<(&'e str, bool)> {
        let start = self.at + 1;
        let mut end = start;
        let mut has_escapes = false;
        loop {
            end += plain_run(self.text.as_bytes().get(end..)?);
            if *self.text.as_bytes().get(end)? == b'"' {
                break;
            }
            has_escapes = true;
            end += 2;
        }
        self.at = end + 1;
        Some((self.text.get(start..end)?, has_escapes))
    }

    /// The text of the number at the cursor, and whether it is an integer.
    fn number(&mut self) -> (&'e str, bool) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut is_integer = true;
        let length = rest
            .bytes()
            .take_while(|byte| {
                is_integer &= !matches!(byte, b'.' | b'e' | b'E');
                matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
            })
            .count();
        self.at += length;
        (rest.get(..length).unwrap_or_default(), is_integer)
    }
}

/// How a run of plain characters ends.
enum End {
    /// With a quote, after so many bytes.
    Quote(usize),
    Escape,
    /// Not within the word.
    None,
}

#[inline]
fn end_of_plain(word: &Word) -> End {
    let quotes = places(word, b'"');
    let found = quotes | places(word, b'\\');
    match found.trailing_zeros() {
        u32::BITS => End::None,
        place if quotes & (1 << place) != 0 => End::Quote(place as usize),
        _ => End::Escape,
    }
}

/// How many bytes stand before the first quote or backslash. Escapes come in clusters: a call for each would cost more.
#[inline]
fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let found = places(word, b'"') | places(word, b'\\');
        if found != 0 {
            return index * Word::default().len() + found.trailing_zeros() as usize;
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\');
    bytes.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

/// Whether a string may end within these bytes.
#[inline]
fn holds_quote(head: &Head) -> bool {
    head.as_chunks().0.iter().any(|word| places(word, b'"') != 0)
}

/// A bit for each place of the byte.
#[inline]
fn places(word: &Word, byte: u8) -> u32 {
    u8x16::new(*word).simd_eq(u8x16::splat(byte)).to_bitmask()
}

/// Appends what the text between two quotes says. A surrogate without its partner becomes U+FFFD.
fn unescape(text: &str, out: &mut String) {
    out.reserve(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_at_checked(plain_run(rest.as_bytes())) {
        out.push_str(plain);
        if escape.is_empty() {
            break;
        }
        let (character, length) = match escape.as_bytes().get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => scalar(escape),
            // A quote, a backslash or a slash, which stands for itself.
            other => (char::from(other.copied().unwrap_or(b'\\')), 2),
        };
        out.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
}

/// What `\uXXXX` at the beginning of the text stands for, or two of them that are one pair; and their length.
#[inline]
fn scalar(escape: &str) -> (char, usize) {
    let (unit, length) = match code_unit(escape, 0) {
        high @ 0xd800..=0xdbff => match code_unit(escape, 6) {
            low @ 0xdc00..=0xdfff => (0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12),
            _ => (high, 6),
        },
        unit => (unit, 6),
    };
    (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), length)
}

/// The number in the escape `\uXXXX` at this place, or one that is no code unit where there is none.
#[inline]
fn code_unit(text: &str, at: usize) -> u32 {
    let Some([b'\\', b'u', digits @ ..]) = text.as_bytes().get(at..at + 6) else { return u32::MAX };
    // The low half of a letter's byte counts from one, and only letters have the bit above the digits' range.
    let digit = |byte: u8| u32::from((byte & 0xf) + 9 * (byte >> 6));
    digits.iter().fold(0, |unit, &byte| unit << 4 | digit(byte))
}
