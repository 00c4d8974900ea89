//! Python literals: what `str()` of a dict or list writes
//! (<https://docs.python.org/3/library/ast.html#ast.literal_eval>).
//!
//! Comes in: text that begins with `{` or `[`. Goes out: the value, tuples as lists. Refuses what JSON has no place for:
//! sets, bytes, complex numbers, keys that are no text; and everything that is no literal.

use std::borrow::Cow;

use crate::wire::Value;

/// The dict or list that the text writes.
pub fn parse(text: &str, max_nesting: usize) -> Option<Value<'static>> {
    if !text.starts_with(['{', '[']) || text.contains('\0') {
        return None;
    }
    let mut reader = Reader { rest: text, depth: max_nesting };
    let value = reader.value()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
    /// Containers that may still be opened inside one another.
    depth: usize,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\x0c', '\r', '\n']);
            if self.rest.starts_with('#') {
                self.rest = self.rest.find('\n').and_then(|end| self.rest.get(end..)).unwrap_or_default();
            } else if let Some(rest) = self.rest.strip_prefix("\\\n").filter(|rest| !rest.is_empty()) {
                self.rest = rest;
            } else {
                return;
            }
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest.chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Option<Value<'static>> {
        match self.peek()? {
            '{' => self.nested(Self::dict),
            '[' => self.nested(|reader| reader.elements("]").map(|(elements, _)| Value::Array(elements))),
            '(' => self.nested(Self::parenthesised),
            '\'' | '"' => self.strings(),
            'r' | 'R' | 'u' | 'U' => self.strings(),
            '0'..='9' | '.' | '+' | '-' => self.number(),
            _ => self.name(),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<Value<'static>>) -> Option<Value<'static>> {
        self.depth = self.depth.checked_sub(1)?;
        self.rest = self.rest.get(1..)?;
        let value = read(self);
        self.depth += 1;
        value
    }

    /// The elements up to the closing bracket, and whether a comma stood behind the last one.
    fn elements(&mut self, closing: &str) -> Option<(Vec<Value<'static>>, bool)> {
        let (mut elements, mut comma) = (Vec::new(), false);
        while !self.take(closing) {
            if !elements.is_empty() && !comma {
                return None;
            }
            elements.push(self.value()?);
            comma = self.take(",");
        }
        Some((elements, comma))
    }

    /// A tuple, which becomes a list; or one value in brackets, which is that value.
    fn parenthesised(&mut self) -> Option<Value<'static>> {
        let (mut elements, comma) = self.elements(")")?;
        match elements.pop() {
            Some(only) if elements.is_empty() && !comma => Some(only),
            last => {
                elements.extend(last);
                Some(Value::Array(elements))
            }
        }
    }

    fn dict(&mut self) -> Option<Value<'static>> {
        let (mut members, mut comma) = (Vec::new(), true);
        while !self.take("}") {
            if !comma {
                return None;
            }
            let Value::Str(key) = self.value()? else { return None };
            if !self.take(":") {
                return None;
            }
            members.push((key, self.value()?));
            comma = self.take(",");
        }
        crate::json::keep_last(&mut members, |(name, _)| name, |earlier, later| earlier.1 = later.1);
        Some(Value::Object(members))
    }

    fn name(&mut self) -> Option<Value<'static>> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        match name {
            "None" => Some(Value::Null),
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Value<'static>> {
        let negative = self.rest.starts_with('-');
        if negative || self.rest.starts_with('+') {
            self.rest = self.rest.get(1..)?;
            self.skip_space();
        }
        let end = number_end(self.rest);
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        read_number(token, negative)
    }

    /// One string, or several that stand side by side and are one.
    fn strings(&mut self) -> Option<Value<'static>> {
        let mut text = String::new();
        while let Some('\'' | '"' | 'r' | 'R' | 'u' | 'U') = self.peek() {
            self.string(&mut text)?;
        }
        Some(Value::Str(Cow::Owned(text)))
    }

    fn string(&mut self, text: &mut String) -> Option<()> {
        let raw = self.rest.starts_with(['r', 'R']);
        self.rest = self.rest.strip_prefix(['r', 'R', 'u', 'U']).unwrap_or(self.rest);
        let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| self.rest.starts_with(quote))?;
        self.rest = self.rest.get(quote.len()..)?;
        loop {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                self.rest = rest;
                return Some(());
            }
            let mut characters = self.rest.chars();
            match characters.next()? {
                '\n' | '\r' if quote.len() == 1 => return None,
                '\\' if raw => {
                    // The backslash stays, and still keeps the next character from ending the string.
                    text.push('\\');
                    text.push(characters.next()?);
                    self.rest = characters.as_str();
                }
                '\\' => {
                    self.rest = characters.as_str();
                    self.escape(text)?;
                }
                character => {
                    text.push(character);
                    self.rest = characters.as_str();
                }
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self, text: &mut String) -> Option<()> {
        let mut characters = self.rest.chars();
        let letter = characters.next()?;
        let after = characters.as_str();
        let (character, rest) = match letter {
            '\n' => {
                self.rest = after;
                return Some(());
            }
            '\\' | '\'' | '"' => (letter, after),
            'a' => ('\x07', after),
            'b' => ('\x08', after),
            'f' => ('\x0c', after),
            'n' => ('\n', after),
            'r' => ('\r', after),
            't' => ('\t', after),
            'v' => ('\x0b', after),
            'x' => coded(after, 2)?,
            'u' => coded(after, 4)?,
            'U' => coded(after, 8)?,
            'N' => return None,
            '0'..='7' => {
                let end = self.rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let (digits, rest) = self.rest.split_at_checked(end)?;
                (char::from_u32(u32::from_str_radix(digits, 8).ok()?)?, rest)
            }
            // Python keeps a backslash that begins no escape.
            _ => {
                text.push('\\');
                (letter, after)
            }
        };
        text.push(character);
        self.rest = rest;
        Some(())
    }
}

