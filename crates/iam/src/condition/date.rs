//! Dates: ISO 8601 in the profile of the W3C, or seconds since 1970.
//!
//! Source: "Date condition operators" in the IAM User Guide; "Date and Time Formats", W3C note of 1997-09-15.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// Reads `2026-06-15`, `2026-06-15T12:00Z`, `2026-06-15T12:00:00.5+02:00`, or seconds. A date without a time is its
/// midnight, UTC; a time needs an offset.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if text.strip_prefix('-').unwrap_or(text).bytes().all(|b| b.is_ascii_digit()) {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    let (date, rest) = text.split_at_checked(10)?;
    let date = calendar_date(date)?;
    let Some(rest) = rest.strip_prefix('T') else {
        return rest.is_empty().then(|| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok())?;
    };
    let offset_start = rest.find(['Z', '+', '-'])?;
    let (time, offset) = rest.split_at(offset_start);
    offset_of(offset)?.to_timestamp(date.to_datetime(time_of_day(time)?)).ok()
}

fn calendar_date(text: &str) -> Option<Date> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    Date::new(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?).ok()
}

/// `hh:mm`, `hh:mm:ss`, `hh:mm:ss.f…`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) =
        rest.split_once(':').map_or((rest, None), |(minute, second)| (minute, Some(second)));
    let (second, fraction) = match second {
        None => ("00", None),
        Some(second) => second.split_once('.').map_or((second, None), |(whole, part)| (whole, Some(part))),
    };
    let nanoseconds = fraction.map_or(Some(0), nanoseconds)?;
    Time::new(digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?, nanoseconds).ok()
}

/// The part of a second that digits after a point say; what is less than a nanosecond does not count.
fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let places = fraction.bytes().map(|b| i32::from(b - b'0')).chain(std::iter::repeat(0));
    Some(places.take(9).fold(0, |value, digit| value * 10 + digit))
}

/// `Z`, `+hh:mm`, `-hh:mm`.
fn offset_of(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, amount) = match text.split_at_checked(1)? {
        ("+", amount) => (1, amount),
        ("-", amount) => (-1, amount),
        _ => return None,
    };
    let (hours, minutes) = amount.split_once(':')?;
    let (hours, minutes): (i32, i32) = (digits(hours, 2)?, digits(minutes, 2)?);
    let within_a_day = hours < 24 && minutes < 60;
    within_a_day.then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

fn digits<T: std::str::FromStr>(text: &str, count: usize) -> Option<T> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_in_many_forms() {
        let forms = [
            "1781524800",
            "2026-06-15T12:00Z",
            "2026-06-15T12:00:00Z",
            "2026-06-15T12:00:00.000Z",
            "2026-06-15T14:00:00+02:00",
            "2026-06-15T06:30:00.0000000001-05:30",
        ];
        for form in forms {
            assert_eq!(parse(form), Timestamp::from_second(1_781_524_800).ok(), "{form}");
        }
        assert_eq!(parse("2026-06-15"), parse("2026-06-15T00:00Z"));
        assert!(parse("2026-06-15T12:00:00.5Z") > parse("1781524800"));
        assert!(parse("-1") < parse("0"));
    }

    #[test]
    fn what_is_no_date() {
        let texts = [
            "",
            "-",
            "now",
            "2026",
            "2026-06",
            "2026-13-01",
            "2026-02-30",
            "2026-06-15T12:00",
            "2026-06-15T12",
            "2026-06-15T12Z",
            "2026-06-15t12:00z",
            "2026-06-15 12:00Z",
            "2026-06-15T24:00Z",
            "2026-06-15T12:60Z",
            "2026-06-15T12:00:00.Z",
            "2026-06-15T12:00+2:00",
            "2026-06-15T12:00+25:00",
            "20260615T120000Z",
            "99999999999999999999",
            "2026-06-15Z",
            "1781524800.5",
            "２０２６-06-15",
        ];
        let dates: Vec<_> = texts.iter().filter(|text| parse(text).is_some()).collect();
        // Digits alone are seconds, also four of them.
        assert_eq!(dates, [&"2026"]);
    }
}
