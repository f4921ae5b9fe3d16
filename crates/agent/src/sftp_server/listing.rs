//! Names in replies, with the line that `ls -l` of a client shows.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use postern_sftp::{Attributes, Name, Reply};

use super::files::attributes;

/// A name in a directory.
#[derive(Debug)]
pub(super) struct Entry {
    name: OsString,
    long_name: Vec<u8>,
    attributes: Attributes,
}

impl Entry {
    pub(super) fn new(name: OsString, metadata: &Metadata) -> Self {
        let long_name = long_name(&name, metadata);
        Self { name, long_name, attributes: attributes(metadata) }
    }

    /// One of which nothing else can be learnt.
    pub(super) fn unknown(name: OsString) -> Self {
        let long_name = name.as_bytes().to_vec();
        Self { name, long_name, attributes: Attributes::default() }
    }

    pub(super) fn name(&self) -> Name<'_> {
        Name { name: self.name.as_bytes(), long_name: &self.long_name, attributes: self.attributes }
    }
}

/// A reply that is one path.
pub(super) fn only(path: &Path) -> Reply<'_> {
    let name = path.as_os_str().as_bytes();
    Reply::Names(vec![Name { name, long_name: name, attributes: Attributes::default() }])
}

/// Owner and group are numbers, the time is UTC: the line is the same wherever it is read.
fn long_name(name: &OsStr, metadata: &Metadata) -> Vec<u8> {
    let (links, uid, gid) = (metadata.nlink(), metadata.uid(), metadata.gid());
    let (mode, size, time) = (mode_text(metadata.mode()), metadata.len(), time_text(metadata.mtime()));
    let mut line = format!("{mode} {links:>3} {uid:<8} {gid:<8} {size:>8} {time} ").into_bytes();
    line.extend_from_slice(name.as_bytes());
    line
}

fn mode_text(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o060_000 => 'b',
        0o020_000 => 'c',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    };
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
        });
    }
    text
}

/// `2026-11-27 14:03`. Days to dates by Howard Hinnant's algorithm for the proleptic Gregorian calendar.
fn time_text(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", second / 3600, second % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (1_795_788_180, "2026-11-27 14:03"),
            (-1, "1969-12-31 23:59"),
        ] {
            assert_eq!(time_text(seconds), text);
        }
    }

    #[test]
    fn modes_are_letters() {
        for (mode, text) in [
            (0o100_644, "-rw-r--r--"),
            (0o104_755, "-rwsr-xr-x"),
            (0o041_777, "drwxrwxrwt"),
            (0o120_777, "lrwxrwxrwx"),
            (0o102_644, "-rw-r-Sr--"),
        ] {
            assert_eq!(mode_text(mode), text);
        }
    }
}
