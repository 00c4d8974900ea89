//! Times as text: RFC 3339 in UTC, with as many fractional digits as the time needs.

use crate::output::Output;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// Nanoseconds since 1970-01-01 UTC as RFC 3339, with the fewest of 0, 3, 6 or 9 fractional digits that are exact.
pub fn rfc3339(unix_nano: u64) -> String {
    let mut text = Vec::with_capacity(30);
    write_rfc3339(unix_nano, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends what [`rfc3339`] returns.
pub fn write_rfc3339(unix_nano: u64, out: &mut impl Output) {
    let (seconds, nanos) = (unix_nano / NANOS_PER_SECOND, unix_nano % NANOS_PER_SECOND);
    let (year, month, day) = civil_date(seconds / SECONDS_PER_DAY);
    let second_of_day = seconds % SECONDS_PER_DAY;
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    for (number, width, separator) in
        [(year, 4, b'-'), (month, 2, b'-'), (day, 2, b'T'), (hour, 2, b':'), (minute, 2, b':')]
    {
        write_digits(number, width, out);
        out.push(separator);
    }
    write_digits(second, 2, out);
    let (fraction, width) = match nanos {
        0 => (0, 0),
        _ if nanos.is_multiple_of(1_000_000) => (nanos / 1_000_000, 3),
        _ if nanos.is_multiple_of(1_000) => (nanos / 1_000, 6),
        _ => (nanos, 9),
    };
    if width > 0 {
        out.push(b'.');
        write_digits(fraction, width, out);
    }
    out.push(b'Z');
}

/// Appends so many of the last decimal digits of a number.
fn write_digits(number: u64, width: u32, out: &mut impl Output) {
    for place in (0..width).rev() {
        out.push(b'0' + (number / 10u64.pow(place) % 10) as u8);
    }
}

/// Year, month and day of the Gregorian calendar, from days since 1970-01-01. Years are counted from 1 March inside, so
/// that the leap day is the last day of its year and months have lengths that a linear formula gives.
fn civil_date(days_since_1970: u64) -> (u64, u64, u64) {
    const DAYS_FROM_0000_03_01_TO_1970: u64 = 719_468;
    const DAYS_PER_ERA: u64 = 146_097;
    let days = days_since_1970 + DAYS_FROM_0000_03_01_TO_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn the_fraction_has_the_fewest_exact_digits() {
        assert_eq!(rfc3339(1_704_067_200_000_000_000), "2024-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_704_067_200_500_000_000), "2024-01-01T00:00:00.500Z");
        assert_eq!(rfc3339(1_704_067_200_000_050_000), "2024-01-01T00:00:00.000050Z");
        assert_eq!(rfc3339(1_704_067_200_418_417_126), "2024-01-01T00:00:00.418417126Z");
    }

    #[test]
    fn leap_days_and_the_ends_of_the_range_are_right() {
        assert_eq!(rfc3339(1), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(rfc3339(951_782_400_000_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_709_251_199_000_000_000), "2024-02-29T23:59:59Z");
        assert_eq!(rfc3339(4_107_542_400_000_000_000), "2100-03-01T00:00:00Z");
        assert_eq!(rfc3339(u64::MAX), "2554-07-21T23:34:33.709551615Z");
    }
}
