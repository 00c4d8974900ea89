//! The few semantics of JavaScript that PostHog's worker lets through into its events: how text becomes a number, how
//! numbers are added, and how a value is written as JSON (<https://262.ecma-international.org/>).

use crate::json;
use crate::wire::Value;

/// A finite number. JavaScript knows doubles only; here what came as an integer stays exact.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Whole(i128),
    Double(f64),
}

impl Number {
    pub const ZERO: Self = Self::Whole(0);

    /// A finite number, or a string that holds one. A blank string is none, although `Number` makes zero of it.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::Whole(i128::from(*number))),
            Value::Double(number) if number.is_finite() => Some(Self::Double(*number)),
            Value::Str(text) if !trim(text).is_empty() => number_of_text(text).map(Self::of_text),
            _ => None,
        }
    }

    /// The same, but a blank string is zero.
    pub fn or_zero_if_blank(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Str(text) if trim(text).is_empty() => Some(Self::ZERO),
            value => Self::of(value),
        }
    }

    /// Text is a double from the start: only up to 2^53 does it say an exact integer.
    fn of_text(number: f64) -> Self {
        const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
        if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER {
            Self::Whole(number as i128)
        } else {
            Self::Double(number)
        }
    }

    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Self::Whole(left.saturating_add(right)),
            (left, right) => Self::Double(left.to_double() + right.to_double()),
        }
    }

    /// The difference, but not less than zero.
    pub fn minus_or_zero(self, other: Self) -> Self {
        let difference = match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Self::Whole(left.saturating_sub(right)),
            (left, right) => Self::Double(left.to_double() - right.to_double()),
        };
        if difference.to_double() > 0.0 { difference } else { Self::ZERO }
    }

    pub fn equals(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left == right,
            (Self::Double(left), Self::Double(right)) => left == right,
            (Self::Whole(whole), Self::Double(double)) | (Self::Double(double), Self::Whole(whole)) => {
                double.fract() == 0.0 && double as i128 == whole
            }
        }
    }

    pub fn to_double(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Double(number) => number,
        }
    }

    pub fn into_value<'a>(self) -> Value<'a> {
        match self {
            Self::Whole(number) => {
                i64::try_from(number).map_or_else(|_| Value::Json(number.to_string().into()), Value::Int)
            }
            Self::Double(number) => Value::Double(number),
        }
    }
}

/// `String.prototype.trim`, whose white space has the byte order mark and lacks U+0085.
fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character == '\u{feff}' || character.is_whitespace() && character != '\u{85}')
}

/// `Number(text)`, if it is finite: white space around it is ignored, the empty text is zero, and `0x`, `0o`, `0b` are
/// known.
pub(super) fn number_of_text(text: &str) -> Option<f64> {
    let text = trim(text);
    if text.is_empty() {
        return Some(0.0);
    }
    let prefixes = [("0x", 4), ("0X", 4), ("0o", 3), ("0O", 3), ("0b", 1), ("0B", 1)];
    let number = match prefixes.iter().find_map(|&(prefix, bits)| Some((text.strip_prefix(prefix)?, bits))) {
        Some((digits, bits)) => number_of_digits(digits, bits)?,
        None if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) => {
            text.parse().ok()?
        }
        None => return None,
    };
    Some(number).filter(|number| number.is_finite())
}

/// Digits of so many bits each, rounded once: what lies beyond the first ninety-six bits only says whether there is more.
fn number_of_digits(digits: &str, bits: u32) -> Option<f64> {
    let radix = 1 << bits;
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let (first, rest) = digits.split_at(digits.len().min(96 / bits as usize));
    let first = if first.is_empty() { 0 } else { u128::from_str_radix(first, radix).ok()? };
    let more = rest.bytes().any(|digit| digit != b'0');
    let scale = f64::from(radix).powi(i32::try_from(rest.len()).unwrap_or(i32::MAX));
    Some((first | u128::from(more)) as f64 * scale)
}

