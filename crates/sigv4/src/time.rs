//! The time of a signature.

use std::fmt;
use std::time::Duration;

/// A moment in whole seconds, printed as signatures want it: `20130524T000000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningTime {
    unix_s: i64,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl SigningTime {
    /// The last second that four digits of year can tell.
    const UNIX_S_MAX: i64 = 253_402_300_799;

    /// The moment so many seconds after 1970; held within the years 1970 to 9999.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self { unix_s: seconds.clamp(0, Self::UNIX_S_MAX) }
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.unix_s
    }

    /// Reads ISO 8601's basic format, `20130524T000000Z`.
    #[must_use]
    pub fn parse_basic(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let field = |from: usize, to: usize| number(&bytes[from..to]);
        Self::from_civil(
            field(0, 4)?,
            field(4, 6)?,
            field(6, 8)?,
            field(9, 11)?,
            field(11, 13)?,
            field(13, 15)?,
        )
    }

    /// Reads a `Date` header: `Fri, 24 May 2013 00:00:00 GMT` (RFC 9110, 5.6.7, IMF-fixdate).
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let mut words = text.split_once(", ")?.1.split(' ');
        let day = number(words.next()?.as_bytes())?;
        let month = words.next()?;
        let month = 1 + i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()?;
        let year = number(words.next()?.as_bytes())?;
        let mut clock = words.next()?.splitn(3, ':').map(|digits| number(digits.as_bytes()));
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
        if words.next() != Some("GMT") || words.next().is_some() {
            return None;
        }
        Self::from_civil(year, month, day, hour, minute, second)
    }

    /// The day as a credential scope has it, `20130524`.
    #[must_use]
    pub fn date(self) -> String {
        self.to_string()[..8].to_owned()
    }

    /// This moment and `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::from_unix_seconds(self.unix_s.saturating_add(seconds))
    }

    /// This moment and `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::from_unix_seconds(self.unix_s.saturating_sub(seconds))
    }

    fn from_civil(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<Self> {
        let valid = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        valid.then(|| Self {
            unix_s: days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second,
        })
    }
}

impl fmt::Display for SigningTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.unix_s / 86_400);
        let second = self.unix_s % 86_400;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

/// A number of at most four digits, nothing else.
fn number(digits: &[u8]) -> Option<i64> {
    let valid = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    valid.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01. The year is counted from March so that the leap day comes last; 719,468 days lie
/// between 0000-03-01 and 1970-01-01, and 146,097 days make 400 years.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// The inverse of [`days_since_1970`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        for (text, unix_s) in [
            ("19700101T000000Z", 0),
            ("20000229T235959Z", 951_868_799),
            ("20130524T000000Z", 1_369_353_600),
            ("20150830T123600Z", 1_440_938_160),
            ("99991231T235959Z", SigningTime::UNIX_S_MAX),
        ] {
            let time = SigningTime::parse_basic(text).unwrap();
            assert_eq!(time.unix_seconds(), unix_s, "{text}");
            assert_eq!(time.to_string(), text);
        }
        assert_eq!(
            SigningTime::parse_http_date("Fri, 24 May 2013 00:00:00 GMT"),
            SigningTime::parse_basic("20130524T000000Z")
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "20130524",
            "20130524T000000",
            "2013-05-24T00:00:00Z",
            "20130229T000000Z",
            "20131301T000000Z",
            "20130524T240000Z",
            "20130524T006000Z",
            "20130524T000060Z",
            "19691231T235959Z",
            "+0130524T000000Z",
            "20130524t000000z",
            "2013052éT00000Z",
        ] {
            assert_eq!(SigningTime::parse_basic(wrong), None, "{wrong:?}");
        }
        for wrong in [
            "",
            "Fri, ",
            "Fri, 24 May 2013 00:00:00",
            "Fri, 24 Mai 2013 00:00:00 GMT",
            "Fri, 24 May 2013 00:00 GMT",
        ] {
            assert_eq!(SigningTime::parse_http_date(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn printed_times_read_back(unix_s in 0..=SigningTime::UNIX_S_MAX) {
            let time = SigningTime::from_unix_seconds(unix_s);
            prop_assert_eq!(SigningTime::parse_basic(&time.to_string()), Some(time));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,40}") {
            let _ = SigningTime::parse_basic(&text);
            let _ = SigningTime::parse_http_date(&text);
        }
    }
}
