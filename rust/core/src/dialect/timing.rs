//! Time to the first token: from an attribute, whatever its unit, or from the event that marks the first chunk.

use super::facts::Facts;
use super::shapes::as_f64;
use crate::keys::Key;
use crate::shape;
use crate::span::View;
use crate::wire::Value;

const NANOS_PER_SECOND: f64 = 1e9;

/// The first chunk of a stream, told by an event of the span.
const FIRST_CHUNK: [&str; 6] = [
    "First Token Stream Event",
    "ai.stream.firstChunk",
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
    "mlflow.chunk.item.0",
    "gen_ai.stream.chunk",
];

/// Seconds between two times of the wire, if the second is later.
pub(super) fn seconds_between(start_unix_nano: u64, end_unix_nano: u64) -> Option<f64> {
    (end_unix_nano > start_unix_nano).then(|| (end_unix_nano - start_unix_nano) as f64 / NANOS_PER_SECOND)
}

/// Seconds to the first chunk of a stream, never more than the span took.
pub(super) fn set_time_to_first_token<'a>(view: &View<'_, 'a>, facts: &mut Facts<'a>) {
    let span = view.span;
    let mut found = facts.take(Key::P_AI_TIME_TO_FIRST_TOKEN).as_ref().and_then(shape::number);
    if let Some(value) = &found
        && view.has(Key::GEN_AI_SERVER_TIME_TO_FIRST_TOKEN)
    {
        // Strands writes milliseconds under a name whose unit is seconds.
        if view.scope.name.starts_with("strands") {
            found = as_f64(value).map(|milliseconds| Value::Double(milliseconds / 1000.0));
        }
        if view.get(Key::GEN_AI_REQUEST_STREAM) == Some(&Value::Bool(false)) {
            found = None;
        }
    }
    let found = found.or_else(|| {
        let moment = view.text(Key::LANGFUSE_OBSERVATION_COMPLETION_START_TIME)?;
        seconds_after(span.start_unix_nano, moment).map(Value::Double)
    });
    let found = found.or_else(|| {
        let chunk = span.events.iter().find(|event| FIRST_CHUNK.contains(&event.name.as_ref()))?;
        let known = span.start_unix_nano > 0;
        seconds_between(span.start_unix_nano, chunk.time_unix_nano).filter(|_| known).map(Value::Double)
    });
    let Some(latency) = seconds_between(span.start_unix_nano, span.end_unix_nano) else { return };
    if let Some(value) = found
        && let Some(seconds) = as_f64(&value)
        && seconds > 0.0
    {
        facts.set(Key::P_AI_TIME_TO_FIRST_TOKEN, if seconds > latency { Value::Double(latency) } else { value });
    }
}

/// Seconds from a span's start to an ISO 8601 time, which may wear JSON quotes.
fn seconds_after(start_unix_nano: u64, moment: &str) -> Option<f64> {
    let moment = moment.strip_prefix('"').unwrap_or(moment);
    let moment = moment.strip_suffix('"').unwrap_or(moment);
    let nanos = unix_nano(moment.as_bytes())?;
    let start = i128::from(start_unix_nano);
    (nanos > start && start > 0).then(|| (nanos - start) as f64 / NANOS_PER_SECOND)
}

/// `2024-01-31T12:00:00.123456789+01:00` as nanoseconds since 1970-01-01 UTC.
fn unix_nano(text: &[u8]) -> Option<i128> {
    let (moment, rest) = text.split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|&(at, separator)| moment[at] != separator) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| digits(&moment[range]);
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let in_range = year >= 1 && (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    if !in_range || !(1..=days_of_month(year, month)).contains(&day) {
        return None;
    }
    let (nanos, zone) = match rest {
        [b'.', fraction @ ..] => {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, zone) = fraction.split_at(length);
            let scale = 9u32.checked_sub(u32::try_from(length).ok()?)?;
            (digits(fraction)? * 10i64.pow(scale), zone)
        }
        _ => (0, rest),
    };
    let offset_minutes = match zone {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
    Some(i128::from(minutes * 60 + second) * 1_000_000_000 + i128::from(nanos))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    let all = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    all.then(|| bytes.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar. Years begin on 1 March inside, so that a leap day is the last day of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_FROM_0000_03_01_TO_1970: i64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - DAYS_FROM_0000_03_01_TO_1970
}

#[cfg(test)]
mod tests {
    use super::unix_nano;

    #[test]
    fn iso_times_are_read_with_their_offset() {
        assert_eq!(unix_nano(b"1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_nano(b"2024-02-29T12:00:00.5+01:00"), Some(1_709_204_400_500_000_000));
        assert_eq!(unix_nano(b"2023-02-29T12:00:00Z"), None);
        assert_eq!(unix_nano(b"2024-01-01T00:00:00"), None);
    }
}