/// `JSON.stringify` of a value in tree form, but for integers beyond 2^53, which stay exact.
pub(super) fn stringify(value: &Value<'_>) -> String {
    let mut text = Vec::new();
    write(value, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Double(number) => out.extend_from_slice(number_text(*number).as_bytes()),
        Value::Array(elements) => {
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write(element, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // Objects enumerate names that are array indices first, ascending; the sort is stable.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| array_index(name).unwrap_or(u32::MAX));
            out.push(b'{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                json::string_to_text(name, out);
                out.push(b':');
                write(member, out);
            }
            out.push(b'}');
        }
        other => json::to_text(other, out),
    }
}

/// An array index is below 2^32 - 1 and written without a sign or leading zeros.
fn array_index(name: &str) -> Option<u32> {
    let index = name.parse::<u32>().ok().filter(|&index| index != u32::MAX)?;
    let is_plain = name == "0" || name.starts_with(|digit: char| matches!(digit, '1'..='9'));
    is_plain.then_some(index)
}

/// The shortest digits that give the number again, written as `Number::toString` writes them.
fn number_text(number: f64) -> String {
    if !number.is_finite() {
        return "null".to_owned();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    // How many digits stand before the decimal point.
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let sign = if number < 0.0 { "-" } else { "" };
    match usize::try_from(point) {
        Ok(point) if digits.len() <= point && point <= 21 => format!("{sign}{digits:0<point$}"),
        Ok(point) if 0 < point && point <= 21 => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        _ if -6 < point && point <= 0 => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ => format!("{sign}{mantissa}e{:+}", point - 1),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn numbers_in_text_are_read_as_javascript_reads_them() {
        let cases = [
            ("", 0.0),
            (" 1 ", 1.0),
            ("\u{feff}\u{a0}1", 1.0),
            ("01", 1.0),
            ("1e1", 10.0),
            ("0x2", 2.0),
            ("-1", -1.0),
            ("1.0", 1.0),
            ("0x20000000000001", 9_007_199_254_740_992.0),
            ("0xffffffffffffffffffffffffffffffffff", 8.711_228_593_176_025e40),
        ];
        for (text, expected) in cases {
            assert_eq!(number_of_text(text), Some(expected), "{text}");
        }
        for text in ["x", "1x", "0x", "0xg", "nan", "inf", "--1", "1_0", "Infinity", "1e400", "\u{85}1", "-0x1"] {
            assert_eq!(number_of_text(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (123.0e18, "123000000000000000000"),
            (1e21, "1e+21"),
            (1.25e21, "1.25e+21"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "null"),
        ];
        for (number, expected) in cases {
            assert_eq!(number_text(number), expected);
        }
    }

    #[test]
    fn names_that_are_array_indices_are_written_first() {
        let names = ["b", "10", "9", "01", "4294967295", "4294967294", "-1", "+1", "0"];
        let members = names.map(|name| (Cow::Borrowed(name), Value::Null)).to_vec();
        let expected = r#"{"0":null,"9":null,"10":null,"4294967294":null,"b":null,"01":null,"4294967295":null,"-1":null,"+1":null}"#;
        assert_eq!(stringify(&Value::Object(members)), expected);
    }

    #[test]
    fn sums_of_integers_are_exact_and_sums_with_doubles_are_doubles() {
        let most = Number::Whole(i128::from(i64::MAX));
        assert_eq!(most.plus(Number::Whole(1)).into_value(), Value::Json(Cow::Borrowed("9223372036854775808")));
        assert_eq!(most.plus(Number::Double(1.0)).into_value(), Value::Double(9_223_372_036_854_775_808.0));
        assert!(!most.equals(Number::Double(9_223_372_036_854_775_808.0)));
        assert_eq!(Number::Whole(1).minus_or_zero(Number::Double(1.5)).into_value(), Value::Int(0));
    }
}
