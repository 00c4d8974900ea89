//! Texts, numbers and ids, in each way in which senders write them. Null is the member's default everywhere.

use std::borrow::Cow;

use crate::error::Result;
use crate::wire::Id;

use super::binary;
use super::member::{mistyped, take_null, unexpected};
use super::scan::Scanner;

#[inline]
pub(super) fn text<'a>(scanner: &mut Scanner<'a>) -> Result<Cow<'a, str>> {
    match scanner.peek()? {
        b'"' => Ok(scanner.string()?),
        _ if take_null(scanner)? => Ok(Cow::Borrowed("")),
        _ => Err(mistyped(scanner, "a string")),
    }
}

pub(super) fn id(scanner: &mut Scanner<'_>) -> Result<Id> {
    let offset = scanner.offset();
    let text = text(scanner)?;
    binary::id(text.as_bytes()).ok_or_else(|| unexpected(offset, "a string", "an id in hexadecimal digits or base64"))
}

/// An unsigned integer up to `max`: a number without a fraction, or a string of decimal digits.
pub(super) fn unsigned(scanner: &mut Scanner<'_>, max: u64) -> Result<u64> {
    let offset = scanner.offset();
    let number = match scanner.peek()? {
        b'"' => {
            let digits = scanner.string()?;
            let decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
            if decimal { digits.parse().ok() } else { None }
        }
        b'-' | b'0'..=b'9' => match scanner.number()? {
            ("-0", true) => Some(0),
            (digits, true) => digits.parse().ok(),
            (digits, false) => {
                digits.parse().ok().and_then(|number| integral(number, 0.0, 18_446_744_073_709_551_616.0))
            }
        },
        _ if take_null(scanner)? => Some(0),
        _ => return Err(mistyped(scanner, "an unsigned integer")),
    };
    match number {
        Some(number) if number <= max => Ok(number),
        _ => Err(unexpected(offset, "no number", &format!("an unsigned integer up to {max}"))),
    }
}

/// The integer that a double holds, from `low` up to but without `high`.
fn integral(number: f64, low: f64, high: f64) -> Option<u64> {
    (number.fract() == 0.0 && number >= low && number < high).then_some(number as u64)
}

/// `intValue`: a number without a fraction, or a string of decimal digits with or without a sign.
pub(super) fn int(scanner: &mut Scanner<'_>) -> Result<i64> {
    let offset = scanner.offset();
    let number = match scanner.peek()? {
        b'"' => signed(&scanner.string()?),
        b'-' | b'0'..=b'9' => match scanner.number()? {
            (digits, true) => digits.parse().ok(),
            (digits, false) => digits.parse().ok().and_then(|number: f64| {
                let fits = number.fract() == 0.0
                    && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
                fits.then_some(number as i64)
            }),
        },
        _ => return Err(mistyped(scanner, "an integer")),
    };
    number.ok_or_else(|| unexpected(offset, "no number", "an integer of 64 bits"))
}

fn signed<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits.parse().ok()
}

/// An enum: its number, that number in a string, or its name.
pub(super) fn enumeration(scanner: &mut Scanner<'_>, prefix: &str, names: &[&str]) -> Result<i32> {
    let offset = scanner.offset();
    let number = match scanner.peek()? {
        b'"' => {
            let text = scanner.string()?;
            let named = text.strip_prefix(prefix).and_then(|name| names.iter().position(|known| *known == name));
            named.and_then(|number| i32::try_from(number).ok()).or_else(|| signed(&text))
        }
        b'-' | b'0'..=b'9' => match scanner.number()? {
            (digits, true) => digits.parse().ok(),
            (_, false) => None,
        },
        _ if take_null(scanner)? => Some(0),
        _ => return Err(mistyped(scanner, "an enum's number or name")),
    };
    number.ok_or_else(|| unexpected(offset, "no enum value", &format!("a number or a name that begins with {prefix}")))
}

/// `doubleValue`: a number, or a string that holds one or names one of the three that JSON cannot write.
pub(super) fn double(scanner: &mut Scanner<'_>) -> Result<f64> {
    let offset = scanner.offset();
    let number = match scanner.peek()? {
        b'"' => match scanner.string()?.as_ref() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => number_text(text).and_then(|text| text.parse().ok()),
        },
        b'-' | b'0'..=b'9' => scanner.number()?.0.parse().ok(),
        _ => return Err(mistyped(scanner, "a number")),
    };
    number.ok_or_else(|| unexpected(offset, "a string", "a number"))
}

/// The text if it is a JSON number from end to end: Rust would also parse "inf", "+1" and ".5".
fn number_text(text: &str) -> Option<&str> {
    let (number, _) = Scanner::new(text, 0).number().ok()?;
    (number.len() == text.len()).then_some(number)
}

/// `boolValue`: a boolean, or its name in a string.
pub(super) fn boolean(scanner: &mut Scanner<'_>) -> Result<bool> {
    let offset = scanner.offset();
    match scanner.peek()? {
        b't' => Ok(scanner.literal("true").map(|()| true)?),
        b'f' => Ok(scanner.literal("false").map(|()| false)?),
        b'"' => match scanner.string()?.as_ref() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(unexpected(offset, "a string", "true or false")),
        },
        _ => Err(mistyped(scanner, "true or false")),
    }
}

/// `bytesValue`: base64, standard or URL-safe, padded or not.
pub(super) fn bytes(scanner: &mut Scanner<'_>) -> Result<Vec<u8>> {
    let offset = scanner.offset();
    if scanner.peek()? != b'"' {
        return Err(mistyped(scanner, "a string in base64"));
    }
    binary::base64(scanner.string()?.as_bytes()).ok_or_else(|| unexpected(offset, "a string", "base64"))
}
