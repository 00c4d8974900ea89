//! Bytes as text: hexadecimal digits and base64 (<https://www.rfc-editor.org/rfc/rfc4648>).

use crate::wire::Id;

/// An id: hexadecimal digits, as OTLP/JSON demands, or, as the JSON mapping of protobuf would have it and some senders
/// do, base64 of a trace id's 16 bytes or a span id's 8.
pub(super) fn id(text: &[u8]) -> Option<Id> {
    hex(text).or_else(|| {
        match text.len() {
            24 | 22 => base64(text).filter(|bytes| bytes.len() == 16),
            12 | 11 => base64(text).filter(|bytes| bytes.len() == 8),
            _ => None,
        }
        .map(Id::from_vec)
    })
}

fn hex(text: &[u8]) -> Option<Id> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(hex_digit(*high)? << 4 | hex_digit(*low)?)).collect()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Both alphabets, with all of its padding or none of it. Bits behind the last whole byte are not looked at.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let unpadded = match text {
        [unpadded @ .., b'=', b'='] | [unpadded @ .., b'='] => {
            if !text.len().is_multiple_of(4) {
                return None;
            }
            unpadded
        }
        _ => text,
    };
    let mut bytes = Vec::with_capacity(unpadded.len());
    for group in unpadded.chunks(4) {
        let mut bits = 0u32;
        for &digit in group {
            bits = bits << 6 | u32::from(base64_digit(digit)?);
        }
        let [_, a, b, c] = match group.len() {
            4 => bits,
            3 => bits << 6,
            2 => bits << 12,
            _ => return None,
        }
        .to_be_bytes();
        bytes.extend([a, b, c].iter().take(group.len().saturating_sub(1)));
    }
    Some(bytes)
}

fn base64_digit(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit.saturating_sub(b'A'),
        b'a'..=b'z' => digit.saturating_sub(b'a').saturating_add(26),
        b'0'..=b'9' => digit.saturating_sub(b'0').saturating_add(52),
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}
