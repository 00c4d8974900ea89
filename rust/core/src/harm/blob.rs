//! Base64, vectors and byte maps inside text. Nearly all text holds none, so all text is first sampled: a harmful run is
//! long, and cannot hide between two looks.

use super::MIN_NUMBERS;

/// So many base64 characters in a row are a blob: no word and no key is that long.
const MIN_BASE64: usize = 1024;
/// The shortest vector: as many digits, with commas between them.
const MIN_NUMBER_RUN: usize = 2 * MIN_NUMBERS - 1;

pub(super) fn vector_marker(numbers: usize) -> String {
    format!("[vector removed: {numbers} numbers]")
}

pub(super) fn byte_map_marker(bytes: usize) -> String {
    format!("[bytes removed: {bytes} bytes]")
}

/// The text with markers in place of harm; `None` where there is none.
pub(super) fn scrubbed(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let without_base64 = has_run(bytes, MIN_BASE64, is_base64).then(|| replaced(text, base64_at)).flatten();
    let current = without_base64.as_deref().unwrap_or(text);
    if !has_run(current.as_bytes(), MIN_NUMBER_RUN, is_numeric) {
        return without_base64;
    }
    let without_vectors = replaced(current, vector_at);
    let current = without_vectors.as_deref().unwrap_or(current);
    replaced(current, byte_map_at).or(without_vectors).or(without_base64)
}

/// Whether JSON text may hold harm once it is read: escapes only make a run longer.
pub(super) fn may_hide_in_json(text: &str) -> bool {
    let bytes = text.as_bytes();
    let fits = |kind: u8| move |byte: u8| KINDS[usize::from(byte)] & kind != 0;
    has_run(bytes, MIN_BASE64, fits(ESCAPED_BASE64)) || has_run(bytes, MIN_NUMBER_RUN, fits(ESCAPED_NUMERIC))
}

const ESCAPED_BASE64: u8 = 1;
const ESCAPED_NUMERIC: u8 = 2;

/// What each byte may belong to inside JSON text. A table, because a part of nearly all text is looked at.
static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = u8::MAX;
    while byte > 0 {
        if is_base64(byte) || byte == b'\\' {
            kinds[byte as usize] |= ESCAPED_BASE64;
        }
        let in_escape = matches!(byte, b'\\' | b'a'..=b'f' | b'A'..=b'F' | b'n' | b'r' | b't' | b'u');
        if is_numeric(byte) || in_escape {
            kinds[byte as usize] |= ESCAPED_NUMERIC;
        }
        byte -= 1;
    }
    kinds
};

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-')
}

/// The bytes between the brackets of a vector or a byte map.
const fn is_numeric(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'0'..=b'9' | b'.' | b',' | b'-' | b'+' | b'e' | b'E' | b'"' | b':')
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether so many bytes of a kind stand in a row. Each stretch is looked at from its end: behind the last byte that does
/// not fit begins the next one.
fn has_run(bytes: &[u8], length: usize, fits: impl Fn(u8) -> bool) -> bool {
    let mut begin = 0;
    while let Some(stretch) = bytes.get(begin..begin + length) {
        match stretch.iter().rposition(|&byte| !fits(byte)) {
            Some(misfit) => begin += misfit + 1,
            None => return true,
        }
    }
    false
}

/// The text with every match replaced. `find` gets the rest of the text and returns the end of a match at its beginning
/// and the marker, or how many bytes hold no beginning of a match.
fn replaced(text: &str, find: impl Fn(&[u8]) -> Result<(usize, String), usize>) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match find(rest) {
            Ok((length, marker)) => {
                out.push_str(text.get(kept..at)?);
                out.push_str(&marker);
                at += length;
                kept = at;
            }
            Err(skipped) => at += skipped.max(1),
        }
    }
    if kept == 0 {
        return None;
    }
    out.push_str(text.get(kept..)?);
    Some(out)
}

fn base64_at(rest: &[u8]) -> Result<(usize, String), usize> {
    let run = rest.iter().take_while(|byte| is_base64(**byte)).count();
    if run < MIN_BASE64 {
        return Err(run);
    }
    let padding = rest.iter().skip(run).take(2).take_while(|byte| **byte == b'=').count();
    Ok((run + padding, format!("[base64 removed: {} bytes]", run * 3 / 4)))
}

fn vector_at(rest: &[u8]) -> Result<(usize, String), usize> {
    items_at(rest, b'[', b']', |cursor| cursor.number()).map(|(length, numbers)| (length, vector_marker(numbers)))
}

