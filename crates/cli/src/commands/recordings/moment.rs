//! Moments of a recording, as people type and read them; and times of the day.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Reads `90`, `1:30` or `1:02:03.5`: a time since the beginning of a recording.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "a time such as 90, 1:30 or 1:02:03.5 is needed";
    let parts: Vec<&str> = text.split(':').collect();
    let (seconds, rest) = parts.split_last().ok_or(FORM)?;
    if rest.len() > 2 || seconds.starts_with(['-', '+']) {
        return Err(FORM);
    }
    let seconds: f64 = seconds.parse().map_err(|_| FORM)?;
    let mut minutes: u64 = 0;
    for part in rest {
        let number: u32 = part.parse().map_err(|_| FORM)?;
        minutes = minutes * 60 + u64::from(number);
    }
    let seconds = Duration::try_from_secs_f64(seconds).map_err(|_| FORM)?;
    Ok(seconds.saturating_add(Duration::from_secs(minutes * 60)))
}

/// A time since the beginning of a recording in milliseconds, as [`parse`] reads it.
pub(super) fn shown(ms: Option<i64>) -> String {
    let Some(ms) = ms.and_then(|ms| u64::try_from(ms).ok()) else { return String::new() };
    let (seconds, rest) = (ms / 1000, ms % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}.{:01}", rest / 100)
    } else {
        format!("{minutes}:{seconds:02}.{:01}", rest / 100)
    }
}

/// Reads a time of the day, or how long ago it was: `2026-11-27T08:00:00Z`, `90m`, `24h`, `7d`.
pub(super) fn since(text: &str) -> Result<Timestamp, &'static str> {
    const FORM: &str = "a time such as 2026-11-27T08:00:00Z, 90m, 24h or 7d is needed";
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let (number, unit) = text.split_at_checked(text.len().wrapping_sub(1)).ok_or(FORM)?;
    let hours = match unit {
        "m" => SignedDuration::from_mins(1),
        "h" => SignedDuration::from_hours(1),
        "d" => SignedDuration::from_hours(24),
        _ => return Err(FORM),
    };
    let ago =
        number.parse::<u16>().ok().and_then(|number| hours.checked_mul(i32::from(number))).ok_or(FORM)?;
    #[expect(clippy::disallowed_methods, reason = "what was long ago is told by the time of day")]
    let now = Timestamp::now();
    now.checked_sub(ago).map_err(|_| FORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_shown() {
        for (text, ms) in
            [("0", 0), ("90", 90_000), ("1:30", 90_000), ("1:02:03.5", 3_723_500), ("0.25", 250)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", ":", "x", "-1", "1:-1", "1:2:3:4", "inf", "NaN", "1e400"] {
            assert!(parse(text).is_err(), "{text}");
        }
        for (ms, text) in [(0, "0:00.0"), (90_250, "1:30.2"), (3_723_500, "1:02:03.5")] {
            assert_eq!(shown(Some(ms)), text);
        }
        assert_eq!(shown(None), "");
    }

    #[test]
    fn times_are_absolute_or_ago() {
        assert_eq!(since("2026-11-27T08:00:00Z").unwrap().as_second(), 1_795_766_400);
        let (hour, day) = (since("1h").unwrap(), since("1d").unwrap());
        assert!((day.duration_until(hour) - SignedDuration::from_hours(23)).as_secs().abs() < 60);
        for text in ["", "h", "1x", "-1h", "yesterday", "é"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