/// The character of so many hexadecimal digits. Half a surrogate pair becomes U+FFFD, because no UTF-8 text can hold it.
fn coded(text: &str, digits: usize) -> Option<(char, &str)> {
    let (code, rest) = text.split_at_checked(digits)?;
    if !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match u32::from_str_radix(code, 16).ok()? {
        0xd800..=0xdfff => Some((char::REPLACEMENT_CHARACTER, rest)),
        code => Some((char::from_u32(code)?, rest)),
    }
}

/// Where the characters end that a number may be made of, the sign of an exponent among them.
fn number_end(text: &str) -> usize {
    let mut previous = 0u8;
    let is_based = matches!(text.as_bytes(), [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
    let ends = |&(_, byte): &(usize, u8)| {
        let exponent_sign = matches!(byte, b'+' | b'-') && matches!(previous, b'e' | b'E') && !is_based;
        previous = byte;
        !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || exponent_sign)
    };
    text.bytes().enumerate().find(ends).map_or(text.len(), |(end, _)| end)
}

fn read_number(token: &str, negative: bool) -> Option<Value<'static>> {
    // An underscore may stand between two digits, or behind the letter of a base.
    let token = if token.contains('_') { Cow::Owned(without_underscores(token)?) } else { Cow::Borrowed(token) };
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(digits) = token.strip_prefix(prefix) {
            // `from_str_radix` would take a sign.
            let magnitude = digits.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(digits)?;
            return Some(integer(&u128::from_str_radix(magnitude, radix).ok()?.to_string(), negative));
        }
    }
    if token.is_empty() {
        return None;
    }
    if token.bytes().all(|byte| byte.is_ascii_digit()) {
        let significant = token.trim_start_matches('0');
        let is_zero = significant.is_empty();
        // Python 3 knows no number with a leading zero but zero itself.
        if !is_zero && significant.len() < token.len() {
            return None;
        }
        return Some(integer(if is_zero { "0" } else { significant }, negative));
    }
    if !token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let magnitude: f64 = token.parse().ok()?;
    Some(Value::Double(if negative { -magnitude } else { magnitude }))
}

/// An integer of any size from decimal digits.
fn integer(digits: &str, negative: bool) -> Value<'static> {
    let text = if negative && digits != "0" { format!("-{digits}") } else { digits.to_owned() };
    text.parse().map_or(Value::Json(Cow::Owned(text)), Value::Int)
}

fn without_underscores(token: &str) -> Option<String> {
    let bytes = token.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_hexdigit);
    let behind_base = |at: usize| at == 2 && matches!(bytes, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
    let sound = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(at, _)| (is_digit(at.checked_sub(1)) || behind_base(at)) && is_digit(at.checked_add(1)));
    sound.then(|| token.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        let mut out = Vec::new();
        crate::json::to_text(&parse(text, 8)?, &mut out);
        String::from_utf8(out).ok()
    }

    #[test]
    fn literals_become_json() {
        let cases = [
            ("{'role': 'user', 'content': \"it's\"}", r#"{"role":"user","content":"it's"}"#),
            ("[True, False, None, 1, -2, 1.5, 1e3]", "[true,false,null,1,-2,1.5,1000.0]"),
            ("[(1, 2), (), (3,), (4)]", "[[1,2],[],[3],4]"),
            (r"['\x41\u00e9\U0001F600\n\101\d']", "[\"A\u{e9}\u{1f600}\\nA\\\\d\"]"),
            ("['a' \"b\" r'\\n', '''x\ny''']", "[\"ab\\\\n\",\"x\\ny\"]"),
            (
                "[0x1F, 0o17, 0b11, 1_000, 00, 123456789012345678901234567890]",
                "[31,15,3,1000,0,123456789012345678901234567890]",
            ),
            ("{'a': 1, 'a': 2,} # done\n", r#"{"a":2}"#),
            ("['\\ud83d\\ude00']", "[\"\u{fffd}\u{fffd}\"]"),
            ("[- 5, .5, 5., 1_0.5]", "[-5,0.5,5.0,10.5]"),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_json_has_no_place_for_is_refused() {
        for text in ["{1, 2}", "[b'x']", "[1j]", "{1: 2}", "{(1,): 2}", "[...]", "[set()]", "{None: 1}", "(1, 2)"] {
            assert_eq!(parse(text, 8), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        let cases = [
            "[",
            "[1",
            "[1 2]",
            "[,]",
            "[1,,]",
            "{'a'}",
            "{'a': }",
            "{'a': 1 'b': 2}",
            "[1]x",
            "[x]",
            "[1] + [2]",
            "['a]",
            "['a\nb']",
            "[012]",
            "[1__0]",
            "[1_]",
            "[_1]",
            "[1.e]",
            "[0x]",
            "[--1]",
            "[1-2]",
            "[f'x']",
            "['\\xg0']",
            "[True1]",
            "['\\N{BULLET}']",
            "[1]\0",
            "{**{}}",
            "[1,\u{a0}2]",
            "[+]",
            "['a', 'b' 1]",
            "[0x-1]",
        ];
        for text in cases {
            assert_eq!(parse(text, 8), None, "{text}");
        }
    }

    #[test]
    fn nesting_is_capped() {
        assert!(parse("[[[]]]", 3).is_some());
        assert_eq!(parse("[[[[]]]]", 3), None);
    }
}