fn byte_map_at(rest: &[u8]) -> Result<(usize, String), usize> {
    items_at(rest, b'{', b'}', |cursor| cursor.numbered_byte()).map(|(length, bytes)| (length, byte_map_marker(bytes)))
}

/// A bracket, many items with commas between them, and the closing bracket: the whole length and the number of items.
fn items_at(rest: &[u8], open: u8, close: u8, item: impl Fn(&mut Cursor<'_>) -> bool) -> Result<(usize, usize), usize> {
    if rest.first() != Some(&open) {
        return Err(memchr::memchr(open, rest).unwrap_or(rest.len()));
    }
    let mut cursor = Cursor { rest, at: 1 };
    let mut count = 0;
    loop {
        cursor.spaces();
        if !item(&mut cursor) {
            break;
        }
        count += 1;
        cursor.spaces();
        if cursor.take(close) {
            return if count >= MIN_NUMBERS { Ok((cursor.at, count)) } else { Err(cursor.at) };
        }
        if !cursor.take(b',') {
            break;
        }
    }
    // What was read holds no other opening bracket.
    Err(cursor.at)
}

struct Cursor<'t> {
    rest: &'t [u8],
    at: usize,
}

impl Cursor<'_> {
    fn skip(&mut self, fits: impl Fn(u8) -> bool) -> bool {
        let count = self.rest.iter().skip(self.at).take_while(|byte| fits(**byte)).count();
        self.at += count;
        count > 0
    }

    fn spaces(&mut self) {
        self.skip(is_space);
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn digits(&mut self) -> bool {
        self.skip(|byte| byte.is_ascii_digit())
    }

    fn number(&mut self) -> bool {
        self.take(b'-');
        if !self.digits() || (self.take(b'.') && !self.digits()) {
            return false;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'-') || self.take(b'+');
            return self.digits();
        }
        true
    }

    fn numbered_byte(&mut self) -> bool {
        if !(self.take(b'"') && self.digits() && self.take(b'"')) {
            return false;
        }
        self.spaces();
        if !self.take(b':') {
            return false;
        }
        self.spaces();
        self.digits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_a_kibibyte_becomes_a_marker() {
        let text = format!("data:image/png;base64,{}== and more", "Ab+/".repeat(256));
        assert_eq!(scrubbed(&text).as_deref(), Some("data:image/png;base64,[base64 removed: 768 bytes] and more"));
        assert_eq!(scrubbed(&"a".repeat(1023)), None);
        let both = format!("{} {}", "a".repeat(1024), "b".repeat(2000));
        assert_eq!(scrubbed(&both).as_deref(), Some("[base64 removed: 768 bytes] [base64 removed: 1500 bytes]"));
    }

    #[test]
    fn vectors_of_64_numbers_become_a_marker() {
        let numbers = |count: usize| (0..count).map(|number| format!("-{number}.5e-3")).collect::<Vec<_>>().join(", ");
        let text = format!("see [[1], [ {} ]] here", numbers(64));
        assert_eq!(scrubbed(&text).as_deref(), Some("see [[1], [vector removed: 64 numbers]] here"));
        assert_eq!(scrubbed(&format!("[{}]", numbers(63))), None);
        assert_eq!(scrubbed(&format!("[{},]", numbers(80))), None);
        assert_eq!(scrubbed(&format!("[{}", numbers(80))), None);
        assert_eq!(scrubbed(&format!("[{}", "1,".repeat(63) + "1]")).as_deref(), Some("[vector removed: 64 numbers]"));
    }

    #[test]
    fn byte_maps_of_64_bytes_become_a_marker() {
        let bytes = |count: usize| (0..count).map(|index| format!("\"{index}\":{index}")).collect::<Vec<_>>().join(",");
        assert_eq!(scrubbed(&format!("x{{{}}}", bytes(100))).as_deref(), Some("x[bytes removed: 100 bytes]"));
        assert_eq!(scrubbed(&format!("{{{}}}", bytes(63))), None);
    }

    #[test]
    fn a_run_is_found_wherever_it_begins() {
        for before in 0..200 {
            for length in [MIN_NUMBER_RUN - 1, MIN_NUMBER_RUN] {
                let text = format!("{}{}x", "x".repeat(before), "1".repeat(length));
                assert_eq!(
                    has_run(text.as_bytes(), MIN_NUMBER_RUN, is_numeric),
                    length == MIN_NUMBER_RUN,
                    "{before} {length}"
                );
            }
        }
    }

    #[test]
    fn two_short_runs_are_not_one_long_one() {
        let text = format!("{}x{}", "1".repeat(100), "1".repeat(100));
        assert!(!has_run(text.as_bytes(), MIN_NUMBER_RUN, is_numeric));
    }
}
